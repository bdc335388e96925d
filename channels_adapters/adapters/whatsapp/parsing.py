"""What a delivery says, in the hub's words. Pure: no network, no clock.

One delivery may hold messages of several people, statuses of what we sent, and news of the account. What is for another
number, what we wrote ourselves on the phone, and what a later API brings gives nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from channels_adapters.adapters.whatsapp import account_news, statuses
from channels_adapters.adapters.whatsapp.content import read_content
from channels_adapters.adapters.whatsapp.people import person, sender_of, thread_of
from channels_adapters.meta.readers import each, moment, name_of, needed, once, scalars
from channels_adapters.reading import Broken, Fields
from conversations.normalized import (
    Deletion,
    Edit,
    FirstTouch,
    IdentityMoved,
    Inbound,
    InboundMessage,
    Reacted,
    Sender,
    ThreadMoved,
)

_NUMBER_CHANGED = ("user_changed_number", "customer_changed_number", "user_changed_user_id")
_SILENT = ("request_welcome", "ephemeral")  # somebody opened the chat, or chose how long messages stay


@dataclass(frozen=True, slots=True)
class Account:
    """Which number we are. What is not known is ''."""

    waba_id: str = ""
    phone_number_id: str = ""
    number: str = ""  # digits


def read_events(delivery: Fields, ours: Account) -> list[Inbound]:
    """The events of a delivery. Raises Broken when nothing in it can be read."""
    return once(each(delivery.many("entry"), partial(_entry, ours=ours)))


def _entry(entry: Fields, ours: Account) -> list[Inbound]:
    return each(entry.many("changes"), partial(_change, entry=entry, ours=ours))


def _change(change: Fields, entry: Fields, ours: Account) -> list[Inbound]:
    value = change.one("value")
    number = name_of(value.one("metadata"), "phone_number_id")
    if ours.phone_number_id and number and number != ours.phone_number_id:
        return []
    if not number and ours.waba_id and name_of(entry, "id") not in ("", ours.waba_id):
        return []
    match change.text("field"):
        case "messages":
            messages = each(value.many("messages"), partial(_message, value=value, ours=ours))
            return messages + each(value.many("statuses"), statuses.read)
        case "user_preferences":
            return each(value.many("user_preferences"), partial(account_news.preference, contacts=value))
        case "user_id_update":
            return each(value.many("user_id_update"), account_news.user_id)
        case "account_update":
            return account_news.account(value, moment(entry, "time"))
        case _:
            return []


def _message(message: Fields, value: Fields, ours: Account) -> list[Inbound]:
    kind = message.text("type")
    if kind == "system":
        return _moved(message)
    sender = sender_of(message, value.many("contacts"))
    if kind in _SILENT or (ours.number and sender.address == ours.number):
        return []
    thread_id = name_of(message, "group_id") or thread_of(sender)
    return _READERS.get(kind, _written)(message, sender, thread_id)


def _written(message: Fields, sender: Sender, thread_id: str) -> list[Inbound]:
    content, context, referral = read_content(message), message.one("context"), message.one("referral")
    is_forwarded = context.is_true("forwarded") or context.is_true("frequently_forwarded")
    about = {"product": scalars(product)} if (product := context.one("referred_product")) else {}
    advert = {"referral": _advert(referral)} if referral else {}
    return [
        InboundMessage(
            external_id=needed(message, "id"),
            thread_id=thread_id,
            sender=sender,
            text=content.text,
            at=moment(message, "timestamp"),
            attachments=content.attachments,
            reply_to=name_of(context, "id"),
            is_group=message.has("group_id"),
            payload=content.payload,
            flags=(("forwarded",) if is_forwarded else ()) + content.flags,
            first_touch=_first_touch(referral) if referral else None,
            details=content.details | about | advert,
        )
    ]


def _reaction(message: Fields, sender: Sender, thread_id: str) -> list[Inbound]:
    """A person has one reaction to a message at most; none in it takes it back."""
    reaction = message.one("reaction")
    emoji = reaction.text("emoji")
    return [
        Reacted(
            thread_id=thread_id,
            target=needed(reaction, "message_id"),
            sender=sender,
            emojis=(emoji,) if emoji else (),
            at=moment(message, "timestamp"),
        )
    ]


def _edit(message: Fields, sender: Sender, thread_id: str) -> list[Inbound]:
    edit = message.one("edit")
    content, target = read_content(edit.one("message")), needed(edit, "original_message_id")
    if content.flags:
        raise Broken("the edit says nothing that can be read")
    return [Edit(thread_id=thread_id, target=target, text=content.text, at=moment(message, "timestamp"))]


def _revoke(message: Fields, sender: Sender, thread_id: str) -> list[Inbound]:
    target = needed(message.one("revoke"), "original_message_id")
    return [Deletion(thread_id=thread_id, target=target, at=moment(message, "timestamp"))]


def _moved(message: Fields) -> list[Inbound]:
    """The person has another number, or another id; their thread is named by it from now on."""
    system = message.one("system")
    if system.text("type") not in _NUMBER_CHANGED:
        return []
    old = name_of(message, "from") or name_of(system, "customer") or name_of(message, "from_user_id")
    new = person(name_of(system, "wa_id") or name_of(system, "new_wa_id"), name_of(system, "user_id"))
    if not old:
        raise Broken("the change of number names no old one")
    at, thread_id = moment(message, "timestamp"), name_of(message, "from_user_id") or old
    return [IdentityMoved(sender=new, old_address=old, at=at), ThreadMoved(thread_id, thread_of(new), at)]


def _advert(referral: Fields) -> dict[str, str]:
    """The advertisement or post they came by, as WhatsApp names its parts, and as the pages do."""
    told = scalars(referral)
    ours = {"source": "source_type", "url": "source_url", "ad_id": "source_id"}
    return told | {name: told[theirs] for name, theirs in ours.items() if theirs in told}


def _first_touch(referral: Fields) -> FirstTouch:
    return FirstTouch(
        url=referral.text("source_url"),
        utm_source="whatsapp",
        utm_medium=referral.text("source_type"),
        utm_campaign=name_of(referral, "source_id"),
        payload=name_of(referral, "ctwa_clid"),
    )


_READERS: dict[str, Callable[[Fields, Sender, str], list[Inbound]]] = {
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
}
