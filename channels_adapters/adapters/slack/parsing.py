"""What a delivery says, in the hub's words. Pure: no network, no clock.

Customers are people. Bots (we too) and Slack's own announcements give nothing. A direct message's thread is its
channel; elsewhere each thread of a channel is one of ours: `<channel>:<ts of its first message>`.
"""

from dataclasses import dataclass

from channels_adapters.adapters.slack.deliveries import moment
from channels_adapters.adapters.slack.markup import plain, words_of
from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import Attachment, Deletion, Edit, Inbound, InboundMessage, Reacted, Sender

_WRITTEN = ("", "file_share", "thread_broadcast", "me_message")  # the subtypes that a person wrote
_KINDS_OF_FILE = ("image", "video", "audio")
_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are there. What is not known is ''."""

    team_id: str = ""
    api_app_id: str = ""
    bot_user_id: str = ""
    bot_id: str = ""


def read_events(delivery: Fields, ours: Account) -> list[Inbound]:
    """The events of a delivery; none for the kinds we do not know. Raises Broken."""
    if delivery.text("command"):
        return _command(delivery, ours)
    if delivery.text("type") == "block_actions":
        return _buttons(delivery, ours)
    if delivery.text("type") != "event_callback" or not _is_for(delivery, ours):
        return []
    event = delivery.one("event")
    match event.text("type"):
        case "message" | "app_mention":
            return _of_message(event, ours)
        case "reaction_added" | "reaction_removed":
            return _reaction(event, ours)
        case _:
            return []


def _is_for(delivery: Fields, ours: Account) -> bool:
    """Slack Connect names the other workspace as the team, and us in the authorizations."""
    app, teams = delivery.text("api_app_id"), {delivery.text("team_id"), delivery.text("context_team_id")}
    teams |= {named.text("team_id") for named in delivery.many("authorizations")} - {""}
    is_shared = delivery.is_true("is_ext_shared_channel")
    is_our_team = not ours.team_id or ours.team_id in teams or is_shared or teams == {""}
    return is_our_team and (not ours.api_app_id or app in ("", ours.api_app_id))


def _of_message(event: Fields, ours: Account) -> list[Inbound]:
    match event.text("subtype"):
        case "message_changed":
            return _edit(event, ours)
        case "message_deleted":
            return _deletion(event, ours)
        case subtype if subtype in _WRITTEN and not event.is_true("hidden"):
            return _message(event, ours)
        case _:
            return []


def _message(event: Fields, ours: Account) -> list[Inbound]:
    thread_id = _thread_id(event, event)
    sender = _writer(event, ours)
    text, attachments = words_of(event), _attachments(event)
    unshown = "" if text.strip() or attachments else _unshown(event)
    if sender is None or not (text.strip() or attachments or unshown):
        return []
    root = event.text("thread_ts")
    return [
        InboundMessage(
            external_id=_ts(event),
            thread_id=thread_id,
            sender=sender,
            text=text,
            at=moment(event.text("ts")),
            attachments=attachments,
            reply_to=root if root != event.text("ts") else "",
            is_group=not _is_direct(event),
            flags=_flags(event, unshown),
        )
    ]


def _edit(event: Fields, ours: Account) -> list[Inbound]:
    """A link that got its preview is a change too, and so is the first answer to a message: these are no edits."""
    message, before = event.one("message"), event.one("previous_message")
    if _writer(message, ours) is None:
        return []
    thread_id = _thread_id(event, message)
    if message.text("subtype") == "tombstone":  # what is left of a deleted message that has answers
        return [Deletion(thread_id=thread_id, target=_ts(message), at=moment(event.text("ts")))]
    edited_at = message.one("edited").text("ts")
    was_edited_before = edited_at == before.one("edited").text("ts") and message.text("text") == before.text("text")
    if not message.one("edited") or (edited_at and was_edited_before):
        return []
    at = moment(edited_at or event.text("ts"))
    return [Edit(thread_id=thread_id, target=_ts(message), text=words_of(message), at=at)]


def _deletion(event: Fields, ours: Account) -> list[Inbound]:
    before, target = event.one("previous_message"), event.text("deleted_ts")
    if _is_a_bot(before, ours):
        return []
    message = Fields({**before.raw, "ts": target or before.text("ts")})
    return [Deletion(thread_id=_thread_id(event, message), target=_ts(message), at=moment(event.text("ts")))]


def _reaction(event: Fields, ours: Account) -> list[Inbound]:
    """Slack names the message's channel, not its thread."""
    item, name = event.one("item"), event.text("reaction")
    if item.text("type") not in ("", "message") or _is_a_bot(event, ours) or not (event.text("user") and name):
        return []
    is_added = event.text("type") == "reaction_added"
    thread_id = _thread_id(item, item)
    return [
        Reacted(
            thread_id=thread_id,
            target=_ts(item),
            sender=Sender(address=event.text("user")),
            emojis=(name,) if is_added else (),
            at=moment(event.text("event_ts")),
            before=() if is_added else (name,),
            others_stand=True,
            within=f"{item.text('channel')}:" if ":" in thread_id else "",
        )
    ]


