"""The attachment of a message; `fetch` knows a file by its message, a sticker by its number."""

from typing import Any

from channels_adapters.reading import Fields
from conversations.normalized import Attachment

STICKER = "sticker:"


def read_attachment(message: Fields, message_id: str) -> Attachment | None:
    """None for a text, and for the kinds that we do not know."""
    match message.text("type"):
        case "image" | "video" | "audio" as kind:
            return _file(kind, message, message_id)
        case "file":
            return Attachment("file", message_id, message.text("fileName"), size=message.size("fileSize"))
        case "sticker":
            return _sticker(message)
        case "location":
            return _place(message)
    return None


def _file(kind: str, message: Fields, message_id: str) -> Attachment:
    provider, album = message.one("contentProvider"), message.one("imageSet")
    elsewhere = provider.text("originalContentUrl") if provider.text("type") == "external" else ""
    details: dict[str, Any] = {"album": album.text("id")} if album.text("id") else {}
    if message.size("duration") is not None:
        details["seconds"] = (message.size("duration") or 0) // 1000
    mimes = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/x-m4a"}
    return Attachment(kind, elsewhere or message_id, mime=mimes[kind], details=details)


def _sticker(message: Fields) -> Attachment | None:
    number = message.text("stickerId")
    if not (number.isascii() and number.isdigit()):
        return None
    words = message.raw.get("keywords")
    told = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
    keywords = Fields({"words": ", ".join(told[:5])}).text("words")
    details = {"keywords": keywords} if keywords else {}
    return Attachment("sticker", f"{STICKER}{number}", mime="image/png", details=details)


def _place(message: Fields) -> Attachment | None:
    lat, lon = message.degrees("latitude", 90), message.degrees("longitude", 180)
    if lat is None or lon is None:
        return None
    named = {"name": message.text("title"), "address": message.text("address")}
    named = {key: value for key, value in named.items() if value}
    return Attachment("location", name=named.get("name", ""), details={"lat": lat, "lon": lon} | named)
