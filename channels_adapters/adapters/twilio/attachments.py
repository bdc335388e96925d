"""The files and places of a webhook."""

import math
from collections.abc import Mapping

from conversations.normalized import Attachment

_MOST = 20
_NAMES = {"text/vcard": "contact.vcf", "text/x-vcard": "contact.vcf", "application/pdf": "document.pdf"}


def read_attachments(said: Mapping[str, str]) -> tuple[Attachment, ...]:
    files = (_file(said, number) for number in range(_MOST))
    found = [file for file in files if file is not None]
    place = _place(said)
    return (*found, *([place] if place else []))


def _file(said: Mapping[str, str], number: int) -> Attachment | None:
    url = said.get(f"MediaUrl{number}", "")
    if not url.startswith(("https://", "http://")):
        return None
    mime = said.get(f"MediaContentType{number}", "").split(";")[0].strip().lower()
    family = mime.split("/")[0]
    kind = family if family in ("image", "video", "audio") else "file"
    kind = "sticker" if said.get("MessageType") == "sticker" else kind
    return Attachment(kind, external_id=url, name=_NAMES.get(mime, ""), mime=mime)


def _place(said: Mapping[str, str]) -> Attachment | None:
    lat, lon = _degrees(said.get("Latitude", ""), 90), _degrees(said.get("Longitude", ""), 180)
    if lat is None or lon is None:
        return None
    named = {"name": said.get("Label", ""), "address": said.get("Address", "")}
    named = {key: value for key, value in named.items() if value}
    return Attachment("location", name=named.get("name", ""), details={"lat": lat, "lon": lon} | named)


def _degrees(written: str, limit: int) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= limit else None
