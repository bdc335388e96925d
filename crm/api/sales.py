"""Leads and opportunities in the API."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from crm.api.access import new_router
from crm.api.lists import Id, page
from crm.api.problems import refusals
from crm.api.records import READ, RecordFilter, RecordOut, common, narrowed
from crm.sales.models import Lead, Opportunity

leads = new_router("leads")
opportunities = new_router("opportunities")
STATUSES = {
    "open": Q(won_at=None, lost_at=None),
    "won": Q(won_at__isnull=False),
    "lost": Q(won_at=None, lost_at__isnull=False),
}


class LeadOut(RecordOut):
    intent: str
    closed_at: datetime | None


class LeadList(Schema):
    items: list[LeadOut]
    next: str | None


class LeadFilter(RecordFilter):
    status: Lead.Status | None = None


class OpportunityOut(RecordOut):
    stage: str
    amount: Decimal | None
    currency: str = Field(description="ISO 4217, as `EUR`; empty: not said")
    lead: int | None = Field(description="The id of the lead it came from")
    closes_on: date | None
    won_at: datetime | None
    lost_at: datetime | None


class OpportunityList(Schema):
    items: list[OpportunityOut]
    next: str | None


class OpportunityFilter(RecordFilter):
    status: Literal["open", "won", "lost"] | None = None


@leads.get("", auth=READ, response={200: LeadList, **refusals()}, operation_id="list_leads")
def list_leads(request: HttpRequest, asked: Query[LeadFilter]) -> LeadList:
    """Leads, the newest first."""
    found = narrowed(_rows(Lead), asked)
    rows, after = page(found.filter(status=asked.status) if asked.status else found, asked, by="opened_at")
    return LeadList(items=[_lead(row) for row in rows], next=after)


@leads.get("/{lead_id}", auth=READ, response={200: LeadOut, **refusals(404)}, operation_id="get_lead")
def get_lead(request: HttpRequest, lead_id: Id) -> LeadOut:
    """One lead, by its id (not its number)."""
    return _lead(get_object_or_404(_rows(Lead), pk=lead_id))


@opportunities.get("", auth=READ, response={200: OpportunityList, **refusals()}, operation_id="list_opportunities")
def list_opportunities(request: HttpRequest, asked: Query[OpportunityFilter]) -> OpportunityList:
    """Opportunities, the newest first."""
    found = narrowed(_rows(Opportunity), asked)
    rows, after = page(found.filter(STATUSES[asked.status]) if asked.status else found, asked, by="opened_at")
    return OpportunityList(items=[_opportunity(row) for row in rows], next=after)


@opportunities.get(
    "/{opportunity_id}", auth=READ, response={200: OpportunityOut, **refusals(404)}, operation_id="get_opportunity"
)
def get_opportunity(request: HttpRequest, opportunity_id: Id) -> OpportunityOut:
    """One opportunity, by its id (not its number)."""
    return _opportunity(get_object_or_404(_rows(Opportunity), pk=opportunity_id))


def _rows(model: type[Lead] | type[Opportunity]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.select_related("customer", "owner__agent")
    return rows


def _lead(row: Lead) -> LeadOut:
    return LeadOut(**common(row), intent=row.intent, closed_at=row.closed_at)


def _opportunity(row: Opportunity) -> OpportunityOut:
    facts: dict[str, Any] = {"stage": row.stage, "amount": row.amount, "currency": row.currency, "lead": row.lead_id}
    return OpportunityOut(**common(row), **facts, closes_on=row.closes_on, won_at=row.won_at, lost_at=row.lost_at)
