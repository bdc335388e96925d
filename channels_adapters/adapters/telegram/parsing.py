"""What an update says, in the hub's words. Pure: no network, no clock.

Customers are people. Bots (we too), anonymous administrators, channels and Telegram's own service account give nothing.
"""

import re

from telegram.constants import ChatID

from channels_adapters.adapters.telegram import content
from channels_adapters.adapters.telegram.attachments import full_name, read_attachments, read_contact_phone
from channels_adapters.adapters.telegram.fields import NO_TIME, BrokenUpdate, Fields
from conversations.normalized import Blocked, Edit, FirstTouch, Inbound, InboundMessage, Reacted, Sender, ThreadMoved

# Also what we ask Telegram for: reactions come only when they are named.
KINDS = ("message", "edited_message", "callback_query", "message_reaction", "my_chat_member")
_NOT_PEOPLE = {str(int(account)) for account in (ChatID.ANONYMOUS_ADMIN, ChatID.SERVICE_CHAT, ChatID.FAKE_CHANNEL)}
_START = re.compile(r"/start(?:@\w+)?\s+([A-Za-z0-9_-]{1,64})", re.ASCII)
_EMOJI_WE_CANNOT_SHOW = {"custom_emoji": "✨", "paid": "⭐"}


def read_events(update: Fields, bot_id: str) -> list[Inbound]:
    """The events of an update; none for the kinds we do not know. Raises BrokenUpdate."""
    for kind in KINDS:
        if update.has(kind):
            if not update.one(kind):
                raise BrokenUpdate(f"{kind} is not an object")
            return _READERS[kind](update.one(kind), bot_id)
    return []


def _message(message: Fields, bot_id: str) -> list[Inbound]:
    thread_id = _thread_id(message)
    if moved := _moved(message):
        return [moved]
    sender = _sender(message, bot_id)
    attachments = read_attachments(message)
    text = _words(message)
    unshown = "" if text or attachments else content.unshown(message)
    if sender is None or not (text or attachments or unshown):
        return []
    payload = _start_payload(text)
    return [
        InboundMessage(
            external_id=_message_id(message),
            thread_id=thread_id,
            sender=sender,
            text=text,
            at=message.moment("date"),
            attachments=attachments,
            reply_to=_reply_to(message),
            is_group=_is_group(message.one("chat")),
            payload=payload,
            flags=_flags(message, unshown),
            first_touch=FirstTouch(payload=payload) if payload else None,
        )
    ]


def _edit(message: Fields, bot_id: str) -> list[Inbound]:
    thread_id = _thread_id(message)
    is_a_walking_location = message.has("location")  # a live location is edited every few seconds; its text is not
    if _sender(message, bot_id) is None or is_a_walking_location:
        return []
    at = message.moment("edit_date" if message.has("edit_date") else "date")
    return [Edit(thread_id=thread_id, target=_message_id(message), text=_words(message), at=at)]


def _button(query: Fields, bot_id: str) -> list[Inbound]:
    message, data = query.one("message"), query.text("data")
    sender = _person(query.one("from"), bot_id)
    if not query.text("id"):
        raise BrokenUpdate("the callback_query has no id")
    if sender is None or not data:  # a game's button has no data
        return []
    return [
        InboundMessage(
            external_id=f"callback:{query.text('id')}",
            thread_id=_thread_id(message) if message else sender.address,  # inline messages: we know only the person
            sender=sender,
            text=_label(message, data),
            at=NO_TIME,  # Telegram tells when the message was sent, not when its button was pressed
            reply_to=message.identifier("message_id"),
            is_group=_is_group(message.one("chat")),
            payload=data,
        )
    ]


def _reaction(reaction: Fields, bot_id: str) -> list[Inbound]:
    thread_id = _thread_id(reaction)
    sender = _person(reaction.one("user"), bot_id)
    if sender is None:  # anonymous: an actor_chat instead
        return []
    return [
        Reacted(
            thread_id=thread_id,
            target=_message_id(reaction),
            sender=sender,
            emojis=_emojis(reaction, "new_reaction"),
            at=reaction.moment("date"),
            before=_emojis(reaction, "old_reaction"),
        )
    ]


