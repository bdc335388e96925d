"""Everything between a customer and us: their conversations, and what happened to their records, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, RoutedRecord
from crm.people.models import Customer
from crm.workspace import paging
from crm.workspace.models import Event

SHOWN = 30
VIEWS: dict[str, str | Promise] = {
    "all": _("All"),
    "talk": _("Talk"),
    "support": _("Support"),
    "sales": _("Sales"),
    "marketing": _("Marketing"),
}
KINDS = {  # a record's model name, as events keep it: the record's function and the name of its page
    "ticket": ("support", "ticket"),
    "lead": ("sales", "lead"),
    "opportunity": ("sales", "opportunity"),
    "campaignresponse": ("marketing", "campaign-response"),
    "consent": ("marketing", ""),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation, or an event with the record it happened to (None when that is gone, and for consent)."""

    at: datetime
    function: str
    conversation: Conversation | None = None
    event: Event | None = None
    record: Any = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class Between:
    """`after`: where the next page goes on, '' on the last."""

    entries: list[Entry]
    view: str
    after: str


def between(customer: Customer, *, view: str = "all", after: str = "") -> Between:
    """A page of what a view holds; a cursor has a part for conversations and one for events."""
    view = view if view in VIEWS else "all"
    talk_after, _tilde, event_after = after.partition("~")
    talk = paging.page(_conversations(customer, view), "last_message_at", talk_after, size=SHOWN)
    done = paging.page(_events(customer, view), "at", event_after, size=SHOWN)
    entries = [Entry(row.last_message_at, row.function, conversation=row) for row in talk.rows]
    entries += _with_records(done.rows)
    entries.sort(key=lambda entry: (entry.at, entry.event is not None), reverse=True)
    is_more = bool(talk.after or done.after or len(entries) > SHOWN)
    shown = entries[:SHOWN]
    return Between(shown, view, _next(shown, talk_after, event_after) if is_more else "")


def conversations_of_record(record: Any, kind: str) -> list[RoutedRecord]:
    """The links to the conversations that led to a record; those of its lead count for an opportunity."""
    rows = RoutedRecord.objects.select_related("conversation__inbox", "conversation__assignee__agent", "message")
    found = list(rows.filter(**{kind: record})[:SHOWN])
    if kind == "opportunity" and record.lead_id:
        found += rows.filter(lead=record.lead_id)[:SHOWN]
    return found


def _conversations(customer: Customer, view: str) -> QuerySet[Conversation]:
    rows: QuerySet[Conversation] = Conversation.objects.filter(customer=customer)
    rows = rows.select_related("inbox", "assignee__agent")
    return rows if view in ("all", "talk") else rows.filter(function=view)


def _events(customer: Customer, view: str) -> QuerySet[Event]:
    wanted = [kind for kind, (function, _page) in KINDS.items() if view in ("all", function)]
    rows: QuerySet[Event] = Event.objects.filter(customer=customer, subject_kind__in=wanted)
    return rows.select_related("actor__agent")


def _with_records(events: Iterable[Event]) -> list[Entry]:
    events = list(events)
    known: dict[tuple[str, int], Any] = {}
    for field in RoutedRecord.KINDS:
        model: Any = RoutedRecord._meta.get_field(field).related_model
        kind = model._meta.model_name
        ids = {event.subject_id for event in events if event.subject_kind == kind}
        known |= {(kind, pk): record for pk, record in model.objects.in_bulk(ids).items()} if ids else {}
    return [_entry(event, known.get((event.subject_kind, event.subject_id or 0))) for event in events]


def _entry(event: Event, record: Any) -> Entry:
    function, page = KINDS[event.subject_kind]
    return Entry(event.at, function, event=event, record=record, page=page)


def _next(shown: list[Entry], talk_after: str, event_after: str) -> str:
    for entry in shown:
        if entry.conversation is not None:
            talk_after = str(paging.cursor_of(entry.conversation, "last_message_at"))
        elif entry.event is not None:
            event_after = str(paging.cursor_of(entry.event, "at"))
    return f"{talk_after}~{event_after}"
