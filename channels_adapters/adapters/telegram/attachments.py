"""The attachments of a Telegram message."""

import re
from collections.abc import Callable
from typing import Any

from channels_adapters.adapters.telegram.fields import Fields
from conversations.normalized import Attachment


def read_attachments(message: Fields) -> tuple[Attachment, ...]:
    """What the message carries beside its words: usually one thing, none when it is nothing we can show."""
    album = {"album": message.text("media_group_id")} if message.has("media_group_id") else {}
    found = []
    for field, read in _READERS.items():
        if message.has(field) and not any(message.has(richer) for richer in _REPEATED_IN.get(field, ())):
            found += [read(field, message, album)]
    return tuple(attachment for attachment in found if attachment is not None)


def read_contact_phone(contact: Fields) -> str:
    """E.164, or '' when it is no number a phone could have."""
    digits = re.sub(r"[^0-9]", "", contact.text("phone_number")[:40])
    return f"+{digits}" if 7 <= len(digits) <= 15 else ""


# For old programs, Telegram repeats what these are in a second field.
_REPEATED_IN = {"document": ("animation",), "photo": ("live_photo",), "location": ("venue",)}


def _file(kind: str, mime: str = "") -> Callable[[str, Fields, dict[str, Any]], Attachment | None]:
    def read(field: str, message: Fields, album: dict[str, Any]) -> Attachment | None:
        return _attachment(kind, mime, message.one(field), album)

    return read


def _attachment(kind: str, mime: str, file: Fields, details: dict[str, Any]) -> Attachment | None:
    if not file.text("file_id"):
        return None
    if file.size("duration") is not None:
        details = details | {"seconds": file.size("duration")}
    return Attachment(
        kind=kind,
        external_id=file.text("file_id"),
        name=file.text("file_name"),
        mime=file.text("mime_type") or mime,
        size=file.size("file_size"),
        details=details,
    )


def _photo(field: str, message: Fields, album: dict[str, Any]) -> Attachment | None:
    sizes = [size for size in message.many(field) if size.text("file_id")]  # smallest first
    return _attachment("image", "image/jpeg", sizes[-1], album) if sizes else None


def _animation(field: str, message: Fields, album: dict[str, Any]) -> Attachment | None:
    animation = message.one(field)
    kind = "image" if animation.text("mime_type").startswith("image/") else "video"
    return _attachment(kind, "video/mp4", animation, album)


def _sticker(field: str, message: Fields, album: dict[str, Any]) -> Attachment | None:
    sticker = message.one(field)
    mime = "video/webm" if sticker.is_true("is_video") else "image/webp"
    mime = "application/x-tgsticker" if sticker.is_true("is_animated") else mime
    return _attachment("sticker", mime, sticker, {"emoji": sticker.text("emoji")})


def _place(place: Fields, named: dict[str, Any]) -> Attachment | None:
    lat, lon = place.degrees("latitude", 90), place.degrees("longitude", 180)
    if lat is None or lon is None:
        return None
    return Attachment(kind="location", name=named.get("name", ""), details={"lat": lat, "lon": lon} | named)


def _location(field: str, message: Fields, album: dict[str, Any]) -> Attachment | None:
    return _place(message.one(field), {})


def _venue(field: str, message: Fields, album: dict[str, Any]) -> Attachment | None:
    venue = message.one(field)
    return _place(venue.one("location"), {"name": venue.text("title"), "address": venue.text("address")})


def _contact(field: str, message: Fields, album: dict[str, Any]) -> Attachment | None:
    contact = message.one(field)
    name = full_name(contact)
    details = {"name": name, "phone": read_contact_phone(contact)}
    return Attachment(kind="contact", name=name, details=details) if any(details.values()) else None


def full_name(person: Fields) -> str:
    """First and last name on one line."""
    return " ".join(f"{person.text('first_name')} {person.text('last_name')}".split())


_READERS: dict[str, Callable[[str, Fields, dict[str, Any]], Attachment | None]] = {
    "photo": _photo,
    "live_photo": _file("video", "video/mp4"),
    "video": _file("video", "video/mp4"),
    "animation": _animation,
    "video_note": _file("video", "video/mp4"),
    "audio": _file("audio", "audio/mpeg"),
    "voice": _file("audio", "audio/ogg"),
    "document": _file("file"),
    "sticker": _sticker,
    "location": _location,
    "venue": _venue,
    "contact": _contact,
}
