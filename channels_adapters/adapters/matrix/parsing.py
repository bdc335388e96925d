"""What a delivery says, in the hub's words. Pure: no network, no clock.

A delivery is one event of a room with what `listening` knew about the room at that moment:
{"me", "room", "others": joined people beside us, "profile": of the sender, "event"} and, where the event alone says
too little, "author" (of the message that is edited) and "was" (the reaction that is taken back). Instead of "event"
there may be "typing", "read", "invited_by" or "lost".

A room is a thread, and so are all threads in it; `details.thread` brings the answer into the right one.
"""

from django.utils.translation import gettext as _

from channels_adapters.adapters.matrix.content import moment, place_of_file, read_attachments, read_poll, words_of
from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import (
    Blocked,
    ConnectionLost,
    Deletion,
    Edit,
    Inbound,
    InboundMessage,
    Reacted,
    ReadUpTo,
    Receipt,
    Sender,
    ThreadMoved,
    Writing,
)
from conversations.text import clean

_POLLS = ("m.poll.start", "org.matrix.msc3381.poll.start")
_KEYS = "m.key.verification.request"  # programs among themselves


def read_events(delivery: Fields) -> list[Inbound]:
    """The events of a delivery; none for the kinds we do not know. Raises Broken."""
    if delivery.text("lost"):
        return [ConnectionLost(delivery.text("lost"), moment(delivery.size("at")))]
    if not (delivery.text("me") and delivery.text("room")):
        raise Broken("there is no room")
    if delivery.text("invited_by"):
        inviter = _sender(delivery, delivery.text("invited_by"))
        return [Blocked(delivery.text("room"), inviter, is_blocked=False, at=NO_TIME)]
    if delivery.has("event"):
        return _of_event(delivery, delivery.one("event"))
    return [*_typing(delivery), *_read(delivery)]


def _of_event(delivery: Fields, event: Fields) -> list[Inbound]:
    kind, is_ours = event.text("type"), event.text("sender") == delivery.text("me")
    if not (kind and event.text("event_id") and event.text("sender")):
        raise Broken("the event has no type, id or sender")
    if kind == "m.room.member":
        return _membership(delivery, event)
    if kind == "m.room.tombstone":
        return _moved(delivery, event)
    if is_ours or event.has("state_key"):
        return []
    match kind:
        case "m.room.message" | "m.sticker" | "m.room.encrypted" if _relation(event).text("rel_type") == "m.replace":
            return _edit(delivery, event)
        case "m.room.message" | "m.sticker" | "m.room.encrypted":
            return _message(delivery, event)
        case "m.reaction":
            return _reaction(delivery, event)
        case "m.room.redaction":
            return _redaction(delivery, event)
        case _ if kind in _POLLS:
            return _message(delivery, event)
        case _:
            return []


def _message(delivery: Fields, event: Fields) -> list[Inbound]:
    content, sender = event.one("content"), _sender(delivery, event.text("sender"))
    is_secret = event.text("type") == "m.room.encrypted"
    attachments = read_attachments(event.text("type"), content)
    text = _cannot_be_read() if is_secret else _words(event, content, sender)
    if content.text("msgtype") == _KEYS:
        return []
    unshown = "" if text.strip() or attachments else _unshown(event, content)
    if not (text.strip() or attachments or unshown):
        return []
    relation = _relation(event)
    root = relation.text("event_id") if relation.text("rel_type") == "m.thread" else ""
    return [
        InboundMessage(
            external_id=event.text("event_id"),
            thread_id=delivery.text("room"),
            sender=sender,
            text=text,
            at=moment(event.size("origin_server_ts")),
            attachments=attachments,
            reply_to=_reply_to(relation, root),
            is_group=_is_group(delivery),
            flags=_flags(content, "encrypted" if is_secret else unshown),
            details={"thread": root} if root else {},
        )
    ]


def _words(event: Fields, content: Fields, sender: Sender) -> str:
    if event.text("type") == "m.sticker":
        return ""
    return read_poll(event.text("type"), content) or words_of(content, sender.name or sender.address)


def _cannot_be_read() -> str:
    return _("This message is encrypted, and this inbox cannot read it. Ask for it in a room without encryption.")


def _unshown(event: Fields, content: Fields) -> str:
    """What a message without words or files brought; '' for nothing, and for one that was taken back meanwhile."""
    if not content or event.one("unsigned").has("redacted_because"):
        return ""
    return "file" if content.has("file") else "unknown"


