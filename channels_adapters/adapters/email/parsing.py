"""From a Letter to what the hub takes in. Pure: the mail was taken apart before."""

import hashlib
import re
from datetime import datetime

from django.utils.translation import gettext as _

from channels_adapters.adapters.email.account import Account
from channels_adapters.adapters.email.authenticity import checks_of, is_proven
from channels_adapters.contract import Unreadable
from channels_adapters.mailreading.letter import Letter, Part, Person, Report
from channels_adapters.reading import NO_TIME
from conversations.normalized import Attachment, Inbound, InboundMessage, OptedOut, Receipt, Sender

_COPIED = 20  # addresses that an answer may go to besides
_REFERENCES = 12  # ids that are kept for the answer
_REASONS = {
    "5.1.1": "there is no such mailbox",
    "5.1.2": "there is no such domain",
    "5.1.10": "there is no such mailbox",
    "5.2.1": "the mailbox is switched off",
    "5.2.2": "the mailbox is full",
    "5.2.3": "the mail is too large for them",
    "5.3.4": "the mail is too large for them",
    "5.4.1": "their mail server does not take it",
    "5.4.4": "their domain takes no mail",
    "5.4.6": "their mail server sends it round in circles",
    "5.7.1": "their mail server refuses it",
    "5.7.26": "their mail server does not believe that it is from us: SPF, DKIM or DMARC",
}


def read_letter(letter: Letter, account: Account) -> list[Inbound]:
    """What the mail says; nothing for our own mails that come back. Raises Unreadable when nobody sent it."""
    is_ours, _place = account.tokens.read_message_id(letter.message_id)
    if is_ours:
        return []
    if letter.report is not None and (told := _report(letter, letter.report, account)) is not None:
        return told
    author = _author(letter, account)
    if author is None:
        return []
    thread_id, leaves, is_named = _place_of(letter, author, account)
    sender = _sender(letter, author, account)
    if leaves:
        return [OptedOut(sender, is_out=True, at=_moment(letter))]
    return [_message(letter, author, sender, thread_id, is_named=is_named, account=account)]


def read_leaving(said: bytes) -> list[Inbound]:
    """Somebody followed the link to unsubscribe: their address and the moment."""
    address, _, moment = said.decode("utf-8", "replace").partition(" ")
    try:
        return [OptedOut(_known(address), is_out=True, at=datetime.fromisoformat(moment))]
    except ValueError as error:
        raise Unreadable("the request to unsubscribe has no time") from error


def _report(letter: Letter, report: Report, account: Account) -> list[Inbound] | None:
    """What a machine told about a mail of ours; None when it cannot be said which, so that a person may read it."""
    if report.kind in ("delayed", "relayed"):
        return []
    at = _moment(letter)
    if report.kind == "complaint":
        return [OptedOut(_known(report.recipient), is_out=True, at=at)] if report.recipient else None
    if not report.target:
        return None
    _ours, place = account.tokens.read_message_id(report.target)
    reason = _why(report) if report.kind == "failed" else ""
    bounced = report.kind == "failed"
    return [Receipt(place, report.target, report.kind, at, reason=reason, code=report.code, bounced=bounced)]


def _why(report: Report) -> str:
    known = _REASONS.get(report.code, "")
    said = f"{known}: {report.reason}" if known and report.reason else known or report.reason
    return f"It came back: {said or 'their mail server did not say why'}"[:300]


def _known(address: str) -> Sender:
    return Sender(address=address.lower(), email=address.lower(), verified=False)


def _author(letter: Letter, account: Account) -> Person | None:
    """Who wrote; None when it was ourselves. A form of our own pages names them in Reply-To."""
    found = letter.authors or letter.sender or letter.reply_to
    if not found and letter.return_path:
        found = (Person("", letter.return_path),)
    if not found:
        raise Unreadable("the mail names no sender")
    if not account.is_own(found[0].address):
        return found[0]
    return next((person for person in letter.reply_to if not account.is_own(person.address)), None)


def _sender(letter: Letter, author: Person, account: Account) -> Sender:
    address = author.address.lower()
    proven = is_proven(letter, author, account.trusted_server)
    return Sender(address, name=author.name, email=address, language=letter.language, verified=proven)


