"""Lists of the API: `{"items": [...], "next": cursor or null}`, newest first, a page at a time."""

import base64
import binascii
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Field, Schema
from pydantic import BaseModel, ConfigDict

from crm.api.problems import Refusal
from crm.workspace import paging

LARGEST_ID = 2**63 - 1
FOREIGN = "This cursor is not one of ours: begin again without it."
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class Given(BaseModel):
    """A body that is sent to us. Not Ninja's Schema: that takes a list for an object without fields."""

    model_config = ConfigDict(strict=True)


class PageOf(Schema):
    """Which page of a list: `cursor` is `next` of the page before."""

    limit: int = Field(50, ge=1, le=200)
    cursor: str = Field("", max_length=80, description="`next` of the page before; empty for the first page")


def page(rows: QuerySet[Any], asked: PageOf, *, by: str) -> tuple[list[Any], str | None]:
    """The rows of the page that was asked for, and the cursor of the next one."""
    after = _read(asked.cursor)
    found = paging.page(rows, by, after, size=asked.limit)
    return found.rows, _written(found.after) if found.after else None


def page_by_number(rows: QuerySet[Any], asked: PageOf, *, by: str) -> tuple[list[Any], str | None]:
    """The same for a list in the order of a number, the lowest first."""
    after = _decoded(asked.cursor) if asked.cursor else "0"
    if not (after.isascii() and after.isdigit() and int(after[:20]) <= LARGEST_ID):
        raise Refusal(422, FOREIGN)
    found = list(rows.filter(**{f"{by}__gt": int(after)}).order_by(by)[: asked.limit + 1])
    is_more, found = len(found) > asked.limit, found[: asked.limit]
    return found, _written(str(getattr(found[-1], by))) if is_more else None


def clean(text: str) -> str:
    """Words to search for, without what a database refuses."""
    return "".join(letter for letter in text if letter != "\x00" and not "\ud800" <= letter <= "\udfff").strip()


def _written(cursor: str) -> str:
    return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _read(cursor: str) -> str:
    if not cursor:
        return ""
    text = _decoded(cursor)
    known = paging.read(text)
    if known is None or known.pk > LARGEST_ID:
        raise Refusal(422, FOREIGN)
    return text
