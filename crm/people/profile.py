"""What the page of a customer shows of what crm knows: addresses, origin, consent, records."""

from dataclasses import dataclass
from typing import Any

from crm.consent.models import Consent
from crm.marketing.models import CampaignResponse
from crm.people.models import Customer, Identity, Origin
from crm.records import Record, is_open, kind_of
from crm.sales.models import Lead, Opportunity
from crm.support.models import Ticket

SHOWN = 12  # records: open ones first, then the newest
PAGES: dict[str, str] = {"campaign_response": "campaign-response"}  # where the page is not named like the kind


@dataclass(frozen=True, slots=True)
class Card:
    """A record in short. `page`: the name of its page."""

    kind: str
    page: str
    record: Any
    is_open: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """`consents`: the newest word per purpose and kind of channel."""

    identities: list[Identity]
    origin: Origin | None
    consents: list[Consent]
    records: list[Card]


def profile_of(customer: Customer) -> Profile:
    return Profile(
        identities=list(Identity.objects.filter(customer=customer).order_by("pk")),
        origin=Origin.objects.filter(customer=customer).select_related("campaign").first(),
        consents=_consents(customer),
        records=_records(customer),
    )


def _consents(customer: Customer) -> list[Consent]:
    newest: dict[tuple[str, str], Consent] = {}
    for consent in Consent.objects.filter(customer=customer).order_by("at", "pk"):
        newest[consent.purpose, consent.kind] = consent
    return list(newest.values())


def _records(customer: Customer) -> list[Card]:
    found: list[Record] = []
    for model in (Ticket, Lead, Opportunity, CampaignResponse):
        found += model.objects.filter(customer=customer).order_by("-opened_at")[:SHOWN]
    found.sort(key=lambda record: (is_open(record), record.opened_at), reverse=True)
    return [_card(record) for record in found[:SHOWN]]


def _card(record: Record) -> Card:
    kind = kind_of(record)
    return Card(kind, PAGES.get(kind, kind), record, is_open(record))
