"""Keys of our records, made from what they are for: putting one up a second time changes nothing."""

import hashlib
from datetime import UTC, datetime, timedelta

from channels_adapters.contract import OutboundPart
from crm.workspace import clock

POST, LIKE, GATE = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.threadgate"
_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_YEAR = 365 * 24 * 3600 * 1_000_000  # microseconds


def key_of(part: OutboundPart, number: int) -> str:
    """Of the part's post with that number. The moment is in it, so that another database never makes the same."""
    return _tid(_micros(part.wanted_at or _SINCE) + number, part.delivery_id % 1024)


def next_key(key: str) -> str:
    """Of the next post of the same part; '' when the key is none of ours."""
    if len(key) != 13 or set(key) - set(_LETTERS):
        return ""
    number = 0
    for letter in key:
        number = number << 5 | _LETTERS.index(letter)
    return _tid((number >> 10) + 1, number & 1023)


def key_for(target: str) -> str:
    """Of our like of a post: always the same, so it can be taken back."""
    number = int.from_bytes(hashlib.sha256(target.encode()).digest()[:8])
    return _tid(_micros(_SINCE) + number % _YEAR, number % 1024)


def moment(part: OutboundPart, number: int) -> str:
    """When the record says that it was made: when the part was wanted, so that a repeat is the same record."""
    at = (part.wanted_at or clock.now()) + timedelta(milliseconds=number)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _tid(micros: int, clock_id: int) -> str:
    """The protocol's timestamp identifier: 53 bits of time and 10 of a clock's number, in letters that sort."""
    number = micros << 10 | clock_id
    return "".join(_LETTERS[number >> 5 * place & 31] for place in range(12, -1, -1))
