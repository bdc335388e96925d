"""Header fields, read one by one: what is broken in one costs nothing of another."""

import email.errors
import email.header
import email.utils
import re
from collections.abc import Iterable
from datetime import UTC
from email.message import Message

from channels_adapters.mailreading.charsets import decode
from channels_adapters.mailreading.letter import Person
from conversations.text import clean, clean_line

LONGEST = 20_000  # characters of one field that are read
SUBJECT, NAME, PEOPLE, IDS = 300, 160, 50, 30
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0]|[\U000e0000-\U000e007f]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_TURNS_AROUND = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\]{1,190}")
_ANGLE = re.compile(r"<\s*([^<>]*?)\s*>")
_ID = re.compile(r"<([^<>\s]{1,250})>")
_BARE_ID = re.compile(r"[^<>\s,;]{1,250}@[^<>\s,;]{1,200}")


def raw(mail: Message, name: str) -> list[str]:
    """The field's values as they came, unfolded, at most so long."""
    wanted = name.lower()
    found = (value for key, value in mail.raw_items() if key.lower() == wanted)
    return [re.sub(r"\r?\n[ \t]?", " ", str(value)[:LONGEST]).strip() for value in found]


def first(mail: Message, name: str) -> str:
    return next(iter(raw(mail, name)), "")


def words(value: str) -> str:
    """The field's text: encoded words and raw bytes decoded."""
    try:
        pieces = email.header.decode_header(value.encode("utf-8", "surrogateescape").decode("latin-1"))
    except (email.errors.HeaderParseError, ValueError):
        pieces = [(value.encode("utf-8", "surrogateescape"), None)]
    return "".join(_piece(piece, charset) for piece, charset in pieces)


def _piece(piece: bytes | str, charset: str | None) -> str:
    data = piece.encode("latin-1", "replace") if isinstance(piece, str) else piece
    return decode(data, charset or "utf-8")


def line(value: str, limit: int) -> str:
    """One line to show: without letters that are not seen or that turn the others around."""
    return clean_line(_UNSEEN.sub("", words(value)), limit)


def unturned(text: str) -> str:
    """The text without marks that change the direction of what follows: an agent reads it as it is written."""
    return clean(_TURNS_AROUND.sub("", text))


def people(mail: Message, *names: str) -> tuple[Person, ...]:
    """Everybody in these fields who has an address that can be one."""
    found = [person for name in names for value in raw(mail, name) for person in _people_in(value)]
    return tuple(found[:PEOPLE])


def _people_in(value: str) -> Iterable[Person]:
    angles = _ANGLE.findall(value)
    if len(angles) == 1 and "," not in _ANGLE.sub("", value).replace('"', ""):  # Name <address>, whatever the name is
        yield from _person(_ANGLE.split(value)[0].strip().strip('"'), angles[0])
        return
    try:
        found = [person for pair in email.utils.getaddresses([value]) for person in _person(*pair)]
    except RecursionError:  # comments within comments
        found = []
    hidden = None if found else _ADDRESS.search(value)
    yield from found or (_person("", hidden[0]) if hidden else ())


def _person(name: str, address: str) -> Iterable[Person]:
    address = words(address).strip()
    if _ADDRESS.fullmatch(address):
        yield Person(_honest(line(name.replace('\\"', '"'), NAME), address), address)


def _honest(name: str, address: str) -> str:
    """The name, unless it is somebody else's address."""
    inside = _ADDRESS.search(name.replace("＠", "@"))
    return address if inside and inside[0].lower() != address.lower() else name


def ids(mail: Message, name: str) -> tuple[str, ...]:
    """Message ids without brackets, in the field's order, each once."""
    value = " ".join(raw(mail, name))
    found = _ID.findall(value) or _BARE_ID.findall(value)
    return tuple(dict.fromkeys(clean_line(each, 250) for each in found))[-IDS:]


def date(mail: Message) -> str:
    try:
        said = email.utils.parsedate_to_datetime(first(mail, "Date"))
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
