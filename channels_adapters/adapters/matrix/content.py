"""The words and files of a Matrix event."""

import math
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from channels_adapters.reading import NO_TIME, Fields
from conversations.normalized import Attachment

_KINDS = {"m.image": "image", "m.video": "video", "m.audio": "audio", "m.file": "file"}
_VOICE = ("org.matrix.msc3245.voice", "m.voice")
_GEO = re.compile(r"geo:(-?[0-9]{1,3}(?:\.[0-9]{1,15})?),(-?[0-9]{1,3}(?:\.[0-9]{1,15})?)(?:[,;].*)?", re.DOTALL)
_MXC = re.compile(r"mxc://([A-Za-z0-9.:\[\]-]{1,230})/([A-Za-z0-9_-]{1,150})", re.ASCII)
_FALLBACK_QUOTE = re.compile(r"(?:>[^\n]*\n)+\n?")
_BLOCKS = frozenset("p div br li tr h1 h2 h3 h4 h5 h6 pre blockquote".split())


def words_of(content: Fields, name: str) -> str:
    """The text of a message as plain text. Of a file it is the caption; `name` is whose doing an emote tells."""
    if read_location(content.text("msgtype"), content) or (read_file(content) and not _has_caption(content)):
        return ""
    text = content.text("body") or _plain(content.text("formatted_body"))
    if content.one("m.relates_to").has("m.in_reply_to"):  # old programs repeat what they answer
        text = _FALLBACK_QUOTE.sub("", text, count=1) if text.startswith("> <") else text
    return f"* {name} {text}" if content.text("msgtype") == "m.emote" else text


def read_attachments(event_type: str, content: Fields) -> tuple[Attachment, ...]:
    if event_type == "m.sticker":
        file = _file("sticker", content, content.text("body"))
        return (file,) if file else ()
    found = read_location(content.text("msgtype"), content) or read_file(content)
    return (found,) if found else ()


def read_file(content: Fields) -> Attachment | None:
    kind = _KINDS.get(content.text("msgtype"), "")
    return _file(kind, content, content.text("filename") or content.text("body")) if kind else None


def read_location(msgtype: str, content: Fields) -> Attachment | None:
    found = _GEO.fullmatch(content.text("geo_uri")) if msgtype == "m.location" else None
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        return None
    lat, lon = float(found[1]), float(found[2])
    return Attachment(kind="location", name=content.text("body"), details={"lat": lat, "lon": lon})


def read_poll(event_type: str, content: Fields) -> str:
    """A poll as text, as its writer's program put it for those that know no polls."""
    if event_type not in ("m.poll.start", "org.matrix.msc3381.poll.start"):
        return ""
    for told in content.many("m.text"):
        if told.text("body"):
            return told.text("body")
    return content.text("org.matrix.msc1767.text") or content.text("body")


def place_of_file(mxc: str) -> tuple[str, str] | None:
    """Server and media id of an mxc address; None when it is none."""
    found = _MXC.fullmatch(mxc)
    return (found[1], found[2]) if found else None


def moment(milliseconds: int | None) -> datetime:
    try:
        return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return NO_TIME


def _file(kind: str, content: Fields, name: str) -> Attachment | None:
    if place_of_file(content.text("url")) is None:  # an encrypted file has no address of its own
        return None
    info = content.one("info")
    seconds = (info.size("duration") or 0) / 1000
    details = {"seconds": math.ceil(seconds)} if 0 < seconds < 10**9 else {}
    if any(content.has(mark) for mark in _VOICE):
        details |= {"voice": True}
    return Attachment(
        kind=kind,
        external_id=content.text("url"),
        name=name,
        mime=info.text("mimetype"),
        size=info.size("size"),
        details=details,
    )


def _has_caption(content: Fields) -> bool:
    return content.has("filename") and content.text("filename") != content.text("body")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text, self.hidden = "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag == "mx-reply"
        self.text += "\n" if tag in _BLOCKS else ""

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag == "mx-reply" and self.hidden > 0
        self.text += "\n" if tag in _BLOCKS else ""

    def handle_data(self, data: str) -> None:
        self.text += "" if self.hidden else data


def _plain(html: str) -> str:
    """For the rare message with markup alone."""
    reader = _Reader()
    reader.feed(html[:100_000])
    reader.close()
    return re.sub(r"\n{2,}", "\n", reader.text).strip()
