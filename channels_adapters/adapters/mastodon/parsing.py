"""Notifications of a Mastodon server as events. What is stored is an envelope of `listening`:

    {"event": "notification" | "status.update" | "delete", "payload": what the server said, "me": our account's id,
     "above": [ids of the posts that it answers, nearest first], "first": the first post of our own chain it answers,
     "thread": of a deletion}

A public thread is `post:<id of its first post>`. A direct message has none: those who are mentioned are its thread.
"""

from datetime import UTC, datetime

from channels_adapters.adapters.mastodon.markup import plain
from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import (
    Attachment,
    ConnectionLost,
    Deletion,
    Edit,
    Inbound,
    InboundMessage,
    Reacted,
    Sender,
)

PUBLIC, DIRECT = "post:", "direct:"
WANTED = ("mention", "quote", "favourite", "reblog", "update", "quoted_update", "moderation_warning")
_EMOJI = {"favourite": "⭐", "reblog": "🔁"}
_KINDS = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}
_SHUTS_OUT = ("disable", "suspend")


def read_events(envelope: Fields, our_id: str = "") -> list[Inbound]:
    """The events of an envelope; none for the kinds we do not know. Raises Broken."""
    me = envelope.text("me") or our_id
    match envelope.text("event"):
        case "notification":
            return _notification(envelope, envelope.one("payload"), me)
        case "status.update":
            return _edit(envelope, envelope.one("payload"), me)
        case "delete":
            return _deletion(envelope)
        case "":
            raise Broken("the body names no event")
        case _:
            return []


def _notification(envelope: Fields, notification: Fields, me: str) -> list[Inbound]:
    status = notification.one("status")
    match notification.text("type"):
        case "mention" | "quote" as kind:
            return _message(envelope, status, me, is_quote=kind == "quote")
        case "favourite" | "reblog" as kind:
            return _reaction(envelope, notification, me, _EMOJI[kind])
        case "update" | "quoted_update":
            return _edit(envelope, status, me)
        case "moderation_warning":
            return _warning(notification)
        case _:
            return []


def _message(envelope: Fields, status: Fields, me: str, *, is_quote: bool) -> list[Inbound]:
    sender = _writer(status, me)
    if sender is None:
        return []
    is_direct, others = status.text("visibility") == "direct", _others(status, me)
    quoted = status.one("quote").one("quoted_status").text("id") or status.one("quote").text("quoted_status_id")
    text = _words(status, me)
    return [
        InboundMessage(
            external_id=_id(status),
            thread_id=thread_of(envelope, status, me),
            sender=sender,
            text=text or status.text("spoiler_text"),
            at=_moment(status, "created_at"),
            attachments=_attachments(status),
            reply_to=envelope.text("first") or status.text("in_reply_to_id") or (quoted if is_quote else ""),
            is_group=is_direct and len(others) > 1,
            is_public=not is_direct,
            flags=("quote",) if is_quote else (),
            refers_to=() if is_direct else _above(envelope, status),
            private_thread="" if is_direct else f"{DIRECT}{_acct(status)}",
            details=_details(status, others if is_direct else [_acct(status)]),
        )
    ]


def _edit(envelope: Fields, status: Fields, me: str) -> list[Inbound]:
    if _writer(status, me) is None:
        return []
    thread_id, at = thread_of(envelope, status, me), _moment(status, "edited_at")
    text = _words(status, me) or status.text("spoiler_text")
    return [Edit(thread_id, _id(status), text, at, within=_within(thread_id))]


def _deletion(envelope: Fields) -> list[Inbound]:
    """Who deletes says so to nobody: `listening` found out, and knows the thread."""
    target = envelope.text("payload")
    if not target:
        raise Broken("the deletion names no post")
    thread_id = envelope.text("thread") or f"{PUBLIC}{target}"
    return [Deletion(thread_id, target, NO_TIME, within=_within(thread_id))]


def _reaction(envelope: Fields, notification: Fields, me: str, emoji: str) -> list[Inbound]:
    """They are told when given, never when taken back."""
    status, sender = notification.one("status"), _person(notification.one("account"), me)
    if sender is None or status.one("account").text("id") not in (me, ""):
        return []
    thread_id = thread_of(envelope, status, me)
    return [
        Reacted(
            thread_id=thread_id,
            target=envelope.text("first") or _id(status),
            sender=sender,
            emojis=(emoji,),
            at=_moment(notification, "created_at"),
            others_stand=True,
            within=_within(thread_id),
        )
    ]


