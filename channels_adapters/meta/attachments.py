"""The attachments of a message by Messenger or Instagram. Files lie on Meta's servers, at addresses that expire."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from channels_adapters.meta.readers import name_of
from channels_adapters.reading import Fields
from conversations.files import clean_name
from conversations.normalized import Attachment

_FILES = ("image", "video", "audio", "file")
_SHARES = ("share", "fallback", "post", "reel", "ig_post", "ig_reel", "template", "product")
_THUMBS = ("369239263222822", "369239343222814", "369239383222810")
_KIND = re.compile("[a-z_]{1,40}")


def read_attachments(message: Fields) -> tuple[tuple[Attachment, ...], str]:
    """What the message carries, and the kind of the first thing in it that cannot be shown; '' when all can."""
    found, unshown = [], ""
    for attachment in message.many("attachments"):
        kind = attachment.text("type")
        read = _read(kind, attachment, attachment.one("payload"))
        if read is not None:
            found.append(read)
        else:
            unshown = unshown or (kind if _KIND.fullmatch(kind) else "unknown")
    return tuple(found), unshown


def _read(kind: str, attachment: Fields, payload: Fields) -> Attachment | None:
    if kind in _FILES:
        return _file(kind, payload)
    if kind == "location":
        return _location(attachment, payload)
    if kind == "like_heart":
        return Attachment(kind="sticker", name="❤️", details={"emoji": "❤️"})
    if kind == "story_mention":
        return _elsewhere("story_mention", attachment, payload)
    return _elsewhere("share", attachment, payload) if kind in _SHARES else None


def _file(kind: str, payload: Fields) -> Attachment | None:
    address = _address(payload)
    if sticker := name_of(payload, "sticker_id"):
        emoji = {"emoji": "👍"} if sticker in _THUMBS else {}
        return Attachment(kind="sticker", external_id=address, details={"sticker_id": sticker, "url": address} | emoji)
    if not address:
        return None
    name = clean_name(unquote(urlsplit(address).path)) if kind == "file" else ""
    return Attachment(kind=kind, external_id=address, name=name, details={"url": address})


def _location(attachment: Fields, payload: Fields) -> Attachment | None:
    place = payload.one("coordinates")
    lat, lon = place.degrees("lat", 90), place.degrees("long", 180)
    if lat is None or lon is None:
        return None
    named = {"name": attachment.text("title")} if attachment.text("title") else {}
    return Attachment(kind="location", name=named.get("name", ""), details={"lat": lat, "lon": lon} | named)


def _elsewhere(kind: str, attachment: Fields, payload: Fields) -> Attachment | None:
    """A post, a link or a story that is shown by its address only: Meta does not let it be kept."""
    address = _address(payload) or _address(attachment)
    title = payload.text("title") or attachment.text("title")
    if not (address or title):
        return None
    details: dict[str, Any] = {"url": address, "title": title, "id": name_of(payload, "reel_video_id")}
    return Attachment(kind=kind, name=clean_name(title), details={key: told for key, told in details.items() if told})


def _address(fields: Fields) -> str:
    """Of the web, or ''."""
    address = fields.text("url").strip()
    try:
        is_of_the_web = urlsplit(address).scheme in ("http", "https")
    except ValueError:
        is_of_the_web = False
    return address if is_of_the_web else ""