def _buttons(interaction: Fields, ours: Account) -> list[Inbound]:
    person, container, message = interaction.one("user"), interaction.one("container"), interaction.one("message")
    channel = interaction.one("channel").text("id") or container.text("channel_id")
    sender = _person(person.text("id"), person.text("name") or person.text("username"), "", ours)
    if sender is None:
        return []
    ts = message.text("ts") or container.text("message_ts")
    root = message.text("thread_ts") or container.text("thread_ts") or ts
    place = Fields({"channel": channel, "ts": ts, "thread_ts": root})
    key = interaction.text("trigger_id")
    return [
        InboundMessage(
            external_id=f"callback:{key or action.text('action_ts')}{f':{number}' if number else ''}",
            thread_id=_thread_id(place, place) if channel and ts else channel or sender.address,
            sender=sender,
            text=_label(action),
            at=moment(action.text("action_ts")),
            reply_to=ts,
            is_group=bool(channel) and not _is_direct(place),
            payload=_value(action),
        )
        for number, action in enumerate(interaction.many("actions"))
        if key or action.text("action_ts")
    ]


def _command(command: Fields, ours: Account) -> list[Inbound]:
    """A slash command leaves no message to answer under: outside a direct message the answer goes to the person."""
    sender = _person(command.text("user_id"), command.text("user_name"), command.text("user_name"), ours)
    if sender is None or (ours.team_id and command.text("team_id") not in ("", ours.team_id)):
        return []
    channel = command.text("channel_id")
    return [
        InboundMessage(
            external_id=f"command:{command.text('trigger_id') or command.text('response_url')}"[:255],
            thread_id=channel if channel.startswith("D") else sender.address,
            sender=sender,
            text=plain(command.text("text")) or command.text("command"),
            at=NO_TIME,
            payload=command.text("command"),
        )
    ]


def _thread_id(place: Fields, message: Fields) -> str:
    channel = place.text("channel")
    if not channel:
        raise Broken("there is no channel")
    return channel if _is_direct(place) else f"{channel}:{message.text('thread_ts') or _ts(message)}"


def _is_direct(place: Fields) -> bool:
    kind = place.text("channel_type")
    return kind == "im" or (kind not in ("mpim", "channel", "group") and place.text("channel").startswith("D"))


def _ts(message: Fields) -> str:
    if not message.text("ts"):
        raise Broken("there is no ts")
    return message.text("ts")


def _writer(message: Fields, ours: Account) -> Sender | None:
    if _is_a_bot(message, ours):
        return None
    profile = message.one("user_profile")
    name = profile.text("display_name") or profile.text("real_name") or profile.text("name")
    return _person(message.text("user"), name, profile.text("name"), ours)


def _is_a_bot(message: Fields, ours: Account) -> bool:
    is_ours = message.text("user") in (ours.bot_user_id, _SLACKBOT) and message.has("user")
    return is_ours or message.has("bot_id") or message.has("bot_profile") or message.text("subtype") == "bot_message"


def _person(user_id: str, name: str, username: str, ours: Account) -> Sender | None:
    if not user_id or user_id in (ours.bot_user_id, _SLACKBOT):
        return None
    return Sender(address=user_id, name=" ".join(name.split()), username=username)


def _attachments(event: Fields) -> tuple[Attachment, ...]:
    files = (file for file in event.many("files") if file.text("id") and not _gone(file))
    return tuple(
        Attachment(
            kind=kind if (kind := file.text("mimetype").partition("/")[0]) in _KINDS_OF_FILE else "file",
            external_id=file.text("id"),
            name=file.text("name") or file.text("title"),
            mime=file.text("mimetype"),
            size=file.size("size"),
        )
        for file in files
    )


def _gone(file: Fields) -> bool:
    return file.text("mode") in ("tombstone", "hidden_by_limit")


def _unshown(event: Fields) -> str:
    """What a message without words or files brought; '' for nothing."""
    if any(_gone(file) for file in event.many("files")):
        return "file"
    return next((key for key in ("blocks", "attachments", "files") if any(event.many(key))), "")


def _flags(event: Fields, unshown: str) -> tuple[str, ...]:
    is_forwarded = any(shared.is_true("is_share") for shared in event.many("attachments"))
    return (("forwarded",) if is_forwarded else ()) + ((f"unsupported:{unshown}",) if unshown else ())


def _label(action: Fields) -> str:
    chosen = action.one("selected_option").one("text").text("text")
    return chosen or action.one("text").text("text") or _value(action)


def _value(action: Fields) -> str:
    chosen = action.one("selected_option").text("value")
    other = action.text("selected_user") or action.text("selected_channel") or action.text("selected_date")
    return action.text("value") or chosen or other or action.text("action_id")