def _warning(notification: Fields) -> list[Inbound]:
    warning = notification.one("moderation_warning")
    if warning.text("action") not in _SHUTS_OUT:
        return []
    words = f"the server's moderators have shut the account out: {warning.text('text')}".rstrip(": ")
    return [ConnectionLost(words[:300], _moment(notification, "created_at"))]


def thread_of(envelope: Fields, status: Fields, me: str) -> str:
    """A public one by its first post, a direct one by those who talk besides us."""
    if status.text("visibility") == "direct":
        return DIRECT + ",".join(_others(status, me))
    return PUBLIC + (_above(envelope, status) or (_id(status),))[-1]


def _above(envelope: Fields, status: Fields) -> tuple[str, ...]:
    told = envelope.raw.get("above")
    above = tuple(item for item in told if isinstance(item, str) and item) if isinstance(told, list) else ()
    return above or tuple(filter(None, [status.text("in_reply_to_id")]))


def _within(thread_id: str) -> str:
    return PUBLIC if thread_id.startswith(PUBLIC) else ""


def _others(status: Fields, me: str) -> list[str]:
    """The handles of all who take part but us: the writer, then the rest in the order of the alphabet."""
    account = status.one("account")
    writer = [account.text("acct")] if account.text("id") != me else []
    named = {person.text("acct") for person in status.many("mentions") if person.text("id") != me}
    return [handle for handle in sorted({*writer, *named}) if handle]


def _details(status: Fields, to: list[str]) -> dict[str, object]:
    said = {
        "status": _id(status),
        "to": to,
        "visibility": status.text("visibility"),
        "subject": status.text("spoiler_text") if _has_words(status) else "",
        "language": status.text("language"),
        "url": status.text("url"),
    }
    return {key: value for key, value in said.items() if value}


def _has_words(status: Fields) -> bool:
    return bool(plain(status.text("content")) or list(status.many("media_attachments")) or status.one("poll"))


def _words(status: Fields, me: str) -> str:
    ours = next((person for person in status.many("mentions") if person.text("id") == me), Fields({}))
    text = plain(status.text("content"), ours.text("url"), ours.text("acct") or ours.text("username"))
    options = [f"○ {option.text('title')}" for option in status.one("poll").many("options")]
    return "\n".join([*filter(None, [text]), *options])


def _writer(status: Fields, me: str) -> Sender | None:
    return _person(status.one("account"), me, status.text("language"))


def _person(account: Fields, me: str, language: str = "") -> Sender | None:
    """None for ourselves, for programs, and for those whom the server has suspended."""
    if account.text("id") == me or account.is_true("bot") or account.is_true("suspended"):
        return None
    address, handle = account.text("uri") or account.text("url"), account.text("acct")
    if not (address and handle):
        raise Broken("there is no account")
    name = " ".join((account.text("display_name") or account.text("username")).split())
    picture = account.text("avatar_static") or account.text("avatar")
    return Sender(address, name=name, username=handle, language=language, picture=picture)


def _acct(status: Fields) -> str:
    return status.one("account").text("acct")


def _id(status: Fields) -> str:
    if not status.text("id"):
        raise Broken("there is no post")
    return status.text("id")


def _attachments(status: Fields) -> tuple[Attachment, ...]:
    return tuple(_attachment(status, file) for file in status.many("media_attachments") if file.text("id"))


def _attachment(status: Fields, file: Fields) -> Attachment:
    """A file that is still worked on has no address yet: then it is asked for by its post."""
    address = file.text("url") or file.text("remote_url")
    return Attachment(
        kind=_KINDS.get(file.text("type"), "file"),
        external_id=address if 0 < len(address) <= 400 else f"{_id(status)}/{file.text('id')}",
        details={"alt": file.text("description")} if file.text("description") else {},
    )


def _moment(entity: Fields, key: str) -> datetime:
    try:
        at = datetime.fromisoformat(entity.text(key))
    except ValueError:
        return NO_TIME
    return at if at.tzinfo else at.replace(tzinfo=UTC)
