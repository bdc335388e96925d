"""Opening and closing the records that conversations lead to: a ticket, a lead, a campaign response."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models

from crm.marketing.models import CampaignResponse
from crm.people.models import Customer
from crm.sales.models import Lead, Opportunity
from crm.support.models import Ticket
from crm.workspace.events import Change
from crm.workspace.models import Function

Record = Ticket | Lead | Opportunity | CampaignResponse
OF_FUNCTION: dict[str, type[Ticket] | type[Lead] | type[CampaignResponse]] = {
    Function.SUPPORT: Ticket,
    Function.SALES: Lead,
    Function.MARKETING: CampaignResponse,
}


def kind_of(record: models.Model) -> str:
    """`ticket`, `lead`, `opportunity` or `campaign_response`: also the name of the column that links it."""
    return "campaign_response" if isinstance(record, CampaignResponse) else (record._meta.model_name or "")


@dataclass(frozen=True, slots=True)
class Matter:
    """What a new record is about."""

    title: str
    intent: str = ""
    urgency: int = 1  # 0..3


def open_record(event: Change, function: str, customer: Customer, matter: Matter, at: datetime) -> Record:
    """A new record of the function's kind, announced; stored and numbered when the change ends."""
    record = OF_FUNCTION[function](workspace=event.workspace, customer=customer, opened_at=at)
    record.title, record.intent = matter.title[:200], matter.intent
    if isinstance(record, Ticket):
        record.urgency = matter.urgency
    if isinstance(record, CampaignResponse):
        origin = getattr(customer, "origin", None)
        record.campaign = origin.campaign if origin else None
    event.add(record)
    event.record(f"{kind_of(record)}.opened", record, customer=customer, at=at)
    return record


def is_open(record: Record) -> bool:
    if isinstance(record, Opportunity):
        return record.won_at is None and record.lost_at is None
    return record.status == "open"


def is_under_way(record: Record) -> bool:
    """Whether more about the same matter belongs to it: open, or a lead whose deal is still being pursued."""
    if isinstance(record, Lead) and record.status == Lead.Status.QUALIFIED:
        deal = Opportunity.objects.filter(lead=record).first()
        return deal is not None and is_open(deal)
    return is_open(record)


def close(event: Change, record: Record, status: str, at: datetime) -> None:
    """The record has `status` from now on; one that is closed already is left alone."""
    if isinstance(record, Opportunity) or not is_open(record):
        return
    before, record.status, record.closed_at = record.status, status, at
    record.save(update_fields=["status", "closed_at"])
    changed = {"status": [before, status]}
    event.record(f"{kind_of(record)}.closed", record, customer=record.customer, changed=changed, at=at)


def reopen(event: Change, record: Record, at: datetime) -> None:
    """The record is open again; an opportunity, or one that is open, is left alone."""
    if isinstance(record, Opportunity) or is_open(record):
        return
    before, record.status, record.closed_at = record.status, "open", None
    record.save(update_fields=["status", "closed_at"])
    changed = {"status": [before, "open"]}
    event.record(f"{kind_of(record)}.reopened", record, customer=record.customer, changed=changed, at=at)
