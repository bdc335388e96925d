"""From lead to deal: a lead is qualified or not, an opportunity is priced, won or lost, and each may be taken back."""

from datetime import datetime
from decimal import Decimal

from crm import records
from crm.sales.models import Lead, Opportunity
from crm.workspace import clock
from crm.workspace.events import Change, change, next_number
from crm.workspace.models import Membership


def qualify(lead: Lead, *, by: Membership, at: datetime | None = None) -> Opportunity | None:
    """The lead is worth pursuing: it has an opportunity from now on. None when the lead is not open."""
    with change(by.workspace, actor=by, cause="page") as event:
        lead = _lock_lead(lead)
        if not records.is_open(lead):
            return None
        at = at or clock.now()
        records.close(event, lead, Lead.Status.QUALIFIED, at)
        known = Opportunity.objects.filter(lead=lead).first()
        return known or _open(event, lead, by, at)


def disqualify(lead: Lead, *, by: Membership, at: datetime | None = None) -> None:
    """The lead is not worth pursuing; one that is closed is left alone."""
    with change(by.workspace, actor=by, cause="page") as event:
        records.close(event, _lock_lead(lead), Lead.Status.DISQUALIFIED, at or clock.now())


def reopen_lead(lead: Lead, *, by: Membership) -> None:
    """The lead is open again. One that was qualified stays so: its opportunity is what goes on."""
    with change(by.workspace, actor=by, cause="page") as event:
        lead = _lock_lead(lead)
        if lead.status != Lead.Status.QUALIFIED:
            records.reopen(event, lead, clock.now())


def price(
    opportunity: Opportunity, amount: Decimal, currency: str, *, by: Membership, at: datetime | None = None
) -> None:
    """The opportunity is worth `amount` in `currency` (ISO 4217)."""
    with change(by.workspace, actor=by, cause="page") as event:
        opportunity = _lock_opportunity(opportunity)
        before = opportunity.amount
        opportunity.amount, opportunity.currency = amount, currency
        opportunity.save(update_fields=["amount", "currency"])
        changed = {"amount": [str(before) if before is not None else None, f"{amount} {currency}"]}
        event.record(
            "opportunity.priced", opportunity, customer=opportunity.customer, changed=changed, at=at or clock.now()
        )


def win(opportunity: Opportunity, *, by: Membership, at: datetime | None = None) -> None:
    """The deal is won; one that is decided already is left alone."""
    _decide(opportunity, "won", by, at or clock.now())


def lose(opportunity: Opportunity, *, by: Membership, at: datetime | None = None) -> None:
    """The deal is lost; one that is decided already is left alone."""
    _decide(opportunity, "lost", by, at or clock.now())


def reopen(opportunity: Opportunity, *, by: Membership) -> None:
    """The deal is open again, neither won nor lost."""
    with change(by.workspace, actor=by, cause="page") as event:
        opportunity = _lock_opportunity(opportunity)
        if records.is_open(opportunity):
            return
        before = "won" if opportunity.won_at else "lost"
        opportunity.won_at = opportunity.lost_at = None
        opportunity.save(update_fields=["won_at", "lost_at"])
        changed = {"status": [before, "open"]}
        event.record("opportunity.reopened", opportunity, customer=opportunity.customer, changed=changed)


def _open(event: Change, lead: Lead, by: Membership, at: datetime) -> Opportunity:
    opportunity = Opportunity(workspace=event.workspace, customer=lead.customer, lead=lead, title=lead.title)
    opportunity.number, opportunity.owner = next_number(event.workspace, "opportunity"), lead.owner or by
    opportunity.opened_at = at
    opportunity.save()
    event.record("opportunity.opened", opportunity, customer=lead.customer, at=at)
    return opportunity


def _decide(opportunity: Opportunity, status: str, by: Membership, at: datetime) -> None:
    with change(by.workspace, actor=by, cause="page") as event:
        opportunity = _lock_opportunity(opportunity)
        if not records.is_open(opportunity):
            return
        setattr(opportunity, f"{status}_at", at)
        opportunity.save(update_fields=[f"{status}_at"])
        changed = {"status": ["open", status]}
        event.record(f"opportunity.{status}", opportunity, customer=opportunity.customer, changed=changed, at=at)


def _lock_lead(lead: Lead) -> Lead:
    found: Lead = Lead.objects.select_for_update(of=("self",), no_key=True).select_related("customer").get(pk=lead.pk)
    return found


def _lock_opportunity(opportunity: Opportunity) -> Opportunity:
    rows = Opportunity.objects.select_for_update(of=("self",), no_key=True).select_related("customer")
    found: Opportunity = rows.get(pk=opportunity.pk)
    return found
