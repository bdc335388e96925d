"""The attachments of a call: files by address or with their bytes, places and contacts."""

import base64
import binascii

from channels_adapters.numbers import e164
from channels_adapters.reading import Fields
from conversations.normalized import Attachment

MOST = 20
WITHIN = "within:"  # a file whose bytes lie in the call: the number of its attachment follows
_KINDS = ("image", "video", "audio", "file", "sticker")


def read_attachments(said: Fields) -> tuple[Attachment, ...]:
    """At most twenty; one of which nothing can be made is left out."""
    found = (_read(attachment, number) for number, attachment in enumerate(said.many("attachments")))
    return tuple(attachment for attachment in found if attachment is not None)[:MOST]


def bytes_within(said: Fields, external_id: str) -> bytes:
    """Of the attachment that lies in the call; none when it does not."""
    number = external_id.removeprefix(WITHIN)
    attachments = list(said.many("attachments"))
    is_there = number.isascii() and number.isdigit() and len(number) < 6 and int(number) < len(attachments)
    return _bytes(attachments[int(number)]) if is_there else b""


def _read(said: Fields, number: int) -> Attachment | None:
    if said.text("type") == "location":
        return _place(said)
    if said.text("type") == "contact":
        name, phone = said.text("name"), e164(said.text("phone") or said.identifier("phone"))
        return Attachment("contact", name=name, details={"name": name, "phone": phone}) if name or phone else None
    url, data = said.text("url"), _bytes(said)
    if not (data or url.startswith(("https://", "http://"))):
        return None
    return Attachment(
        kind=_kind(said),
        external_id=f"{WITHIN}{number}" if data else url,
        name=said.text("name"),
        mime=said.text("mime"),
        size=len(data) if data else said.size("size"),
    )


def _place(said: Fields) -> Attachment | None:
    lat, lon = said.degrees("lat", 90), said.degrees("lon", 180)
    if lat is None or lon is None:
        return None
    named = {key: said.text(key) for key in ("name", "address") if said.text(key)}
    return Attachment("location", name=said.text("name"), details={"lat": lat, "lon": lon} | named)


def _bytes(said: Fields) -> bytes:
    try:
        return base64.b64decode(said.text("data"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _kind(said: Fields) -> str:
    family = said.text("mime").split("/")[0]
    told = said.text("type")
    return told if told in _KINDS else family if family in ("image", "video", "audio") else "file"