def _membership(change: Fields, bot_id: str) -> list[Inbound]:
    """Of a private chat, where it says that the person blocked the bot or let it in again."""
    thread_id = _thread_id(change)
    sender = _person(change.one("from"), bot_id)
    status = change.one("new_chat_member").text("status")
    if sender is None or _is_group(change.one("chat")) or status not in ("kicked", "member"):
        return []
    return [Blocked(thread_id=thread_id, sender=sender, is_blocked=status == "kicked", at=change.moment("date"))]


def _moved(message: Fields) -> Inbound | None:
    """A group became a supergroup: said in the old chat and again in the new one."""
    old, new = message.one("chat").identifier("id"), message.identifier("migrate_to_chat_id")
    if from_chat := message.identifier("migrate_from_chat_id"):
        old, new = from_chat, old
    return ThreadMoved(thread_id=old, new_thread_id=new, at=message.moment("date")) if new else None


def _thread_id(message: Fields) -> str:
    """The chat, or a topic of a forum. Replies of other groups have a message_thread_id too, but are no topic."""
    chat = message.one("chat").identifier("id")
    if not chat:
        raise BrokenUpdate("there is no chat")
    topic = message.identifier("message_thread_id") if message.is_true("is_topic_message") else ""
    return f"{chat}:{topic}" if topic else chat


def _message_id(message: Fields) -> str:
    if not message.identifier("message_id"):
        raise BrokenUpdate("there is no message_id")
    return message.identifier("message_id")


def _words(message: Fields) -> str:
    for key in ("text", "caption"):
        if message.has(key) and not isinstance(message.raw[key], str):
            raise BrokenUpdate(f"the {key} is not text")
    return message.text("text") or message.text("caption")


def _sender(message: Fields, bot_id: str) -> Sender | None:
    person = message.one("from")
    if message.has("sender_chat") or message.one("chat").text("type") == "channel":
        return None
    contact = message.one("contact")
    is_own_number = contact.identifier("user_id") == person.identifier("id")
    return _person(person, bot_id, phone=read_contact_phone(contact) if contact and is_own_number else "")


def _person(person: Fields, bot_id: str, phone: str = "") -> Sender | None:
    address = person.identifier("id")
    if not address or person.is_true("is_bot") or address in _NOT_PEOPLE or address == bot_id:
        return None
    return Sender(
        address=address,
        name=full_name(person),
        username=person.text("username"),
        language=person.text("language_code"),
        phone=phone,
    )


def _is_group(chat: Fields) -> bool:
    return chat.text("type") in ("group", "supergroup")


def _reply_to(message: Fields) -> str:
    replied = message.one("reply_to_message").identifier("message_id")
    is_the_topic_itself = message.is_true("is_topic_message") and replied == message.identifier("message_thread_id")
    return "" if is_the_topic_itself else replied


def _flags(message: Fields, unshown: str) -> tuple[str, ...]:
    is_forwarded = message.has("forward_origin") or message.has("forward_date")
    return (("forwarded",) if is_forwarded else ()) + ((f"unsupported:{unshown}",) if unshown else ())


def _start_payload(text: str) -> str:
    """Of a deep link: t.me/our_bot?start=PAYLOAD arrives as "/start PAYLOAD"."""
    found = _START.fullmatch(text)
    return found[1] if found else ""


def _label(message: Fields, data: str) -> str:
    for button in message.one("reply_markup").rows("inline_keyboard"):
        if button.text("callback_data") == data and button.text("text"):
            return button.text("text")
    return data


def _emojis(reaction: Fields, key: str) -> tuple[str, ...]:
    found = (kind.text("emoji") or _EMOJI_WE_CANNOT_SHOW.get(kind.text("type"), "") for kind in reaction.many(key))
    return tuple(dict.fromkeys(emoji for emoji in found if emoji))


_READERS = {
    "message": _message,
    "edited_message": _edit,
    "callback_query": _button,
    "message_reaction": _reaction,
    "my_chat_member": _membership,
}
