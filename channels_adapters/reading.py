"""Reads the JSON of a platform field by field: what is missing, null or of another type is simply not there.

A vendor's own reader gives up on the whole delivery when one date or one nested object is broken, which would keep a
customer's words from the agent; so what arrives is read here, and the vendor's library does everything that leaves.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from conversations.text import clean

NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # the platform said none that exists; the hub takes the time of arrival
_LARGEST = 2**63


class Broken(Exception):
    """Not what the platform sends. Its text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object. Every reader gives an empty value where there is nothing to read."""

    raw: Mapping[str, Any]

    def __bool__(self) -> bool:
        return bool(self.raw)

    def has(self, key: str) -> bool:
        return self.raw.get(key) is not None

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        return clean(value) if isinstance(value, str) else ""

    def is_true(self, key: str) -> bool:
        return self.raw.get(key) is True

    def number(self, key: str) -> int | None:
        value = self.raw.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return value if -_LARGEST <= value < _LARGEST else None

    def identifier(self, key: str) -> str:
        value = self.number(key)
        return "" if value is None else str(value)

    def size(self, key: str) -> int | None:
        value = self.number(key)
        return value if value is not None and value >= 0 else None

    def degrees(self, key: str, limit: int) -> float | None:
        value = self.raw.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if math.isfinite(value) and abs(value) <= limit else None

    def one(self, key: str) -> "Fields":
        value = self.raw.get(key)
        return Fields(value if isinstance(value, dict) else {})

    def many(self, key: str) -> Iterator["Fields"]:
        value = self.raw.get(key)
        return (Fields(item) for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())

    def rows(self, key: str) -> Iterator["Fields"]:
        """The objects of a list of lists."""
        value = self.raw.get(key)
        for row in value if isinstance(value, list) else ():
            yield from Fields({"row": row}).many("row")

    def moment(self, key: str) -> datetime:
        try:
            return datetime.fromtimestamp(self.number(key) or 0, UTC)
        except (ValueError, OverflowError, OSError):  # after the year 9999, or more than this machine counts
            return NO_TIME


def read_object(body: bytes) -> Fields:
    """The JSON object that the bytes are; raises Broken."""
    try:
        read = json.loads(body.decode("utf-8", "surrogatepass"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise Broken("the body is not UTF-8") from error
    except RecursionError as error:
        raise Broken("the body is nested too deeply") from error
    except ValueError as error:  # bad JSON, NaN, or a number of more digits than Python reads
        raise Broken("the body is not JSON") from error
    if not isinstance(read, dict):
        raise Broken("the body is not a JSON object")
    return Fields(read)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
