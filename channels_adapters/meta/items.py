"""What Messenger and Instagram deliver: messages and what happens to them, an item each. Pure: no network, no clock.

What we or another app wrote in our name comes back as an echo and gives nothing; so does what happens in conversations
that another app has in hand (`standby`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from channels_adapters.meta.attachments import read_attachments
from channels_adapters.meta.readers import each, moment, name_of, needed, once, scalars
from channels_adapters.reading import Broken, Fields
from conversations.normalized import (
    ConnectionLost,
    Deletion,
    Edit,
    FirstTouch,
    Inbound,
    InboundMessage,
    OptedOut,
    Reacted,
    ReadUpTo,
    Sender,
)
from conversations.text import clean_line

_EMOJIS = {  # by the names that stand beside, or instead of, the emoji
    "love": "❤️",
    "like": "👍",
    "dislike": "👎",
    "smile": "😆",
    "wow": "😮",
    "sad": "😢",
    "angry": "😠",
}
_WISHES = {"STOP_NOTIFICATIONS": True, "STOP NOTIFICATIONS": True, "RESUME_NOTIFICATIONS": False}
_WISHES |= {"RESUME NOTIFICATIONS": False}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened between a person and us."""

    fields: Fields
    source: str  # "messenger", "instagram"
    person: str  # their id, which names the thread too

    def part(self, key: str) -> Fields:
        return self.fields.one(key)

    @property
    def sender(self) -> Sender:
        return Sender(address=self.person)


def read_events(
    delivery: Fields, account_id: str, source: str, read_change: Callable[[Fields, Fields], list[Inbound]]
) -> list[Inbound]:
    """The events of a delivery; `read_change` reads what is public, given the change and its entry. Raises Broken."""

    def read_entry(entry: Fields) -> list[Inbound]:
        if account_id and name_of(entry, "id") != account_id:
            return []
        items = each(entry.many("messaging"), partial(_item, account_id=account_id, source=source))
        return items + each(entry.many("changes"), partial(read_change, entry))

    return once(each(delivery.many("entry"), read_entry))


def _item(fields: Fields, account_id: str, source: str) -> list[Inbound]:
    if policy := fields.one("policy_enforcement"):
        return _policy(policy, fields)
    person, recipient = name_of(fields.one("sender"), "id"), name_of(fields.one("recipient"), "id")
    is_ours = person == account_id or fields.one("message").is_true("is_echo")
    if is_ours or (account_id and recipient not in ("", account_id)):
        return []
    for kind, read in _READERS.items():
        if fields.has(kind):
            if not person:
                raise Broken("nothing says who wrote")
            return list(read(Item(fields, source, person)))
    return []


def _message(item: Item) -> Iterator[Inbound]:
    message = item.part("message")
    message_id, at = needed(message, "mid"), moment(item.fields, "timestamp")
    if message.is_true("is_deleted"):
        yield Deletion(thread_id=item.person, target=message_id, at=at)
        return
    text, (attachments, unshown) = _words(message), read_attachments(message)
    if message.is_true("is_unsupported") or not (text or attachments or unshown):
        unshown = unshown or "message"
    story = message.one("reply_to").one("story")
    details: dict[str, Any] = {"story": scalars(story)} if story else {}
    flags = (("story_reply",) if story else ()) + ((f"unsupported:{unshown}",) if unshown else ())
    referral = message.one("referral")
    yield InboundMessage(
        external_id=message_id,
        thread_id=item.person,
        sender=item.sender,
        text=text,
        at=at,
        attachments=attachments,
        reply_to=name_of(message.one("reply_to"), "mid"),
        payload=message.one("quick_reply").text("payload"),
        flags=flags,
        first_touch=_first_touch(referral, item.source),
        details=details | _referral(referral),
    )


def _words(message: Fields) -> str:
    if message.has("text") and not isinstance(message.raw["text"], str):
        raise Broken("the text is not text")
    return message.text("text")


def _edit(item: Item) -> Iterator[Inbound]:
    edit = item.part("message_edit")
    if not isinstance(edit.raw.get("text"), str):
        raise Broken("the edit has no text")
    yield Edit(item.person, needed(edit, "mid"), edit.text("text"), moment(item.fields, "timestamp"))


