"""Ids, times and lists as Meta writes them. One broken item costs only itself."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from channels_adapters.reading import NO_TIME, Broken, Fields
from conversations.normalized import Inbound, InboundMessage, Receipt

_MILLISECONDS = 10**12  # a smaller number is one of seconds
_LONGEST = 16  # digits


def name_of(fields: Fields, key: str) -> str:
    """An id: text, though numbers have been seen."""
    return fields.text(key).strip() or fields.identifier(key)


def needed(fields: Fields, key: str) -> str:
    """An id without which nothing can be done; raises Broken."""
    if not name_of(fields, key):
        raise Broken(f"there is no {key}")
    return name_of(fields, key)


def moment(fields: Fields, key: str) -> datetime:
    """A time in seconds or milliseconds, as a number or as digits; NO_TIME when it is none."""
    digits = name_of(fields, key)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST):
        return NO_TIME
    count = int(digits)
    try:
        if count < _MILLISECONDS:
            return datetime.fromtimestamp(count, UTC)
        return datetime.fromtimestamp(count // 1000, UTC).replace(microsecond=count % 1000 * 1000)
    except (ValueError, OverflowError, OSError):
        return NO_TIME


def each(items: Iterable[Fields], read: Callable[[Fields], list[Inbound]]) -> list[Inbound]:
    """What the items say, one after another. Raises Broken when none says anything and one could not be read."""
    found: list[Inbound] = []
    problem: Broken | None = None
    for item in items:
        try:
            found += read(item)
        except Broken as broken:
            problem = problem or broken
    if problem is not None and not found:
        raise problem
    return found


def once(events: Iterable[Inbound]) -> list[Inbound]:
    """The events without those that stand in the delivery twice."""
    seen: set[object] = set()
    kept = []
    for event in events:
        key = _key(event)
        if key is None or key not in seen:
            kept.append(event)
        seen.add(key)
    return kept


def scalars(fields: Fields) -> dict[str, str]:
    """The object's texts and numbers, as text: what is kept of it."""
    return {key: value for key in fields.raw if (value := name_of(fields, key))}


def _key(event: Inbound) -> object:
    if isinstance(event, InboundMessage):
        return (event.thread_id, event.external_id)
    return replace(event, at=NO_TIME) if isinstance(event, Receipt) else None
