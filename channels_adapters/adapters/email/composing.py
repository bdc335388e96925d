"""A mail of ours, as bytes: text with its HTML twin, pictures in it, files under it."""

import html
import mimetypes
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Any

from channels_adapters.adapters.email.account import Account
from channels_adapters.contract import OutboundFile, OutboundPart, Refused
from conversations.text import clean, clean_line
from crm.workspace import clock

_UNKNOWN = "application/octet-stream"
_REFERENCES = 10  # ids; longer heads are cut by some servers
_ANSWER = re.compile(r"\s*(re|sv|aw|antw|odp|vs|ref|回复|答复)\s*(\[\d+\])?[:：]", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}]")
_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[^\s@<>\"(),:;\\]{1,190}")


def compose(part: OutboundPart, account: Account) -> EmailMessage:
    """The mail of a part; the same part gives the same Message-ID. Raises Refused when it has nobody to go to."""
    mail = EmailMessage(policy=SMTP if recipient(part).isascii() else SMTPUTF8)
    mail["From"] = _named(clean_line(account.said("from_name"), 100), account.address)
    mail["To"] = _named("", recipient(part))
    if copies(part):
        mail["Cc"] = [_named("", address) for address in copies(part)]
    mail["Subject"] = _subject(part, account)
    mail["Date"] = format_datetime(part.wanted_at or _now())
    mail["Message-ID"] = f"<{message_id(part, account)}>"
    _thread(mail, part, account)
    _manners(mail, part, account)
    _fill(mail, part)
    return mail


def message_id(part: OutboundPart, account: Account) -> str:
    """Ours, without brackets: a part that is sent again is the same mail."""
    return account.tokens.message_id(part.delivery_id, part.thread_id, _ascii_domain(account.domain))


def recipient(part: OutboundPart) -> str:
    """Where their last mail wants its answer, else whom the part is for. Raises Refused."""
    for address in (part.answers.get("answer_to"), part.address):
        if isinstance(address, str) and _ADDRESS.fullmatch(address.strip()):
            return _in_ascii(address.strip())
    raise Refused("there is no address to send this to")


def copies(part: OutboundPart) -> list[str]:
    """Who gets the answer too. One whom not every server could send to is left out."""
    found = [_in_ascii(address) for address in part.copy_to if _ADDRESS.fullmatch(address)]
    return [address for address in found if address.isascii() and address != recipient(part)]


def _in_ascii(address: str) -> str:
    """A domain of other letters as mail servers write it."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def _named(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    try:
        return Address(name, local, domain)
    except (ValueError, IndexError) as error:
        raise Refused(f"{address} is no address that mail can be sent to") from error


def _subject(part: OutboundPart, account: Account) -> str:
    subject = clean_line(str(part.answers.get("subject") or ""), 300)
    if not part.answers:
        return clean_line(part.text, 70) or clean_line(account.said("from_name"), 70) or account.address
    return subject if _ANSWER.match(subject) else f"Re: {subject}".strip()


def _thread(mail: EmailMessage, part: OutboundPart, account: Account) -> None:
    references = _references(part.answers)
    if references:
        mail["In-Reply-To"] = f"<{references[-1]}>"
        mail["References"] = " ".join(f"<{each}>" for each in references)
    tag = account.tokens.tag(part.thread_id) if account.has_plus_addresses else ""
    if tag:
        mail["Reply-To"] = _named(clean_line(account.said("from_name"), 100), account.tagged(tag))


def _references(answers: Mapping[str, Any]) -> list[str]:
    found = answers.get("references")
    ids = [each for each in found if isinstance(each, str)] if isinstance(found, list | tuple) else []
    whole = [each for each in ids if re.fullmatch(r"[!-;=?-~]{1,250}", each)]
    return whole if len(whole) <= _REFERENCES else [whole[0], *whole[1 - _REFERENCES :]]


def _manners(mail: EmailMessage, part: OutboundPart, account: Account) -> None:
    """What tells other machines not to answer, and people how to leave."""
    if part.by_machine:
        mail["Auto-Submitted"] = "auto-replied" if part.answers else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
    if part.purpose == "marketing":
        mail["Precedence"] = "bulk"
        ways = [f"<{way}>" for way in _ways_out(part, account)]
        if ways:
            mail["List-Unsubscribe"] = ", ".join(ways)
        if any(way.startswith("<https://") for way in ways):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _ways_out(part: OutboundPart, account: Account) -> list[str]:
    hook = account.said("hook_url")
    ways = [f"{hook}?unsubscribe={account.tokens.link(recipient(part))}"] if hook.startswith("https://") else []
    tag = account.tokens.tag(part.thread_id, leaves=True) if account.has_plus_addresses else ""
    return [*ways, f"mailto:{account.tagged(tag)}?subject=unsubscribe"] if tag else ways


def _fill(mail: EmailMessage, part: OutboundPart) -> None:
    files = [file for file in (part.file, *part.files) if file is not None]
    shown = [file for file in files if file.mime in _SHOWN]
    text = clean(part.text).strip("\n")
    mail.set_content(text + "\n")
    if text or shown:
        mail.add_alternative(_page(text, len(shown), part), subtype="html")
        page: Any = mail.get_payload(1)  # type: ignore[assignment,unused-ignore]
        for number, file in enumerate(shown):
            _put(page.add_related, file, disposition="inline", cid=f"<{_cid(part, number)}>")
    for file in files:
        if file not in shown:
            _put(mail.add_attachment, file)


def _put(add: Any, file: OutboundFile, **how: str) -> None:
    mime = file.mime if file.mime != _UNKNOWN else mimetypes.guess_type(file.name)[0] or _UNKNOWN
    if mime.startswith(("message/", "multipart/")) or not re.fullmatch(r"[a-z]+/[\w.+-]+", mime):
        mime = _UNKNOWN
    main, _, sub = mime.partition("/")
    add(file.data, maintype=main, subtype=sub, filename=clean_line(file.name, 200) or "file", **how)


def _cid(part: OutboundPart, number: int) -> str:
    return f"{part.delivery_id}.{number}@rapport.invalid"


def _page(text: str, pictures: int, part: OutboundPart) -> str:
    said = "".join(f"<p>{_rich(each)}</p>\n" for each in re.split(r"\n{2,}", text) if each.strip())
    shown = "".join(f'<p><img src="cid:{_cid(part, number)}" alt=""></p>\n' for number in range(pictures))
    return f'<!doctype html>\n<html><body dir="auto">\n{said}{shown}</body></html>\n'


def _rich(text: str) -> str:
    pieces, end = [], 0
    for found in _LINK.finditer(text):
        address = html.escape(found[0])
        pieces += [html.escape(text[end : found.start()]), f'<a href="{address}">{address}</a>']
        end = found.end()
    return "".join([*pieces, html.escape(text[end:])]).replace("\n", "<br>\n")


def _now() -> datetime:
    return clock.now()
