"""One part of a message on its way out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message, ReplyParameters
from telegram.error import BadRequest, ChatMigrated

from channels_adapters.contract import OutboundFile, OutboundPart, Refused
from conversations.text import clean, clean_line

BUTTON_BYTES = 64
_PHOTO_LIMIT = 10 * 1024 * 1024  # bytes
_PHOTOS = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes: a chat, and a topic of it when it is a forum."""

    chat_id: int
    topic_id: int | None = None

    @classmethod
    def of(cls, thread_id: str) -> "Place":
        chat, _, topic = thread_id.partition(":")
        try:
            return cls(int(chat), int(topic) if topic else None)
        except ValueError as error:
            raise Refused("this is no Telegram conversation") from error


async def send(bot: Bot, part: OutboundPart) -> str:
    """The id of the message that Telegram made of the part. Raises PTB's errors."""
    place, reply_to = Place.of(part.thread_id), _reply_to(part)
    try:
        return await _send(bot, part, place, reply_to)
    except ChatMigrated as error:  # the group got a new id and its messages too; the hub hears of it by an update
        return await _send(bot, part, Place(error.new_chat_id), None)
    except BadRequest as error:  # "message to be replied not found", "replied message not found"
        if reply_to is None or "replied" not in error.message.lower():
            raise
        return await _send(bot, part, place, None)


async def _send(bot: Bot, part: OutboundPart, place: Place, reply_to: ReplyParameters | None) -> str:
    message = await _send_as(bot, part, place, reply_to)
    if not isinstance(message.message_id, int):
        raise TypeError("the message has no id")
    return str(message.message_id)


async def _send_as(bot: Bot, part: OutboundPart, place: Place, reply_to: ReplyParameters | None) -> Message:
    text = clean(part.text)
    if part.file is None:
        return await bot.send_message(
            place.chat_id,
            text,
            message_thread_id=place.topic_id,
            reply_parameters=reply_to,
            reply_markup=keyboard([asdict(button) for button in part.buttons]),
        )
    if _is_photo(part.file):
        try:
            return await bot.send_photo(
                place.chat_id,
                part.file.data,
                caption=text or None,
                filename=_name(part.file),
                message_thread_id=place.topic_id,
                reply_parameters=reply_to,
            )
        except BadRequest as error:  # "Photo_invalid_dimensions", "Image_process_failed": it still goes as a file
            if not error.message.lower().startswith(("photo", "image")):
                raise
    return await bot.send_document(
        place.chat_id,
        part.file.data,
        caption=text or None,
        filename=_name(part.file),
        message_thread_id=place.topic_id,
        reply_parameters=reply_to,
    )


def keyboard(buttons: Sequence[Mapping[str, str]]) -> InlineKeyboardMarkup | None:
    """Buttons under a message, one a line; None when there are none. Raises Refused for a payload that is too long."""
    rows = []
    for button in buttons:
        payload = button["payload"] or button["label"]
        if not button["url"] and len(payload.encode()) > BUTTON_BYTES:
            raise Refused(f"what a button sends back has at most {BUTTON_BYTES} bytes")
        opens, says = button["url"] or None, None if button["url"] else payload
        rows.append([InlineKeyboardButton(button["label"], url=opens, callback_data=says)])
    return InlineKeyboardMarkup(rows) if rows else None


def _reply_to(part: OutboundPart) -> ReplyParameters | None:
    if not (part.reply_to.isascii() and part.reply_to.isdigit()):  # a pressed button is no message
        return None
    return ReplyParameters(int(part.reply_to), allow_sending_without_reply=True)


def _is_photo(file: OutboundFile) -> bool:
    return file.mime in _PHOTOS and len(file.data) <= _PHOTO_LIMIT


def _name(file: OutboundFile) -> str:
    return clean_line(file.name, 200) or "file"
