"""Campaigns in the API."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema

from crm.api.access import new_router
from crm.api.lists import Id, PageOf, page
from crm.api.problems import refusals
from crm.api.records import READ
from crm.marketing.models import Campaign
from crm.workspace import clock

router = new_router("campaigns")


class CampaignOut(Schema):
    id: int
    name: str
    code: str = Field(description="As it comes back in a deep link or in utm_campaign")
    status: Literal["planned", "running", "ended"]
    segment: str | None
    starts_at: datetime
    ends_at: datetime | None
    responses: int = Field(description="How many people answered")


class CampaignList(Schema):
    items: list[CampaignOut]
    next: str | None


class CampaignFilter(PageOf):
    status: Literal["planned", "running", "ended"] | None = None


@router.get("", auth=READ, response={200: CampaignList, **refusals()}, operation_id="list_campaigns")
def campaigns(request: HttpRequest, asked: Query[CampaignFilter]) -> CampaignList:
    """Campaigns, the one that starts last first."""
    found = _all().filter(_rule(asked.status)) if asked.status else _all()
    rows, after = page(found, asked, by="starts_at")
    return CampaignList(items=[_shown(row) for row in rows], next=after)


@router.get("/{campaign_id}", auth=READ, response={200: CampaignOut, **refusals(404)}, operation_id="get_campaign")
def campaign(request: HttpRequest, campaign_id: Id) -> CampaignOut:
    """One campaign."""
    return _shown(get_object_or_404(_all(), pk=campaign_id))


def _all() -> QuerySet[Any]:
    rows: QuerySet[Any] = Campaign.objects.select_related("segment")
    return rows.annotate(answers=Count("responses", filter=~Q(responses__status="void")))


def _rule(status: str) -> Q:
    now = clock.now()
    planned, ended = Q(starts_at__gt=now), Q(ends_at__lte=now)
    return {"planned": planned, "ended": ~planned & ended, "running": ~planned & (Q(ends_at=None) | ~ended)}[status]


def _status(row: Campaign) -> Literal["planned", "running", "ended"]:
    now = clock.now()
    if row.starts_at > now:
        return "planned"
    return "ended" if row.ends_at is not None and row.ends_at <= now else "running"


def _shown(row: Any) -> CampaignOut:
    return CampaignOut(
        id=row.pk,
        name=row.name,
        code=row.code,
        status=_status(row),
        segment=row.segment.name if row.segment else None,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        responses=row.answers,
    )
