"""The tables of crm, gathered for Django; each lives with its concern."""

from crm.consent.models import Consent
from crm.marketing.models import Campaign, CampaignResponse, Segment
from crm.people.models import Company, Customer, Identity, Origin
from crm.sales.models import Lead, Opportunity, Quote
from crm.support.models import Ticket
from crm.workspace.models import Agent, Counter, Event, Membership, Team, Workspace
from crm.workspace.tokens import ApiToken

__all__ = [
    "Agent",
    "ApiToken",
    "Campaign",
    "CampaignResponse",
    "Company",
    "Consent",
    "Counter",
    "Customer",
    "Event",
    "Identity",
    "Lead",
    "Membership",
    "Opportunity",
    "Origin",
    "Quote",
    "Segment",
    "Team",
    "Ticket",
    "Workspace",
]
