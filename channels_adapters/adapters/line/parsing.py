"""What a webhook says, in the hub's words. Pure.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from channels_adapters.adapters.line.attachments import read_attachment
from channels_adapters.reading import NO_TIME, Broken, Fields, read_object
from conversations.normalized import Attachment, Blocked, ConnectionLost, Deletion, Inbound, InboundMessage, Sender
from conversations.text import clean

_NOBODY_ANSWERS = "standby"  # another program has the talk


def read_webhook(body: bytes) -> Fields:
    """Raises Broken when the body is no webhook of LINE's."""
    said = read_object(body)
    if not isinstance(said.raw.get("events"), list):
        raise Broken("the body has no events")
    return said


def delivery_id(said: Fields) -> str:
    """The same for a redelivery, which differs in its words; '' when its events have no ids."""
    ids = [event.text("webhookEventId") for event in said.many("events")]
    if not ids or not all(ids):
        return ""
    return ids[0] if len(ids) == 1 else hashlib.sha256(" ".join(ids).encode()).hexdigest()


def read_events(said: Fields, bot_user_id: str) -> list[Inbound]:
    """The events of a webhook, none when it is another bot's. One that cannot be read does not cost the others;
    raises Broken when none can."""
    if bot_user_id and said.has("destination") and said.text("destination") != bot_user_id:
        return []
    found: list[Inbound] = []
    broken: Broken | None = None
    for event in said.many("events"):
        read = _READERS.get(event.text("type"))
        try:
            found += read(event) if read else []
        except Broken as error:
            broken = error
    if broken and not found:
        raise broken
    return found


def _message(event: Fields) -> list[Inbound]:
    message = event.one("message")
    message_id = message.text("id") or message.identifier("id")
    if not message_id:
        raise Broken("a message has no id")
    attachment, text = read_attachment(message, message_id), message.text("text")
    unshown = () if text or attachment else (f"unsupported:{message.text('type')[:40] or 'unknown'}",)
    return [_said(event, message_id, text, attachment, flags=unshown, details=_details(event, message, message_id))]


def _postback(event: Fields) -> list[Inbound]:
    postback = event.one("postback")
    chosen = [clean(value) for value in postback.one("params").raw.values() if isinstance(value, str)]
    data = postback.text("data")
    if not (data or chosen) or not event.text("webhookEventId"):
        raise Broken("a postback has no data")
    details = _details(event, Fields({}), "")
    message_id = f"callback:{event.text('webhookEventId')}"
    return [_said(event, message_id, " ".join(chosen) or data, None, payload=data, details=details)]


def _said(
    event: Fields,
    message_id: str,
    text: str,
    attachment: Attachment | None,
    *,
    payload: str = "",
    flags: tuple[str, ...] = (),
    details: dict[str, object],
) -> InboundMessage:
    is_held = event.text("mode") == _NOBODY_ANSWERS
    return InboundMessage(
        external_id=message_id,
        thread_id=_thread_id(event),
        sender=_sender(event),
        text=text,
        at=_moment(event),
        attachments=(attachment,) if attachment else (),
        reply_to=event.one("message").text("quotedMessageId"),
        is_group=event.one("source").text("type") in ("group", "room"),
        payload=payload,
        flags=flags + (("auto_reply",) if is_held else ()),
        details=details,
    )


def _unsend(event: Fields) -> list[Inbound]:
    target = event.one("unsend").text("messageId")
    if not target:
        raise Broken("an unsend names no message")
    return [Deletion(_thread_id(event), target, _moment(event))]


def _follow(event: Fields) -> list[Inbound]:
    is_blocked = event.text("type") == "unfollow"
    return [Blocked(_thread_id(event), _sender(event), is_blocked, _moment(event))]


def _suspended(event: Fields) -> list[Inbound]:
    why = "LINE has suspended the account: look at it in the LINE Official Account Manager"
    return [ConnectionLost(why, _moment(event))]


def _details(event: Fields, message: Fields, message_id: str) -> dict[str, object]:
    """What an answer needs: the token that answers for free within a minute, and those that quote and mark as read."""
    told = {
        "message": message_id,
        "reply_token": event.text("replyToken"),
        "said_at": event.identifier("timestamp"),
        "quote_token": message.text("quoteToken"),
        "read_token": message.text("markAsReadToken"),
    }
    return {key: value for key, value in told.items() if value}


def _thread_id(event: Fields) -> str:
    source = event.one("source")
    found = source.text("groupId") or source.text("roomId") or source.text("userId")
    if not found:
        raise Broken("an event names no source")
    return found


def _sender(event: Fields) -> Sender:
    """In groups old programs do not tell who writes: then it is the group."""
    return Sender(address=event.one("source").text("userId") or _thread_id(event))


def _moment(event: Fields) -> datetime:
    try:
        return datetime.fromtimestamp((event.number("timestamp") or 0) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_TIME


_READERS: dict[str, Callable[[Fields], list[Inbound]]] = {
    "message": _message,
    "postback": _postback,
    "unsend": _unsend,
    "follow": _follow,
    "unfollow": _follow,
    "botSuspended": _suspended,
}