def _reaction(item: Item) -> Iterator[Inbound]:
    """A person has one reaction to a message at most."""
    reaction = item.part("reaction")
    emoji = reaction.text("emoji") or _EMOJIS.get(reaction.text("reaction"), "")
    is_added = reaction.text("action") != "unreact"
    if is_added and not emoji:
        emoji = "❤️" if item.source == "instagram" else "👍"  # a reaction that has no emoji of its own
    yield Reacted(
        thread_id=item.person,
        target=needed(reaction, "mid"),
        sender=item.sender,
        emojis=(emoji,) if is_added else (),
        at=moment(item.fields, "timestamp"),
        before=(emoji,) if emoji and not is_added else (),
    )


def _postback(item: Item) -> Iterator[Inbound]:
    """A pressed button, or the way in from an advertisement. Older ones have no id of their own."""
    postback = item.part("postback")
    payload = postback.text("payload")
    own_id = name_of(postback, "mid") or f"{item.person}:{name_of(item.fields, 'timestamp')}:{payload}"
    yield _pressed(item, own_id, postback.text("title") or payload, payload, postback.one("referral"))


def _came_by(item: Item) -> Iterator[Inbound]:
    """Somebody whom we know came by a link or an advertisement again; no words come with it."""
    referral = item.part("referral")
    ref = name_of(referral, "ref") or name_of(referral, "ad_id")
    own_id = f"referral:{item.person}:{name_of(item.fields, 'timestamp')}:{ref}"
    yield _pressed(item, own_id, ref or referral.text("source"), ref, referral)


def _pressed(item: Item, own_id: str, text: str, payload: str, referral: Fields) -> InboundMessage:
    return InboundMessage(
        external_id=f"callback:{own_id}",
        thread_id=item.person,
        sender=item.sender,
        text=text,
        at=moment(item.fields, "timestamp"),
        payload=payload,
        first_touch=_first_touch(referral, item.source),
        details=_referral(referral),
    )


def _read(item: Item) -> Iterator[Inbound]:
    """Messenger names a moment, Instagram the newest message they saw."""
    read = item.part("read")
    at = moment(read if read.has("watermark") else item.fields, "watermark" if read.has("watermark") else "timestamp")
    yield ReadUpTo(thread_id=item.person, at=at, target=name_of(read, "mid"))


def _delivered(item: Item) -> Iterator[Inbound]:
    delivery = item.part("delivery")
    mids = delivery.raw.get("mids")
    newest = [mid for mid in mids if isinstance(mid, str)][-1:] if isinstance(mids, list) else []
    at = moment(delivery, "watermark")
    yield ReadUpTo(thread_id=item.person, at=at, target="".join(newest), status="delivered")


def _wish(item: Item) -> Iterator[Inbound]:
    is_out = _WISHES.get(item.part("optin").text("notification_messages_status").upper())
    if is_out is not None:
        yield OptedOut(item.sender, is_out=is_out, at=moment(item.fields, "timestamp"))


def _policy(policy: Fields, fields: Fields) -> list[Inbound]:
    if policy.text("action") != "block":
        return []
    reason = clean_line(policy.text("reason"), 200) or "Meta gives no reason."
    return [ConnectionLost(f"Meta has blocked this account: {reason}", moment(fields, "timestamp"))]


def _referral(referral: Fields) -> dict[str, Any]:
    """The link or advertisement they came by, as Meta names its parts, and as the pages do."""
    if not referral:
        return {}
    advert = referral.one("ads_context_data")
    shown = {"headline": advert.text("ad_title"), "url": referral.text("referer_uri")}
    return {"referral": scalars(referral) | {key: told for key, told in shown.items() if told}}


def _first_touch(referral: Fields, source: str) -> FirstTouch | None:
    if not referral:
        return None
    return FirstTouch(
        url=referral.text("referer_uri"),
        utm_source=source,
        utm_medium=referral.text("source").lower(),
        utm_campaign=name_of(referral, "ad_id"),
        payload=name_of(referral, "ref"),
    )


_READERS: dict[str, Callable[[Item], Iterator[Inbound]]] = {
    "message": _message,
    "message_edit": _edit,
    "reaction": _reaction,
    "postback": _postback,
    "read": _read,
    "delivery": _delivered,
    "referral": _came_by,
    "optin": _wish,
}
