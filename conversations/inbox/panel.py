"""The customer panel: who they are, what they led to, what was said before."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, RoutedRecord
from crm import records
from crm.people.models import Identity, Origin
from crm.sales.models import Opportunity

SHOWN = 8
NOUNS = {
    "ticket": "Ticket",
    "lead": "Lead",
    "opportunity": "Opportunity",
    "campaign_response": "Campaign response",
}
WON, LOST, PURSUED = _("won"), _("lost"), _("open")


@dataclass(frozen=True, slots=True)
class RecordCard:
    """`noun`: our word, for `term`. `page`: the name of the record's page."""

    noun: str
    page: str
    pk: int
    number: int
    title: str
    function: str
    status: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Panel:
    identities: list[Identity]
    origin: Origin | None
    records: list[RecordCard]
    earlier: list[Conversation]


def panel_of(conversation: Conversation) -> Panel:
    """What the panel beside a conversation shows, in four queries."""
    customer = conversation.customer
    before = Conversation.objects.filter(customer=customer).exclude(pk=conversation.pk)
    origin: Origin | None = Origin.objects.filter(customer=customer).select_related("campaign").first()
    return Panel(
        identities=list(Identity.objects.filter(customer=customer).order_by("pk")),
        origin=origin,
        records=_records(conversation),
        earlier=list(before.select_related("inbox").newest_first()[:SHOWN]),
    )


def _records(conversation: Conversation) -> list[RecordCard]:
    links = RoutedRecord.objects.filter(conversation__customer_id=conversation.customer_id)
    links = links.select_related(*RoutedRecord.KINDS).order_by("-pk")
    cards = {(card.page, card.pk): card for card in map(_card, links[: SHOWN * 2])}
    return sorted(cards.values(), key=lambda card: not card.is_open)[:SHOWN]


def _card(link: RoutedRecord) -> RecordCard:
    record = link.record
    kind = records.kind_of(record)
    return RecordCard(
        noun=NOUNS[kind],
        page=kind.replace("_", "-"),
        pk=record.pk,
        number=record.number,
        title=record.title,
        function=record.function,
        status=_status(record),
        is_open=records.is_open(record),
    )


def _status(record: records.Record) -> str:
    if isinstance(record, Opportunity):
        return str(WON if record.won_at else LOST if record.lost_at else PURSUED)
    return str(record.get_status_display())
