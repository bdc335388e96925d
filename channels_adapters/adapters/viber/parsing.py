"""What a callback says, in the hub's words. Pure. https://developers.viber.com/docs/api/rest-bot-api/#callbacks"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from channels_adapters.adapters.viber.attachments import read_attachment
from channels_adapters.reading import NO_TIME, Broken, Fields, read_object
from conversations.normalized import Blocked, FirstTouch, Inbound, InboundMessage, Receipt, Sender

BUTTONS = "buttons"  # in tracking_data: the labels of the buttons we sent, by what pressing them says
_STATUSES = {"delivered": "delivered", "seen": "read", "failed": "failed"}


def read_callback(body: bytes) -> Fields:
    """Raises Broken when the body is no callback of Viber's."""
    said = read_object(body)
    if not said.text("event"):
        raise Broken("the body has no event")
    return said


def delivery_id(said: Fields) -> str:
    """A receipt has the token of our message: each person's, and each kind, is one of its own. '' without a token."""
    token = token_of(said)
    person = said.text("user_id")
    return ":".join(word for word in (said.text("event")[:40], token, person) if word) if token else ""


def token_of(said: Fields) -> str:
    """Larger than what floats hold, so it is text from here on."""
    return said.identifier("message_token") or said.text("message_token")


def read_events(said: Fields) -> list[Inbound]:
    """The events of a callback; none for the kinds we do not know. Raises Broken."""
    read = _READERS.get(said.text("event"))
    return read(said) if read else []


def _message(said: Fields) -> list[Inbound]:
    token, sender, message = token_of(said), _person(said), said.one("message")
    if not token:
        raise Broken("a message has no token")
    pressed, label = _pressed(message)
    attachment = read_attachment(message)
    text = label or message.text("text")
    if message.text("type") == "url":
        text = "\n".join(dict.fromkeys(word for word in (text, message.text("media")) if word))
    unshown = () if text or attachment else (f"unsupported:{message.text('type')[:40] or 'unknown'}",)
    return [
        InboundMessage(
            external_id=token,
            thread_id=sender.address,
            sender=sender,
            text=text,
            at=_moment(said),
            attachments=(attachment,) if attachment else (),
            payload=pressed,
            flags=unshown,
        )
    ]


def _pressed(message: Fields) -> tuple[str, str]:
    """Of a button: what it says to us, and what stood on it. Viber sends the first as if it had been typed."""
    try:
        buttons = read_object(message.text("tracking_data").encode()).one(BUTTONS)
    except Broken:
        return "", ""
    text = message.text("text")
    label = buttons.text(text) if text else ""
    return (text, label) if label else ("", "")


def _opened(said: Fields) -> list[Inbound]:
    """They came by a link that says why; who only opens the bot has said nothing yet."""
    context, token = said.text("context"), token_of(said)
    if not (context and token):
        return []
    sender, touch = _person(said), FirstTouch(payload=context)
    opened = InboundMessage(token, sender.address, sender, context, _moment(said), payload=context, first_touch=touch)
    return [opened]


def _subscription(said: Fields) -> list[Inbound]:
    sender, is_blocked = _person(said), said.text("event") == "unsubscribed"
    return [Blocked(sender.address, sender, is_blocked, _moment(said))]


def _receipt(said: Fields) -> list[Inbound]:
    token = token_of(said)
    if not token:
        raise Broken("a receipt has no token")
    status = _STATUSES[said.text("event")]
    return [Receipt(said.text("user_id"), token, status, _moment(said), reason=said.text("desc"))]


def _person(said: Fields) -> Sender:
    person = said.one("sender") or said.one("user")
    address = person.text("id") or said.text("user_id")
    if not address:
        raise Broken("nobody is named")
    picture = person.text("avatar")
    return Sender(
        address=address,
        name=person.text("name"),
        language=person.text("language"),
        picture=picture if picture.startswith("https://") else "",
    )


def _moment(said: Fields) -> datetime:
    try:
        return datetime.fromtimestamp((said.number("timestamp") or 0) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_TIME


def tracking(labels: dict[str, str]) -> str:
    """What Viber gives back with their next message; '' when it would be too long for it."""
    told = json.dumps({BUTTONS: labels}, ensure_ascii=False)
    return told if len(told) <= 4_000 else ""


_READERS: dict[str, Callable[[Fields], list[Inbound]]] = {
    "message": _message,
    "conversation_started": _opened,
    "subscribed": _subscription,
    "unsubscribed": _subscription,
    **dict.fromkeys(_STATUSES, _receipt),
}
