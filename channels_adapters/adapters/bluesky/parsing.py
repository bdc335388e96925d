"""Notifications and the chat's log as events. What is stored is an envelope of `listening`:

    {"event": "notification" | "delete" | "log", "payload": what the server said, "me": our DID,
     "first": the first post of our own chain that it is about, "thread": of a deletion, "convo": of a log}

A public thread is the address of its first post (`at://…`), a direct one `dm:<DID of the other>`, a group's
`convo:<id>`.
"""

from datetime import UTC, datetime

from channels_adapters.adapters.bluesky.richtext import plain
from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import Attachment, Deletion, Inbound, InboundMessage, Reacted, Sender

PUBLIC, DIRECT, GROUP = "at://", "dm:", "convo:"
REASONS = ("mention", "reply", "quote", "like", "repost")
_EMOJI = {"like": "❤️", "repost": "🔁"}
_NOT_PEOPLE = ("bot", "!takedown", "!suspend")
_LONGEST_ID = 200


def read_events(envelope: Fields, our_did: str = "") -> list[Inbound]:
    """The events of an envelope; none for the kinds we do not know. Raises Broken."""
    me, payload = envelope.text("me") or our_did, envelope.one("payload")
    match envelope.text("event"):
        case "notification":
            return _notification(envelope, payload, me)
        case "delete":
            return _deletion(envelope)
        case "log":
            return _log(envelope, payload, me)
        case "":
            raise Broken("the body names no event")
        case _:
            return []


def _notification(envelope: Fields, notification: Fields, me: str) -> list[Inbound]:
    match notification.text("reason"):
        case "mention" | "reply" | "quote":
            return _post(envelope, notification, me)
        case "like" | "repost" as reason:
            return _reaction(envelope, notification, me, _EMOJI[reason])
        case _:
            return []


def _post(envelope: Fields, notification: Fields, me: str) -> list[Inbound]:
    record = notification.one("record")
    sender = _person(notification.one("author"), me, _language(record))
    if sender is None:
        return []
    uri, parent = _uri(notification), record.one("reply").one("parent").text("uri")
    root = record.one("reply").one("root")
    is_quote = notification.text("reason") == "quote"
    return [
        InboundMessage(
            external_id=uri,
            thread_id=root.text("uri") if root.text("uri").startswith(PUBLIC) else uri,
            sender=sender,
            text=_words(record, me),
            at=_moment(notification, "indexedAt"),
            attachments=_attachments(record.one("embed"), sender.address),
            reply_to=envelope.text("first") or parent or (_quoted(record.one("embed")) if is_quote else ""),
            is_public=True,
            flags=("quote",) if is_quote else (),
            refers_to=tuple(dict.fromkeys(filter(None, (envelope.text("first"), parent, root.text("uri"))))),
            private_thread=f"{DIRECT}{sender.address}",
            details=_details(notification, record, root),
        )
    ]


def _details(notification: Fields, record: Fields, root: Fields) -> dict[str, object]:
    uri, cid = _uri(notification), notification.text("cid")
    handle = notification.one("author").text("handle")
    warnings = [label.text("val") for label in record.one("labels").many("values")]
    said = {
        "uri": uri,
        "cid": cid,
        "root": root.text("uri") or uri,
        "root_cid": root.text("cid") or cid,
        "subject": ", ".join(filter(None, warnings)),
        "url": f"https://bsky.app/profile/{handle}/post/{uri.rpartition('/')[2]}" if handle else "",
    }
    return {key: value for key, value in said.items() if value}


def _words(record: Fields, me: str) -> str:
    """A card's address stands below where the text does not hold it."""
    text = plain(record.text("text"), record.many("facets"), me)
    embed = record.one("embed")
    card = embed.one("external").text("uri") or embed.one("media").one("external").text("uri")
    return f"{text}\n{card}".strip() if card and card not in text else text


def _quoted(embed: Fields) -> str:
    return embed.one("record").text("uri") or embed.one("record").one("record").text("uri")


def _reaction(envelope: Fields, notification: Fields, me: str, emoji: str) -> list[Inbound]:
    """They are told when given, never when taken back. Bluesky does not say on which thread."""
    subject = notification.text("reasonSubject") or notification.one("record").one("subject").text("uri")
    sender = _person(notification.one("author"), me)
    if sender is None or not subject.startswith(f"{PUBLIC}{me}/"):
        return []
    target, at = envelope.text("first") or subject, _moment(notification, "indexedAt")
    return [Reacted(target, target, sender, (emoji,), at, others_stand=True, within=PUBLIC)]


def _deletion(envelope: Fields) -> list[Inbound]:
    """Who deletes says so to nobody: `listening` found out, and knows the thread."""
    target = envelope.text("payload")
    if not target:
        raise Broken("the deletion names no post")
    return [Deletion(envelope.text("thread") or target, target, NO_TIME, within=PUBLIC)]


def _log(envelope: Fields, log: Fields, me: str) -> list[Inbound]:
    match log.text("$type").rpartition("#")[2]:
        case "logCreateMessage":
            return _direct(envelope, log, me)
        case "logDeleteMessage":
            return _direct_deletion(envelope, log, me)
        case "logAddReaction" | "logRemoveReaction" as kind:
            return _direct_reaction(envelope, log, me, is_added=kind == "logAddReaction")
        case _:
            return []