def _place_of(letter: Letter, author: Person, account: Account) -> tuple[str, bool, bool]:
    """The thread, whether the mail unsubscribes, and whether a token of ours named the thread."""
    for address in (*letter.arrived_at, *(person.address for person in letter.to)):
        thread_id, leaves = account.tokens.read_tag(account.tag_of(address))
        if thread_id:
            return thread_id, leaves, True
    for message_id in _refers_to(letter):
        _ours, thread_id = account.tokens.read_message_id(message_id)
        if thread_id:
            return thread_id, False, True
    root = next(iter([*letter.references, *letter.in_reply_to]), "") or external_id(letter)
    return account.tokens.thread(author=author.address, root=root), False, False


def _refers_to(letter: Letter) -> tuple[str, ...]:
    """Nearest first: what it answers, then the chain from its end."""
    return tuple(dict.fromkeys([*letter.in_reply_to, *reversed(letter.references)]))


def _message(
    letter: Letter, author: Person, sender: Sender, thread_id: str, *, is_named: bool, account: Account
) -> InboundMessage:
    refers_to = _refers_to(letter)
    return InboundMessage(
        external_id=external_id(letter),
        thread_id=thread_id,
        sender=sender,
        text=_text(letter),
        at=_moment(letter),
        attachments=tuple(_attachment(part) for part in letter.parts),
        reply_to=refers_to[0] if refers_to else "",
        flags=tuple({"auto": "auto_reply"}.get(mark, mark) for mark in letter.marks),
        refers_to=() if is_named else refers_to,
        details=_details(letter, author, account),
    )


def external_id(letter: Letter) -> str:
    """The Message-ID, made unique where the mail has none or a silly one."""
    if is_unique(letter.message_id):
        return letter.message_id
    return f"{letter.message_id or 'mail'}#{letter.digest[:16]}"


def is_unique(message_id: str) -> bool:
    """Whether an id looks like one that a mail program makes up anew for each mail."""
    local, _at, domain = message_id.partition("@")
    return bool(local and re.search(r"\w\.\w", domain)) and domain not in ("localhost.localdomain",)


def _text(letter: Letter) -> str:
    if letter.cut_size:
        megabytes = letter.cut_size / 1024 / 1024
        return _("This mail is too large to be taken in (%(size).0f MB). It lies in the mailbox.") % {"size": megabytes}
    if letter.broken:
        return _("This mail could not be taken apart. It is attached as it came.")
    if "encrypted" in letter.marks and not letter.text:
        return _("This mail is encrypted. It is attached as it came.")
    return letter.text


def _details(letter: Letter, author: Person, account: Account) -> dict[str, object]:
    elsewhere = (person.address for person in letter.reply_to if not account.is_own(person.address))
    answer_to = next(elsewhere, author.address)
    chain = [*letter.references, *letter.in_reply_to, letter.message_id]
    return {
        "subject": letter.subject,
        "folded": letter.folded,
        "checks": checks_of(letter, account.trusted_server),
        "invite": letter.invite,
        "answer_to": answer_to,
        "copied": _others(letter, account, author.address, answer_to),
        "references": list(dict.fromkeys(each for each in chain if each))[-_REFERENCES:],
    }


def _others(letter: Letter, account: Account, *known: str) -> list[str]:
    """To whom the mail went besides us and those `known`."""
    addresses = dict.fromkeys(person.address.lower() for person in letter.to if not account.is_own(person.address))
    return [address for address in addresses if address not in {each.lower() for each in known}][:_COPIED]


def _attachment(part: Part) -> Attachment:
    family = part.mime.split("/")[0]
    kind = family if family in ("image", "video", "audio") and part.mime != "image/svg+xml" else "file"
    details = {"inline": True, "cid": part.cid} if part.inline else {}
    return Attachment(kind, part.path, name=part.name, mime=part.mime, size=part.size, details=details)


def _moment(letter: Letter) -> datetime:
    return datetime.fromisoformat(letter.date) if letter.date else NO_TIME


def fingerprint(*said: bytes) -> str:
    return hashlib.sha256(b"\0".join(said)).hexdigest()
