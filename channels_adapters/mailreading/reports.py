"""Mail that machines write: bounces, receipts, complaints, automatic answers."""

import re
from collections.abc import Iterator
from email.message import Message

from channels_adapters.mailreading import headers
from channels_adapters.mailreading.body import data_of, leaves
from channels_adapters.mailreading.letter import Report
from conversations.text import clean_line

_LOOKED_AT = 50_000  # characters of a bounce's text
_BOUNCERS = re.compile(r"(mailer-daemon|postmaster|mail-daemon|mailerdaemon)\b.*@", re.IGNORECASE)
_MACHINES = re.compile(rf"{_BOUNCERS.pattern}|(no-?reply|do-?not-?reply|bounces?)\b.*@", re.IGNORECASE)
_AWAY = re.compile(
    r"\s*(auto(matic|matisk|matische|matique|mática)?[ -]*(reply|svar|antwort|respon|réponse|odpow)"
    r"|out of (the )?office|autosvar"
    r"|abwesenheit|frånvaro|respuesta automática|réponse automatique|risposta automatica|resposta automática|fuera de"
    r"|ute av kontoret|vacation|автоответ|自动回复|自動返信|automatisch antwoord|poissa)",
    re.IGNORECASE,
)
_ID_LINE = re.compile(r"^[> ]*Message-ID:\s*<([^<>\s]{1,250})>", re.IGNORECASE | re.MULTILINE)
_CODE = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


def is_automatic(mail: Message, return_path: str | None) -> bool:
    """Whether a machine wrote it, or a list or a campaign: no machine of ours may answer."""
    submitted = headers.first(mail, "Auto-Submitted").split(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(headers.raw(mail, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-Loop")):
        return True
    if any(headers.raw(mail, name) for name in ("List-Id", "List-Unsubscribe", "X-FC-MachineGenerated")):
        return True
    precedence = headers.first(mail, "Precedence").strip().lower()
    if precedence in ("bulk", "list", "junk", "auto_reply") or return_path == "":
        return True
    if any(_MACHINES.match(person.address) for person in headers.people(mail, "From")):
        return True
    is_an_answer = bool(headers.raw(mail, "In-Reply-To") or headers.raw(mail, "References"))
    return is_an_answer and bool(_AWAY.match(headers.words(headers.first(mail, "Subject"))))


def report_of(mail: Message, return_path: str | None) -> Report | None:
    """What a machine says about an earlier mail; None when it says nothing of the kind."""
    parts = {part.get_content_type(): part for _, part, _ in leaves(mail)}
    if found := parts.get("message/delivery-status"):
        return _delivery(mail, found, return_path)
    if found := parts.get("message/disposition-notification"):
        return _disposition(found)
    if found := parts.get("message/feedback-report"):
        return _complaint(mail, found)
    if headers.raw(mail, "X-Failed-Recipients") and _is_from_a_bouncer(mail, return_path):
        recipient = headers.first(mail, "X-Failed-Recipients").split(",")[0].strip()
        return Report("failed", _returned_id(mail), recipient, *_from_text(mail))
    return None


def _is_from_a_bouncer(mail: Message, return_path: str | None) -> bool:
    return return_path == "" or any(_BOUNCERS.match(person.address) for person in headers.people(mail, "From"))


_ACTIONS = {"failed": "failed", "delayed": "delayed", "delivered": "delivered"}


def _delivery(mail: Message, part: Message, return_path: str | None) -> Report | None:
    about = [block for block in _blocks(part) if headers.raw(block, "Action")]
    failed = [block for block in about if headers.first(block, "Action").lower().startswith("fail")]
    block = next(iter(failed or about), None)
    if block is None:
        return Report("failed", _returned_id(mail), "", *_from_text(mail)) if return_path == "" else None
    action = headers.first(block, "Action").split()[0].lower() if headers.first(block, "Action") else ""
    said = re.sub(r"^\s*\w+;\s*", "", headers.words(headers.first(block, "Diagnostic-Code")))
    code = _CODE.search(headers.first(block, "Status"))
    recipient = headers.first(block, "Original-Recipient") or headers.first(block, "Final-Recipient")
    kind = _ACTIONS.get(action, "relayed")
    return Report(kind, _returned_id(mail), _after_type(recipient), code[1] if code else "", clean_line(said, 300))


def _blocks(part: Message) -> Iterator[Message]:
    content = part.get_payload()
    yield from (each for each in content if isinstance(each, Message)) if isinstance(content, list) else ()


def _after_type(address: str) -> str:
    """rfc822; carl@kund.example"""
    return clean_line(address.rsplit(";", 1)[-1].strip(" <>"), 254)


def _disposition(part: Message) -> Report:
    fields = next(_blocks(part), part)
    said = headers.first(fields, "Disposition").lower()
    kind = "read" if "displayed" in said else "delivered" if "processed" in said else "relayed"
    target = next(iter(headers.ids(fields, "Original-Message-ID")), "")
    return Report(kind, target, _after_type(headers.first(fields, "Final-Recipient")))


def _complaint(mail: Message, part: Message) -> Report:
    fields = next(_blocks(part), part)
    recipient = _after_type(headers.first(fields, "Original-Rcpt-To"))
    returned = _returned(mail)
    if not recipient and returned is not None:
        recipient = next((person.address for person in headers.people(returned, "To")), "")
    kind = headers.first(fields, "Feedback-Type").strip().lower()
    is_one = kind in ("abuse", "fraud", "opt-out", "")
    return Report("complaint" if is_one else "relayed", _returned_id(mail), recipient)


def _returned(mail: Message) -> Message | None:
    """The head of the mail that came back."""
    for _, part, _ in leaves(mail):
        if part.get_content_type() == "message/rfc822":
            return next(_blocks(part), None)
    return None


def _returned_id(mail: Message) -> str:
    returned = _returned(mail)
    if returned is not None and (found := headers.ids(returned, "Message-ID")):
        return found[0]
    for _, part, _ in leaves(mail):
        if part.get_content_maintype() in ("text", "message"):
            text = data_of(part)[:_LOOKED_AT].decode("utf-8", "replace")
            if line := _ID_LINE.search(text):
                return line[1]
    return next(iter(headers.ids(mail, "In-Reply-To")), "")


def _from_text(mail: Message) -> tuple[str, str]:
    """The code and the reason in a bounce that says them only to people."""
    for _, part, _ in leaves(mail):
        if part.get_content_type() == "text/plain":
            text = data_of(part)[:_LOOKED_AT].decode("utf-8", "replace")
            for line in text.split("\n"):
                if code := _CODE.search(line):
                    return code[1], clean_line(line, 300)
    return "", ""
