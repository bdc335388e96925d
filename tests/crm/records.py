"""Records of a workspace for tests of their pages. Call inside its scope."""

from typing import Any

from crm.models import Campaign, CampaignResponse, Customer, Lead, Opportunity, Ticket, Workspace
from crm.workspace import clock
from crm.workspace.events import change, next_number


def make_customer(workspace: Workspace, name: str = "Ada Lind", **facts: Any) -> Customer:
    return Customer.objects.create(workspace=workspace, name=name, **{"last_contact_at": clock.now(), **facts})


def make_record(model: Any, workspace: Workspace, **facts: Any) -> Any:
    """A ticket, lead, opportunity or campaign response with the next number of its kind."""
    with change(workspace):
        number = next_number(workspace, model.__name__.lower())
    known = {"title": "The blue lamp", "customer": facts.pop("customer", None) or make_customer(workspace), **facts}
    return model.objects.create(workspace=workspace, number=number, **known)


def make_campaign(workspace: Workspace, **facts: Any) -> Campaign:
    return Campaign.objects.create(workspace=workspace, **{"name": "Paper light", "code": "paper-light", **facts})


KINDS = [Ticket, Lead, Opportunity, CampaignResponse]
PAGES = {
    Ticket: ("support", "ticket"),
    Lead: ("sales", "lead"),
    Opportunity: ("opportunities", "opportunity"),
    CampaignResponse: ("marketing", "campaign-response"),
}
