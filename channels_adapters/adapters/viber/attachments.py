"""The attachment of a message. Its address is good for about an hour."""

from channels_adapters.numbers import e164
from channels_adapters.reading import Fields
from conversations.normalized import Attachment

_FILES = {"picture": "image", "video": "video", "file": "file"}
_MIMES = {"picture": "image/jpeg", "video": "video/mp4"}


def read_attachment(message: Fields) -> Attachment | None:
    """None for a text, and for the kinds that we do not know."""
    match message.text("type"):
        case "picture" | "video" | "file" as kind:
            return _file(kind, message)
        case "sticker":
            return _sticker(message)
        case "location":
            return _place(message.one("location"))
        case "contact":
            return _contact(message.one("contact"))
    return None


def _file(kind: str, message: Fields) -> Attachment | None:
    url = message.text("media")
    if not url.startswith(("https://", "http://")):
        return None
    details = {"seconds": message.size("duration")} if message.size("duration") else {}
    name, size = message.text("file_name"), message.size("size")
    return Attachment(_FILES[kind], url, name=name, mime=_MIMES.get(kind, ""), size=size, details=details)


def _sticker(message: Fields) -> Attachment | None:
    number, url = message.identifier("sticker_id") or message.text("sticker_id"), message.text("media")
    if not (number or url):
        return None
    address = url if url.startswith("https://") else ""
    return Attachment("sticker", address, mime="image/png", details={"sticker": number} if number else {})


def _place(place: Fields) -> Attachment | None:
    lat, lon = place.degrees("lat", 90), place.degrees("lon", 180)
    return None if lat is None or lon is None else Attachment("location", details={"lat": lat, "lon": lon})


def _contact(contact: Fields) -> Attachment | None:
    """Anyone's number: that it is their own cannot be told."""
    name, phone = contact.text("name"), e164(contact.text("phone_number") or contact.identifier("phone_number"))
    return Attachment("contact", name=name, details={"name": name, "phone": phone}) if name or phone else None