def _edit(delivery: Fields, event: Fields) -> list[Inbound]:
    """Only the writer may edit; servers let anybody try."""
    target, sender = _relation(event).text("event_id"), _sender(delivery, event.text("sender"))
    new = event.one("content").one("m.new_content")
    if not target or delivery.text("author") not in ("", sender.address):
        return []
    text = words_of(new, sender.name or sender.address) if new else ""
    if not text:
        return []
    at = moment(event.size("origin_server_ts"))
    return [Edit(thread_id=delivery.text("room"), target=target, text=text, at=at)]


def _reaction(delivery: Fields, event: Fields) -> list[Inbound]:
    relation = _relation(event)
    target, key = relation.text("event_id"), relation.text("key")
    if relation.text("rel_type") != "m.annotation" or not (target and key):
        return []
    return [_reacted(delivery, event, target, added=(key,), removed=())]


def _redaction(delivery: Fields, event: Fields) -> list[Inbound]:
    target, was = event.one("content").text("redacts") or event.text("redacts"), delivery.one("was")
    if was.text("target"):
        return [_reacted(delivery, event, was.text("target"), added=(), removed=(was.text("key"),))]
    if not target:
        raise Broken("the redaction names no event")
    return [Deletion(thread_id=delivery.text("room"), target=target, at=moment(event.size("origin_server_ts")))]


def _reacted(
    delivery: Fields, event: Fields, target: str, *, added: tuple[str, ...], removed: tuple[str, ...]
) -> Reacted:
    return Reacted(
        thread_id=delivery.text("room"),
        target=target,
        sender=_sender(delivery, event.text("sender")),
        emojis=added,
        at=moment(event.size("origin_server_ts")),
        before=removed,
        others_stand=True,
    )


def _membership(delivery: Fields, event: Fields) -> list[Inbound]:
    """Of a room for two: they left it, or put us out, and nothing we say reaches them there; or they came back."""
    me, who, state = delivery.text("me"), event.text("state_key"), event.one("content").text("membership")
    others = delivery.size("others") or 0
    was_here = event.one("unsigned").one("prev_content").text("membership") in ("", "join")
    at, room = moment(event.size("origin_server_ts")), delivery.text("room")
    if who == me and event.text("sender") != me and state in ("leave", "ban") and was_here and others <= 1:
        return [Blocked(room, _sender(delivery, event.text("sender")), is_blocked=True, at=at)]
    if who in ("", me):
        return []
    if state in ("leave", "ban") and was_here and others == 0:
        return [Blocked(room, _sender(delivery, who), is_blocked=True, at=at)]
    if state == "join" and others == 1:
        return [Blocked(room, _sender(delivery, who), is_blocked=False, at=at)]
    return []


def _moved(delivery: Fields, event: Fields) -> list[Inbound]:
    """The room was upgraded: it goes on under another id."""
    new = event.one("content").text("replacement_room")
    if not new.startswith("!"):
        return []
    return [ThreadMoved(delivery.text("room"), new, at=moment(event.size("origin_server_ts")))]


def _typing(delivery: Fields) -> list[Inbound]:
    room, typing = delivery.text("room"), delivery.raw.get("typing")
    people = [user for user in typing if isinstance(user, str)] if isinstance(typing, list) else []
    ours = delivery.text("me")
    return [Writing(room, _sender(delivery, clean(user))) for user in people if user.startswith("@") and user != ours]


def _read(delivery: Fields) -> list[Inbound]:
    """In a room for two, who reads a message has read all before it. In a group nobody can say who matters."""
    found: list[Inbound] = []
    for mark in () if _is_group(delivery) else delivery.many("read"):
        room, target, at = delivery.text("room"), mark.text("event"), moment(mark.size("ts"))
        if target and mark.text("user") != delivery.text("me"):
            found += [Receipt(room, target, "read", at), ReadUpTo(room, at)]
    return found


def _relation(event: Fields) -> Fields:
    return event.one("content").one("m.relates_to")


def _reply_to(relation: Fields, root: str) -> str:
    """In a thread, programs name its newest message as answered, for those that know no threads."""
    is_real = not (root and relation.is_true("is_falling_back"))
    return (relation.one("m.in_reply_to").text("event_id") if is_real else "") or root


def _is_group(delivery: Fields) -> bool:
    return (delivery.size("others") or 0) > 1


def _sender(delivery: Fields, user: str) -> Sender:
    profile = delivery.one("profile")
    name, picture = " ".join(profile.text("displayname").split()), profile.text("avatar_url")
    return Sender(
        address=user,
        name=name or user.removeprefix("@").partition(":")[0],
        username=user.removeprefix("@"),
        picture=picture if place_of_file(picture) else "",
    )


def _flags(content: Fields, unshown: str) -> tuple[str, ...]:
    is_a_machine = content.text("msgtype") == "m.notice"
    return (("auto_reply",) if is_a_machine else ()) + ((f"unsupported:{unshown}",) if unshown else ())