def _direct(envelope: Fields, log: Fields, me: str) -> list[Inbound]:
    message = log.one("message")
    sender = _member(envelope, log, message.one("sender").text("did"), me)
    if sender is None or not message.has("text"):
        return []  # ours, or one that was deleted before we looked
    shared = message.one("embed").one("record").text("uri")
    text = plain(message.text("text"), message.many("facets"))
    return [
        InboundMessage(
            external_id=_message_id(message),
            thread_id=_thread(envelope, log, me),
            sender=sender,
            text=f"{text}\n{_page(shared)}".strip() if shared else text,
            at=_moment(message, "sentAt"),
            reply_to=message.one("replyTo").text("id"),
            is_group=_is_group(envelope),
            details={"convo": log.text("convoId")} if log.text("convoId") else {},
        )
    ]


def _direct_deletion(envelope: Fields, log: Fields, me: str) -> list[Inbound]:
    message = log.one("message")
    if message.one("sender").text("did") == me:
        return []
    return [Deletion(_thread(envelope, log, me), _message_id(message), NO_TIME)]


def _direct_reaction(envelope: Fields, log: Fields, me: str, *, is_added: bool) -> list[Inbound]:
    reaction = log.one("reaction")
    sender, emoji = _member(envelope, log, reaction.one("sender").text("did"), me), reaction.text("value")
    if sender is None or not emoji:
        return []
    return [
        Reacted(
            thread_id=_thread(envelope, log, me),
            target=_message_id(log.one("message")),
            sender=sender,
            emojis=(emoji,) if is_added else (),
            at=_moment(reaction, "createdAt"),
            before=() if is_added else (emoji,),
            others_stand=True,
        )
    ]


def _is_group(envelope: Fields) -> bool:
    convo = envelope.one("convo")
    return convo.one("kind").text("$type").endswith("groupConvo") or len(list(convo.many("members"))) > 2


def _thread(envelope: Fields, log: Fields, me: str) -> str:
    """Between two it is the other's, so that it has its name before its first message."""
    if _is_group(envelope):
        return f"{GROUP}{log.text('convoId')}"
    members = [member.text("did") for member in envelope.one("convo").many("members")]
    people = [*members, log.one("message").one("sender").text("did"), log.one("reaction").one("sender").text("did")]
    other = next((did for did in people if did and did != me), "")
    if not other:
        raise Broken("there is nobody else in this conversation")
    return f"{DIRECT}{other}"


def _member(envelope: Fields, log: Fields, did: str, me: str) -> Sender | None:
    known = [*envelope.one("convo").many("members"), *log.many("relatedProfiles")]
    profile = next((member for member in known if member.text("did") == did), Fields({"did": did}))
    return _person(profile, me)


def _person(author: Fields, me: str, language: str = "") -> Sender | None:
    """None for ourselves, for programs that say so, for those we block and those who are shut out."""
    did, handle = author.text("did"), author.text("handle").removesuffix("handle.invalid")
    if not did.startswith("did:"):
        raise Broken("there is no account")
    labels = {label.text("val") for label in author.many("labels")}
    if did == me or labels.intersection(_NOT_PEOPLE) or author.one("viewer").has("blocking"):
        return None
    name = " ".join((author.text("displayName") or handle).split())
    return Sender(did, name=name, username=handle, language=language, picture=author.text("avatar"))


def _attachments(embed: Fields, did: str) -> tuple[Attachment, ...]:
    media = embed.one("media") or embed
    videos = [("video", media.one("video"), media.text("alt"))] if media.one("video") else []
    images = [("image", image.one("image"), image.text("alt")) for image in media.many("images")]
    return tuple(
        Attachment(
            kind,
            external_id=f"{did}/{_cid(blob)}",
            mime=blob.text("mimeType"),
            size=blob.size("size"),
            details={"alt": alt} if alt else {},
        )
        for kind, blob, alt in [*images, *videos]
        if _cid(blob)
    )


def _cid(blob: Fields) -> str:
    return blob.one("ref").text("$link") or blob.text("cid")  # the second is how it was before 2023


def _language(record: Fields) -> str:
    languages = record.raw.get("langs")
    first = languages[0] if isinstance(languages, list) and languages else ""
    return first if isinstance(first, str) and first.isascii() else ""


def _page(uri: str) -> str:
    did, _, key = uri.removeprefix(PUBLIC).partition("/app.bsky.feed.post/")
    return f"https://bsky.app/profile/{did}/post/{key}" if key else uri


def _uri(notification: Fields) -> str:
    uri = notification.text("uri")
    if not uri.startswith(PUBLIC) or len(uri) > _LONGEST_ID:
        raise Broken("there is no post")
    return uri


def _message_id(message: Fields) -> str:
    if not message.text("id"):
        raise Broken("there is no message")
    return message.text("id")


def _moment(entity: Fields, key: str) -> datetime:
    try:
        at = datetime.fromisoformat(entity.text(key))
    except ValueError:
        return NO_TIME
    return at if at.tzinfo else at.replace(tzinfo=UTC)
