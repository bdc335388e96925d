"""What a delivery says, in the hub's words. Pure: no network, no clock.

A delivery is an event of the gateway, {"t", "d", "me": our user id}, or an interaction as it was posted. Customers
are people: bots (we too), webhooks and Discord's own announcements give nothing. A channel is a thread: a direct
message, a channel of a server, or a thread in one, which Discord counts as a channel.
"""

from channels_adapters.adapters.discord import interactions
from channels_adapters.adapters.discord.content import (
    emoji_of,
    moment_of,
    needed,
    read_attachments,
    read_moment,
    read_person,
    snowflake,
    words_of,
    words_of_embeds,
)
from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import (
    ConnectionLost,
    Deletion,
    Edit,
    Inbound,
    InboundMessage,
    Reacted,
    Sender,
    Writing,
)

KINDS = frozenset(
    "MESSAGE_CREATE MESSAGE_UPDATE MESSAGE_DELETE MESSAGE_DELETE_BULK MESSAGE_REACTION_ADD MESSAGE_REACTION_REMOVE "
    "TYPING_START INTERACTION_CREATE".split()
)
_WRITTEN = (0, 19)  # a message, an answer: the other types are announcements
_FORWARD = 1


def read_events(delivery: Fields) -> list[Inbound]:
    """The events of a delivery; none for the kinds we do not know. Raises Broken."""
    if delivery.text("lost"):
        return [ConnectionLost(delivery.text("lost"), NO_TIME)]
    if interactions.is_interaction(delivery):
        return interactions.read_interaction(delivery)
    event, me = delivery.one("d"), delivery.text("me")
    match delivery.text("t"):
        case "MESSAGE_CREATE":
            return _message(event, me)
        case "MESSAGE_UPDATE":
            return _edit(event, me)
        case "MESSAGE_DELETE":
            return [_deletion(event, needed(event, "id"))]
        case "MESSAGE_DELETE_BULK":
            return [_deletion(event, number) for number in _ids(event)]
        case "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" as kind:
            return _reaction(event, me, is_added=kind == "MESSAGE_REACTION_ADD")
        case "TYPING_START":
            return _typing(event, me)
        case "INTERACTION_CREATE" if interactions.is_interaction(event):
            return interactions.read_interaction(event)
        case "" if not delivery.has("type"):
            raise Broken("it is neither an event nor an interaction")
        case _:
            return []


def _message(message: Fields, me: str) -> list[Inbound]:
    channel, number = needed(message, "channel_id"), needed(message, "id")
    sender = _writer(message, me)
    if sender is None or (message.number("type") or 0) not in _WRITTEN:
        return []
    said = _forwarded(message) or message
    text, attachments = words_of(said), read_attachments(said, channel, number)
    if not (text.strip() or attachments):
        text = words_of_embeds(said)
    is_forward = said is not message
    unshown = ("unsupported:unknown",) if not (text.strip() or attachments) else ()
    return [
        InboundMessage(
            external_id=number,
            thread_id=channel,
            sender=sender,
            text=text,
            at=moment_of(number),
            attachments=attachments,
            reply_to="" if is_forward else snowflake(message.one("message_reference"), "message_id"),
            is_group=message.has("guild_id"),
            flags=(("forwarded",) if is_forward else ()) + unshown,
        )
    ]


def _edit(message: Fields, me: str) -> list[Inbound]:
    """A link that gets its preview is an update too; only what a person changed has a time of editing."""
    channel, number = needed(message, "channel_id"), needed(message, "id")
    if not message.text("edited_timestamp") or not isinstance(message.raw.get("content"), str):
        return []
    if message.has("author") and _writer(message, me) is None:
        return []
    at = read_moment(message.text("edited_timestamp"))
    return [Edit(thread_id=channel, target=number, text=words_of(message), at=at)]


def _deletion(event: Fields, number: str) -> Deletion:
    return Deletion(thread_id=needed(event, "channel_id"), target=number, at=NO_TIME)


def _reaction(event: Fields, me: str, *, is_added: bool) -> list[Inbound]:
    sender, emoji = _actor(event, me), emoji_of(event.one("emoji"))
    if sender is None or not emoji:
        return []
    return [
        Reacted(
            thread_id=needed(event, "channel_id"),
            target=needed(event, "message_id"),
            sender=sender,
            emojis=(emoji,) if is_added else (),
            at=NO_TIME,
            before=() if is_added else (emoji,),
            others_stand=True,
        )
    ]


def _typing(event: Fields, me: str) -> list[Inbound]:
    sender = _actor(event, me)
    return [Writing(needed(event, "channel_id"), sender)] if sender is not None else []


def _writer(message: Fields, me: str) -> Sender | None:
    if message.has("webhook_id") or snowflake(message.one("author"), "id") == me != "":
        return None
    return read_person(message.one("author"), message.one("member"))


def _actor(event: Fields, me: str) -> Sender | None:
    """Of events that name a person by id; in a server with their membership."""
    member, user_id = event.one("member"), needed(event, "user_id")
    if user_id == me:
        return None
    return read_person(member.one("user") or Fields({"id": user_id}), member)


def _forwarded(message: Fields) -> Fields | None:
    """What somebody passed on: a copy lies in the message."""
    if message.one("message_reference").number("type") != _FORWARD:
        return None
    return next((snapshot.one("message") for snapshot in message.many("message_snapshots")), None)


def _ids(event: Fields) -> list[str]:
    numbers = event.raw.get("ids")
    found = (Fields({"id": number}) for number in numbers) if isinstance(numbers, list) else ()
    return [number for fields in found if (number := snowflake(fields, "id"))]
