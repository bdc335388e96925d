"""Events become deliveries: each subscription has a cursor, and what is after it is written down before it moves."""

from datetime import UTC

from django.db import transaction
from django.db.models import F
from django_scopes import scope, scopes_disabled
from pydantic import BaseModel

from conversations.webhooks.kinds import PING
from conversations.webhooks.models import WebhookDelivery, WebhookSubscription
from crm.api.events import EventOut, event_out
from crm.workspace.models import Event, Workspace

AT_ONCE = 200  # events in one transaction


class Told(BaseModel):
    """What a subscriber receives, in the standard's form."""

    type: str
    timestamp: str
    data: EventOut


def plan() -> int:
    """Write a delivery for each event that a live subscription wants and has not been given; how many were new."""
    with scopes_disabled():
        live = WebhookSubscription.objects.filter(paused_at=None, cursor__lt=F("workspace__event_head"))
        behind = list(live.select_related("workspace").order_by("pk"))
    return sum(_plan_all(subscription.workspace, subscription.pk) for subscription in behind)


def _plan_all(workspace: Workspace, pk: int) -> int:
    made, more = 0, True
    while more:
        count, more = _plan_some(workspace, pk)
        made += count
    return made


def _plan_some(workspace: Workspace, pk: int) -> tuple[int, bool]:
    with scope(workspace=workspace), transaction.atomic():
        live = WebhookSubscription.objects.select_for_update().filter(pk=pk, paused_at=None)
        subscription: WebhookSubscription | None = live.first()
        if subscription is None:
            return 0, False
        newer = Event.objects.filter(number__gt=subscription.cursor).select_related("actor__agent").order_by("number")
        events = list(newer[:AT_ONCE])
        rows = [_delivery(subscription, event) for event in events if _wants(subscription, event)]
        WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
        if events:
            live.update(cursor=events[-1].number)
    return len(rows), len(events) == AT_ONCE


def _wants(subscription: WebhookSubscription, event: Event) -> bool:
    if event.verb == PING:  # a test of one subscription is no news for the others
        return event.subject_id == subscription.pk
    return not subscription.verbs or event.verb in subscription.verbs


def _delivery(subscription: WebhookSubscription, event: Event) -> WebhookDelivery:
    at = event.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = Told(type=event.verb, timestamp=at, data=event_out(event)).model_dump_json()
    row = WebhookDelivery(workspace=subscription.workspace, subscription=subscription, body=body)
    row.event_number, row.verb = event.number, event.verb
    return row
