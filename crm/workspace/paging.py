"""Pages of a list, newest first, by a cursor: row 100,000 costs what row 1 costs, and a page does not slip when
rows are added before it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Model, Q, QuerySet

PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of the page before: its time, None where it has none, and its key."""

    at: datetime | None
    pk: int

    def __str__(self) -> str:
        at = "" if self.at is None else (self.at - _EPOCH) // _MICROSECOND
        return f"{at}.{self.pk}"


@dataclass(frozen=True, slots=True)
class Page:
    """`after`: the cursor of the next page, '' on the last."""

    rows: list[Any]
    after: str


def page(rows: QuerySet[Any], by: str, after: str = "", *, size: int = PAGE) -> Page:
    """Up to `size` rows after a cursor, newest by the time `by` first; those without a time come last."""
    found = rows.order_by(F(by).desc(nulls_last=True), "-pk")
    cursor = read(after)
    if cursor is not None:
        found = found.filter(_after(by, cursor))
    taken = list(found[: size + 1])
    is_more, taken = len(taken) > size, taken[:size]
    return Page(taken, str(cursor_of(taken[-1], by)) if is_more else "")


def read(text: str) -> Cursor | None:
    """The cursor as it was written; None for anything else, which means the first page."""
    at, dot, pk = text.partition(".")
    if not (dot and pk.isascii() and pk.isdigit() and len(text) < 38):
        return None
    if not at:
        return Cursor(None, int(pk))
    if not (at.isascii() and at.isdigit()):
        return None
    try:
        return Cursor(_EPOCH + int(at) * _MICROSECOND, int(pk))
    except OverflowError:
        return None


def cursor_of(row: Model, by: str) -> Cursor:
    """Where a page that ends with `row` goes on."""
    return Cursor(getattr(row, by), row.pk)


def _after(by: str, cursor: Cursor) -> Q:
    if cursor.at is None:
        return Q(**{f"{by}__isnull": True}, pk__lt=cursor.pk)
    before = Q(**{f"{by}__lt": cursor.at}) | Q(**{by: cursor.at}, pk__lt=cursor.pk)
    return before | Q(**{f"{by}__isnull": True})
