"""The words and files of a Discord message."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import Attachment, Sender

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_KINDS = ("image", "video", "audio")
_VOICE = 1 << 13  # a flag of a message
_STICKERS = {1: ("png", "image/png"), 2: ("png", "image/apng"), 4: ("gif", "image/gif")}  # 3 is an animation in JSON
_MENTION = re.compile(r"<@!?([0-9]{1,20})>", re.ASCII)
_EMOJI = re.compile(r"<a?(:[A-Za-z0-9_]{1,40}:)[0-9]{1,20}>", re.ASCII)
_SNOWFLAKE = re.compile(r"[0-9]{1,20}", re.ASCII)


def snowflake(fields: Fields, key: str) -> str:
    """An id of Discord's; '' when there is none."""
    return fields.text(key) if _SNOWFLAKE.fullmatch(fields.text(key)) else ""


def needed(fields: Fields, key: str) -> str:
    if not snowflake(fields, key):
        raise Broken(f"there is no {key}")
    return snowflake(fields, key)


def moment_of(identifier: str) -> datetime:
    """When an id was made: it begins with the time."""
    try:
        return _EPOCH + timedelta(milliseconds=int(identifier) >> 22)
    except (ValueError, OverflowError):
        return NO_TIME


def snowflake_of(at: datetime) -> str:
    """The smallest id that is made at that time."""
    return str(max(0, int((at - _EPOCH) / timedelta(milliseconds=1))) << 22)


def read_moment(text: str) -> datetime:
    """A time as Discord writes it: ISO 8601."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return NO_TIME
    return at.astimezone(UTC) if at.tzinfo is not None and at.year > 1970 and at.year < 9000 else NO_TIME


def words_of(message: Fields) -> str:
    """The text as plain text: mentions by name, the server's own emoji as :name:."""
    names = {snowflake(user, "id"): name_of(user, user.one("member")) for user in message.many("mentions")}
    text = _MENTION.sub(lambda found: f"@{names.get(found[1]) or found[1]}", message.text("content"))
    return _EMOJI.sub(r"\1", text) or _poll(message.one("poll"))


def words_of_embeds(message: Fields) -> str:
    """What cards say, for a message that is nothing else."""
    found = [embed.text(key) for embed in message.many("embeds") for key in ("title", "description", "url")]
    return "\n".join(text for text in found if text)


def read_attachments(message: Fields, channel_id: str, message_id: str) -> tuple[Attachment, ...]:
    """`channel_id` and `message_id`: where they are found again, when the addresses here have run out."""
    is_voice = bool((message.size("flags") or 0) & _VOICE)
    files = (_file(file, f"attachment/{channel_id}/{message_id}", is_voice) for file in message.many("attachments"))
    return (*(file for file in files if file), *_stickers(message))


def read_file(file: Fields, external_id: str) -> Attachment:
    mime = file.text("content_type").partition(";")[0].strip()
    kind = mime.partition("/")[0]
    return Attachment(
        kind=kind if kind in _KINDS else "file",
        external_id=external_id,
        name=file.text("filename"),
        mime=mime,
        size=file.size("size"),
        details=_seconds(file),
    )


def read_person(user: Fields, member: Fields) -> Sender | None:
    """The person, or None for a bot, a webhook or Discord itself."""
    address = snowflake(user, "id")
    if not address or user.is_true("bot") or user.is_true("system"):
        return None
    picture = user.text("avatar") if re.fullmatch(r"[A-Za-z0-9_]{1,80}", user.text("avatar")) else ""
    return Sender(
        address=address,
        name=name_of(user, member),
        username=user.text("username"),
        picture=f"avatar/{address}/{picture}" if picture else "",
    )


def name_of(user: Fields, member: Fields) -> str:
    name = member.text("nick") or user.text("global_name") or user.text("username")
    return " ".join(name.split())


def emoji_of(emoji: Fields) -> str:
    name = emoji.text("name")
    return f":{name}:" if name and emoji.has("id") else name


def _file(file: Fields, place: str, is_voice: bool) -> Attachment | None:
    if not snowflake(file, "id"):
        return None
    found = read_file(file, f"{place}/{snowflake(file, 'id')}")
    found.details.update({"voice": True} if is_voice and found.kind == "audio" else {})
    return found


def _seconds(file: Fields) -> dict[str, int]:
    told = file.degrees("duration_secs", 10**9)
    return {"seconds": math.ceil(told)} if told is not None and told >= 0 else {}


def _stickers(message: Fields) -> Iterator[Attachment]:
    for sticker in message.many("sticker_items"):
        ending, mime = _STICKERS.get(sticker.number("format_type") or 0, ("", ""))
        if number := snowflake(sticker, "id"):
            place = f"sticker/{number}.{ending}" if ending else ""
            yield Attachment(kind="sticker", external_id=place, name=sticker.text("name"), mime=mime)


def _poll(poll: Fields) -> str:
    question = poll.one("question").text("text")
    answers = [answer.one("poll_media") for answer in poll.many("answers")]
    lines = [f"{emoji_of(answer.one('emoji'))} {answer.text('text')}".strip() for answer in answers]
    return "\n".join([question, *(f"{number}. {line}" for number, line in enumerate(lines, 1))]) if question else ""
