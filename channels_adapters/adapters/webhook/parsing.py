"""What a call says, in the hub's words: `docs/webhook-channel.md` is the other side's view of it. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime

from channels_adapters.adapters.webhook.attachments import read_attachments
from channels_adapters.numbers import e164
from channels_adapters.reading import NO_TIME, Broken, Fields, read_object
from conversations.normalized import (
    Deletion,
    Edit,
    Inbound,
    InboundMessage,
    OptedOut,
    PersonChanged,
    Reacted,
    ReadUpTo,
    Receipt,
    Sender,
    Writing,
)
from conversations.text import clean

KEY_LINE = b"Idempotency-Key: "  # stands before a body whose request had that header
_STATUSES = ("sent", "delivered", "read", "failed")
_METADATA_LIMIT = 4_000  # characters


def read_call(body: bytes) -> tuple[Fields, str]:
    """What was posted, and its id: its own, else the header's. Raises Broken."""
    key = b""
    if body.startswith(KEY_LINE):
        key, _, body = body.removeprefix(KEY_LINE).partition(b"\n")
    said = read_object(body)
    return said, word(said, "id") or key.decode("latin-1")


def read_events(said: Fields, call_id: str) -> list[Inbound]:
    """The events of a call; none for the kinds we do not know, and for what we sent ourselves. Raises Broken."""
    if said.one("metadata").has("crm_delivery"):
        return []
    read = _READERS.get(said.text("type"))
    return read(said, call_id) if read else []


def word(said: Fields, key: str) -> str:
    """A text; a number as well, since ids and order numbers are often sent as such."""
    return said.text(key) or said.identifier(key)


def _message(said: Fields, call_id: str) -> list[Inbound]:
    if not call_id:
        raise Broken("/id is missing")
    text, attachments, payload = word(said, "text"), read_attachments(said), word(said, "payload")
    if not (text or attachments or payload):
        raise Broken("/text is empty, and there is no attachment")
    kind = said.text("conversation_type")
    return [
        InboundMessage(
            external_id=call_id,
            thread_id=_thread_id(said),
            sender=_sender(said),
            text=text or payload * (not attachments),
            at=_moment(said),
            attachments=attachments,
            reply_to=word(said, "reply_to"),
            is_group=kind == "group",
            is_public=kind == "public",
            payload=payload,
            flags=("forwarded",) if said.is_true("forwarded") else (),
            private_thread=word(said, "private_conversation"),
            details=_details(said),
        )
    ]


def _edit(said: Fields, call_id: str) -> list[Inbound]:
    return [Edit(_named_thread(said), _target(said), word(said, "text"), _moment(said))]


def _deletion(said: Fields, call_id: str) -> list[Inbound]:
    return [Deletion(_named_thread(said), _target(said), _moment(said))]


def _reaction(said: Fields, call_id: str) -> list[Inbound]:
    emoji, is_taken_back = said.text("emoji"), said.text("action") in ("remove", "removed")
    if not emoji:
        raise Broken("/emoji is missing")
    emojis, before = ((), (emoji,)) if is_taken_back else ((emoji,), ())
    place, target = _thread_id(said), _target(said)
    return [Reacted(place, target, _sender(said), emojis, _moment(said), before=before, others_stand=True)]


def _status(said: Fields, call_id: str) -> list[Inbound]:
    status = said.text("status")
    if status not in _STATUSES:
        raise Broken("/status is none of sent, delivered, read, failed")
    error = said.one("error")
    reason, code = error.text("message") or said.text("error"), word(error, "code") or word(said, "error_code")
    return [Receipt(word(said, "conversation"), _target(said), status, _moment(said), reason, code)]


def _read(said: Fields, call_id: str) -> list[Inbound]:
    at = _moment(said)
    return [ReadUpTo(_thread_id(said), datetime.max.replace(tzinfo=UTC) if at == NO_TIME else at)]


def _typing(said: Fields, call_id: str) -> list[Inbound]:
    return [Writing(_thread_id(said), _sender(said))]


def _contact(said: Fields, call_id: str) -> list[Inbound]:
    if not word(said.one("contact"), "id"):
        raise Broken("/contact/id is missing")
    return [PersonChanged(_sender(said), _moment(said))]


def _opt_out(said: Fields, call_id: str) -> list[Inbound]:
    return [OptedOut(_sender(said), said.text("type") == "opt_out", _moment(said))]


def _named_thread(said: Fields) -> str:
    """'' is enough to find a message by: its id is unique here."""
    return word(said, "conversation") or word(said.one("contact"), "id")


def _thread_id(said: Fields) -> str:
    found = _named_thread(said)
    if not found:
        raise Broken("/contact/id is missing")
    return found


def _target(said: Fields) -> str:
    found = word(said, "target")
    if not found:
        raise Broken("/target is missing")
    return found


def _sender(said: Fields) -> Sender:
    """Phone and e-mail are what the other system says: nothing is joined by them."""
    contact = said.one("contact")
    picture = contact.text("avatar_url")
    return Sender(
        address=word(contact, "id") or _thread_id(said),
        name=word(contact, "name"),
        username=contact.text("username").removeprefix("@"),
        language=contact.text("locale"),
        phone=e164(word(contact, "phone")),
        email=contact.text("email").strip().lower(),
        picture=picture if picture.startswith("https://") else "",
    )


def _moment(said: Fields) -> datetime:
    if said.number("timestamp") is not None:
        return said.moment("timestamp")
    try:
        at = datetime.fromisoformat(said.text("timestamp").strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return NO_TIME


def _details(said: Fields) -> dict[str, object]:
    """The sender's own notes on the message."""
    notes = said.one("metadata")
    plain = {clean(key): word(notes, key) for key in notes.raw if word(notes, key)}
    return {"metadata": plain} if plain and len(str(plain)) <= _METADATA_LIMIT else {}


_READERS: dict[str, Callable[[Fields, str], list[Inbound]]] = {
    "message": _message,
    "edit": _edit,
    "delete": _deletion,
    "reaction": _reaction,
    "status": _status,
    "read": _read,
    "typing": _typing,
    "contact": _contact,
    "opt_out": _opt_out,
    "opt_in": _opt_out,
}
