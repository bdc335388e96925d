"""What X says as events: its deliveries (Account Activity), and what `listening` polled, in an envelope of ours:

    {"poll": "post" | "message", "me": our id, "item": a v2 object, "users": [...], "media": [...]}

A public thread is `post:<id of its first post>`, a direct one `dm:<id of the other>`, a group's `group:<id>`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from channels_adapters.adapters.x import messages
from channels_adapters.adapters.x.posts import PUBLIC, Post, of_v1, of_v2, person_of_v1, without_us
from channels_adapters.reading import Broken, Fields
from conversations.normalized import (
    Blocked,
    ConnectionLost,
    Deletion,
    Edit,
    Inbound,
    InboundMessage,
    Reacted,
    ReadUpTo,
    Writing,
)

DIRECT, GROUP = messages.DIRECT, messages.GROUP


def read_events(delivery: Fields, our_id: str, our_name: str = "") -> list[Inbound]:
    """The events of a delivery; none for the kinds we do not know. A broken one does not keep the others: raises
    Broken only when nothing could be read."""
    if delivery.has("poll"):
        return list(_polled(delivery, delivery.text("me") or our_id, our_name))
    if delivery.has("user_event"):
        return list(_revoked(delivery.one("user_event").one("revoke"), our_id))
    if delivery.has("data"):
        return list(_activity(delivery.one("data"), our_id, our_name))
    me = delivery.text("for_user_id")
    if our_id and me and me != our_id:
        return []  # another account of the same app
    return _whole(delivery, me or our_id, our_name)


def _whole(delivery: Fields, me: str, name: str) -> list[Inbound]:
    users = {key: user for key in delivery.one("users").raw if (user := delivery.one("users").one(key))}
    readers: dict[str, Callable[[Fields], Iterable[Inbound]]] = {
        "direct_message_events": lambda event: messages.of_v1(event, users, me),
        "tweet_create_events": lambda tweet: _tweet(tweet, me, name),
        "tweet_delete_events": lambda event: _deleted(event, me),
        "favorite_events": lambda event: _liked(event, me),
        "block_events": lambda event: _blocked(event, me),
        "direct_message_indicate_typing_events": lambda event: _typing(event, users, me),
        "direct_message_mark_read_events": lambda event: _read(event, me),
    }
    found: list[Inbound] = []
    broken: Broken | None = None
    for kind, read in readers.items():
        for event in delivery.many(kind):
            try:
                found += read(event)
            except Broken as error:
                broken = error
    if broken is not None and not found:
        raise broken
    return found


def _tweet(tweet: Fields, me: str, name: str) -> Iterator[Inbound]:
    shared = tweet.one("retweeted_status")
    if shared:
        yield from _reaction(tweet.one("user"), shared, "🔁", of_v1(tweet, me).at, me)
    else:
        yield from post_events(of_v1(tweet, me), name)


def post_events(post: Post, our_name: str) -> Iterator[Inbound]:
    """The message that somebody's post is, or the edit of one."""
    if post.writer is None or not post.is_for_us:
        return
    text = without_us(post.text, our_name)
    thread_id = f"{PUBLIC}{post.root or post.parent or post.first_version or post.id}"
    if post.first_version:
        yield Edit(thread_id, post.first_version, text, post.at, within=PUBLIC)
        return
    yield InboundMessage(
        external_id=post.id,
        thread_id=thread_id,
        sender=post.writer,
        text=text,
        at=post.at,
        attachments=post.attachments,
        reply_to=post.parent or post.quoted,
        is_public=True,
        flags=("quote",) if post.quoted else (),
        refers_to=tuple(dict.fromkeys(filter(None, (post.parent, post.root if post.root != post.id else "")))),
        private_thread=f"{DIRECT}{post.writer.address}",
        details={"post": post.id, "url": f"https://x.com/{post.writer.username or 'i'}/status/{post.id}"},
    )


def _deleted(event: Fields, me: str) -> Iterator[Inbound]:
    status = event.one("status")
    target = status.text("id") or status.text("id_str")
    if not target:
        raise Broken("the deletion names no post")
    if status.text("user_id") != me:
        yield Deletion(f"{PUBLIC}{target}", target, messages.milliseconds(event.raw.get("timestamp_ms")), within=PUBLIC)


def _liked(event: Fields, me: str) -> Iterator[Inbound]:
    at = messages.milliseconds(event.raw.get("timestamp_ms"))
    yield from _reaction(event.one("user"), event.one("favorited_status"), "❤️", at, me)


def _reaction(user: Fields, status: Fields, emoji: str, at: datetime, me: str) -> Iterator[Inbound]:
    sender = person_of_v1(user, me)
    if sender is None or status.one("user").text("id_str") != me:
        return
    target = status.text("id_str")
    if not target:
        raise Broken("the reaction names no post")
    yield Reacted(f"{PUBLIC}{target}", target, sender, (emoji,), at, others_stand=True, within=PUBLIC)


def _blocked(event: Fields, me: str) -> Iterator[Inbound]:
    """What we block ourselves is told too, and is no news."""
    sender = person_of_v1(event.one("source"), me)
    if sender is not None and event.text("type") in ("block", "unblock"):
        at = messages.milliseconds(event.raw.get("created_timestamp"))
        yield Blocked(f"{DIRECT}{sender.address}", sender, event.text("type") == "block", at)


def _typing(event: Fields, users: dict[str, Fields], me: str) -> Iterator[Inbound]:
    sender_id = event.text("sender_id")
    sender = person_of_v1(users.get(sender_id, Fields({"id_str": sender_id})), me)
    if sender is not None:
        yield Writing(f"{DIRECT}{sender.address}", sender)


def _read(event: Fields, me: str) -> Iterator[Inbound]:
    sender_id = event.text("sender_id")
    if not sender_id:
        raise Broken("nobody has read it")
    if sender_id != me:
        yield ReadUpTo(f"{DIRECT}{sender_id}", messages.milliseconds(event.raw.get("created_timestamp")))


def _revoked(revoke: Fields, our_id: str) -> Iterator[Inbound]:
    who = revoke.one("source").text("user_id")
    if revoke and who in ("", our_id):
        at = messages.iso(revoke.text("date_time"))
        yield ConnectionLost("the account has taken the app's permission back on X: connect it anew", at)


def _polled(envelope: Fields, me: str, name: str) -> Iterator[Inbound]:
    item = envelope.one("item")
    users = {user.text("id"): user for user in envelope.many("users")}
    media = {file.text("media_key"): file for file in envelope.many("media")}
    if envelope.text("poll") == "post":
        yield from post_events(of_v2(item, users, media, me), name)
    elif envelope.text("poll") == "message":
        yield from messages.of_v2(item, users, media, me)


def _activity(data: Fields, our_id: str, name: str) -> Iterator[Inbound]:
    """A delivery of the X Activity API: one v2 object. What its chats say is encrypted, and not for us to read."""
    kind, payload = data.text("event_type"), data.one("payload")
    me = data.one("filter").text("user_id") or our_id
    if our_id and me != our_id:
        return
    if kind == "chat.received":
        yield from messages.encrypted(payload, me)
    elif kind.startswith("dm.") and payload.has("dm_conversation_id"):
        yield from messages.of_v2(payload, {}, {}, me)
    elif kind.startswith("post.") and kind.endswith(".create") and payload.has("author_id"):
        yield from post_events(of_v2(payload, {}, {}, me), name)
