"""Posts of X in both shapes that it has, v1.1 in deliveries and v2 elsewhere, read into one."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import Attachment, Sender

PUBLIC = "post:"
_EPOCH = 1_288_834_974_657  # milliseconds: when X's ids begin
_KINDS = {"photo": "image", "video": "video", "animated_gif": "video"}


@dataclass(frozen=True, slots=True)
class Post:
    id: str
    writer: Sender | None  # None: ourselves
    text: str
    at: datetime
    root: str  # '' where X does not say
    parent: str = ""
    quoted: str = ""
    first_version: str = ""  # of an edited post, the id that it had at first
    attachments: tuple[Attachment, ...] = ()
    is_for_us: bool = True


def of_v1(tweet: Fields, me: str) -> Post:
    """A post as deliveries hold it. Raises Broken when it has no id or writer."""
    whole = tweet.one("extended_tweet") or tweet
    entities = whole.one("entities") or tweet.one("entities")
    media = (whole.one("extended_entities") or tweet.one("extended_entities") or entities).many("media")
    text = whole.text("full_text") or tweet.text("text")
    shown, files = _shown(text, whole), list(media)
    mentioned = {person.text("id_str") for person in entities.many("user_mentions")}
    quoted = tweet.one("quoted_status")
    versions = tweet.one("edit_history").raw.get("edit_tweet_ids")
    return Post(
        id=_id(tweet.text("id_str")),
        writer=person_of_v1(tweet.one("user"), me, tweet.text("lang")),
        text=expanded(shown, [*entities.many("urls")], [file.text("url") for file in files]),
        at=moment_of(tweet.text("id_str")),
        root="",
        parent=tweet.text("in_reply_to_status_id_str"),
        quoted=quoted.text("id_str") or tweet.text("quoted_status_id_str"),
        first_version=_first(versions, tweet.text("id_str")),
        attachments=tuple(map(file_of_v1, files)),
        is_for_us=me in (*mentioned, tweet.text("in_reply_to_user_id_str"), quoted.one("user").text("id_str")),
    )


def of_v2(post: Fields, users: Mapping[str, Fields], media: Mapping[str, Fields], me: str) -> Post:
    """A post as the v2 API gives it, with what it includes."""
    whole = post.one("note_tweet") or post
    entities = whole.one("entities") or post.one("entities")
    others = {referred.text("type"): referred.text("id") for referred in post.many("referenced_tweets")}
    keys = post.one("attachments").raw.get("media_keys")
    files = [media[key] for key in keys if isinstance(key, str) and key in media] if isinstance(keys, list) else []
    links = [link.text("url") for link in entities.many("urls") if link.has("media_key")]
    author = post.text("author_id")
    mentioned = {person.text("id") for person in entities.many("mentions")}
    return Post(
        id=_id(post.text("id")),
        writer=person_of_v2(users.get(author, Fields({"id": author})), me, post.text("lang")),
        text=expanded(whole.text("text") or post.text("text"), [*entities.many("urls")], links),
        at=moment_of(post.text("id")),
        root=post.text("conversation_id"),
        parent=others.get("replied_to", ""),
        quoted=others.get("quoted", ""),
        first_version=_first(post.raw.get("edit_history_tweet_ids"), post.text("id")),
        attachments=tuple(map(file_of_v2, files)),
        is_for_us="retweeted" not in others and (not mentioned or me in (*mentioned, post.text("in_reply_to_user_id"))),
    )


def without_us(text: str, username: str) -> str:
    """The text without our name among those it begins with."""
    ours = re.escape(username)
    return re.sub(rf"^((?:@\w+\s+)*?)@{ours}\b[ \t]*\n?", r"\1", text, flags=re.IGNORECASE) if username else text


def expanded(text: str, links: list[Fields], own: list[str]) -> str:
    """With the addresses that X's short ones lead to, and without those of the post's own files."""
    for link in links:
        short, whole = link.text("url"), link.text("expanded_url") or link.text("unwound_url")
        if short and whole and short not in own:
            text = text.replace(short, whole)
    for short in filter(None, own):
        text = text.replace(short, "")
    return html.unescape(text).strip()


def person_of_v1(user: Fields, me: str, language: str = "") -> Sender | None:
    picture = user.text("profile_image_url_https")
    return _person(
        user.text("id_str") or user.text("id"), user.text("name"), user.text("screen_name"), picture, language, me
    )


def person_of_v2(user: Fields, me: str, language: str = "") -> Sender | None:
    picture = user.text("profile_image_url")
    return _person(user.text("id"), user.text("name"), user.text("username"), picture, language, me)


def _person(user_id: str, name: str, username: str, picture: str, language: str, me: str) -> Sender | None:
    if not user_id.isdecimal():
        raise Broken("there is no account")
    spoken = "" if language in ("und", "zxx", "qme", "qht", "qst", "qct", "qam") else language  # not a language
    shown = " ".join(name.split()) or username
    return None if user_id == me else Sender(user_id, shown, username, language=spoken, picture=picture)


def file_of_v1(file: Fields) -> Attachment:
    """Of a video the largest version."""
    videos = [video for video in file.one("video_info").many("variants") if video.text("content_type") == "video/mp4"]
    best = max(videos, key=lambda video: video.number("bitrate") or 0, default=Fields({}))
    address = best.text("url") or file.text("media_url_https")
    alt = file.text("ext_alt_text")
    kind = _KINDS.get(file.text("type"), "file")
    return Attachment(kind, external_id=address, mime=best.text("content_type"), details={"alt": alt} if alt else {})


def file_of_v2(file: Fields) -> Attachment:
    videos = [video for video in file.many("variants") if video.text("content_type") == "video/mp4"]
    best = max(videos, key=lambda video: video.number("bit_rate") or 0, default=Fields({}))
    address = best.text("url") or file.text("url") or file.text("preview_image_url")
    alt = file.text("alt_text")
    kind = _KINDS.get(file.text("type"), "file")
    return Attachment(kind, external_id=address, mime=best.text("content_type"), details={"alt": alt} if alt else {})


def moment_of(snowflake: str) -> datetime:
    """When an id was made: its top bits are milliseconds."""
    if not (snowflake.isdecimal() and 15 <= len(snowflake) <= 19):
        return NO_TIME
    return datetime.fromtimestamp(((int(snowflake) >> 22) + _EPOCH) / 1000, UTC)


def _shown(text: str, whole: Fields) -> str:
    """Without the names that an answer begins with; X says where its words are."""
    kept = whole.raw.get("display_text_range")
    is_a_range = isinstance(kept, list) and len(kept) == 2 and all(type(end) is int and end >= 0 for end in kept)
    return text[kept[0] : kept[1]] if is_a_range and kept else text


def _first(versions: object, own: str) -> str:
    first = versions[0] if isinstance(versions, list) and versions else own
    return first if isinstance(first, str) and first != own else ""


def _id(identifier: str) -> str:
    if not identifier.isdecimal():
        raise Broken("there is no post")
    return identifier
