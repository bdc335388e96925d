"""The event feed: everything that happened in the workspace, in order, from a number on. All events are kept."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Schema

from crm.api.access import Token, new_router
from crm.api.lists import LARGEST_ID
from crm.api.problems import refusals
from crm.workspace.models import Event

router = new_router("events")
LONGEST_WAIT = 30  # seconds; a proxy gives up after 60
READ = Token("read", "conversation.view")


class Subject(Schema):
    kind: str = Field(description="`message`, `conversation`, `ticket` …")
    id: int


class EventOut(Schema):
    """Something that happened. Numbers have no gaps and follow the order in which changes became visible."""

    number: int
    at: datetime
    verb: str = Field(description="As `message.received`")
    actor: str | None = Field(description="The member who did it; null: a customer or the system")
    cause: str
    changed: dict[str, Any] = Field(description="What changed: name to [before, after]")
    customer: int | None
    conversation: int | None
    subject: Subject | None


class EventList(Schema):
    items: list[EventOut]
    next: int | None = Field(description="Send it as `since` next time; null: nothing newer yet")


class EventFilter(Schema):
    since: int = Field(0, ge=0, le=LARGEST_ID, description="The number of the last event you have")
    limit: int = Field(50, ge=1, le=200)
    wait: int = Field(
        0,
        ge=0,
        le=LONGEST_WAIT,
        description="Seconds to wait for something newer; 0: not at all",
    )


@router.get("", auth=READ, response={200: EventList, **refusals()}, operation_id="list_events")
def events(request: HttpRequest, asked: Query[EventFilter]) -> EventList:
    """Events after `since`, the oldest first. With `wait` the answer comes as soon as there is one."""
    found = Event.objects.filter(number__gt=asked.since).select_related("actor__agent").order_by("number")
    items = [event_out(event) for event in found[: asked.limit]]
    return EventList(items=items, next=items[-1].number if items else None)


def event_out(event: Event) -> EventOut:
    """The event as programs see it, in the feed and in webhooks."""
    subject = Subject(kind=event.subject_kind, id=event.subject_id) if event.subject_id is not None else None
    return EventOut(
        number=event.number,
        at=event.at,
        verb=event.verb,
        actor=event.actor.name if event.actor else None,
        cause=event.cause,
        changed=event.changed or {},
        customer=event.customer_id,
        conversation=event.conversation_id,
        subject=subject,
    )
