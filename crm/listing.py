"""A list of records by status: what its page shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.workspace import paging

Statuses = Mapping[str, tuple[str | Promise, Q]]  # name: how it reads above the list, and which rows it means
ALL: tuple[Promise, Q] = (_("All"), Q())


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """`after`: the cursor of the next page, '' on the last. `is_later`: this is not the first page."""

    rows: list[Any]
    after: str
    status: str
    tabs: list[Tab]
    is_later: bool


def listed(rows: QuerySet[Any], statuses: Statuses, asked: QueryDict, *, by: str = "opened_at") -> Listing:
    """The page of `rows` that was asked for by `status` and `after`; the first status when it is unknown."""
    status = asked.get("status", "")
    status = status if status in statuses else next(iter(statuses))
    after = asked.get("after", "")
    page = paging.page(rows.filter(statuses[status][1]), by, after)
    tabs = [Tab(name, str(label), name == status) for name, (label, _rule) in statuses.items()]
    return Listing(page.rows, page.after, status, tabs, paging.read(after) is not None)
