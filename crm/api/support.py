"""Tickets in the API."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from crm.api.access import new_router
from crm.api.lists import Id, page
from crm.api.problems import refusals
from crm.api.records import READ, RecordFilter, RecordOut, common, narrowed
from crm.support.models import Ticket

router = new_router("tickets")


class TicketOut(RecordOut):
    intent: str
    urgency: int = Field(description="0: nobody has to act .. 3: now")
    closed_at: datetime | None


class TicketList(Schema):
    items: list[TicketOut]
    next: str | None


class TicketFilter(RecordFilter):
    status: Ticket.Status | None = None


@router.get("", auth=READ, response={200: TicketList, **refusals()}, operation_id="list_tickets")
def tickets(request: HttpRequest, asked: Query[TicketFilter]) -> TicketList:
    """Tickets, the newest first."""
    found = narrowed(_all(), asked)
    rows, after = page(found.filter(status=asked.status) if asked.status else found, asked, by="opened_at")
    return TicketList(items=[_shown(row) for row in rows], next=after)


@router.get("/{ticket_id}", auth=READ, response={200: TicketOut, **refusals(404)}, operation_id="get_ticket")
def ticket(request: HttpRequest, ticket_id: Id) -> TicketOut:
    """One ticket, by its id (not its number)."""
    return _shown(get_object_or_404(_all(), pk=ticket_id))


def _all() -> QuerySet[Any]:
    rows: QuerySet[Any] = Ticket.objects.select_related("customer", "owner__agent")
    return rows


def _shown(row: Ticket) -> TicketOut:
    return TicketOut(**common(row), intent=row.intent, urgency=row.urgency, closed_at=row.closed_at)
