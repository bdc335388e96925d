"""Webhooks: who is told of what, the log of each telling, and telling it again."""

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema
from ninja.responses import Status

from conversations.models import WebhookDelivery, WebhookSubscription
from conversations.webhooks import subscribing
from crm.api.access import ApiRequest, Token, new_router
from crm.api.lists import Given, Id, PageOf, page
from crm.api.problems import Refusal, refusals
from crm.web.outgoing import LONGEST_URL, NotAllowed

router = new_router("webhooks")
MANAGE = Token("manage", "settings.change")
Url = Annotated[str, Field(min_length=8, max_length=LONGEST_URL, description="https:// or http://, on a public host")]
Verb = Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+\.[a-z_]+$")]
PAUSED = "This webhook is paused: resume it first (PATCH with paused=false)."
VERBS: Any = Field([], max_length=50, description="As `message.received`; empty: all events")


class WebhookIn(Given):
    url: Url
    verbs: list[Verb] = VERBS


class WebhookChange(Given):
    """What is left out stays as it is."""

    url: Url | None = None
    verbs: list[Verb] | None = Field(None, max_length=50)
    paused: bool | None = Field(None, description="Resumed, it is told what happened meanwhile")


class WebhookOut(Schema):
    id: int
    url: str
    verbs: list[str]
    cursor: int = Field(description="The last event that was written down for it")
    created_at: datetime
    paused_at: datetime | None
    pause_reason: str
    failing_since: datetime | None
    quiet_until: datetime | None = Field(description="It asked for a pause with `Retry-After`")


class NewWebhookOut(WebhookOut):
    secret: str = Field(description="Verifies our signatures. It is shown this once")


class WebhookList(Schema):
    items: list[WebhookOut]
    next: str | None


class DeliveryOut(Schema):
    id: int
    webhook_id: str = Field(description="The header `webhook-id`: the same with each attempt and replay")
    event: int
    verb: str
    state: WebhookDelivery.State
    attempts: int
    due_at: datetime
    response_status: int | None
    response_text: str
    reason: str
    created_at: datetime
    sent_at: datetime | None
    body: str


class DeliveryList(Schema):
    items: list[DeliveryOut]
    next: str | None


class DeliveryFilter(PageOf):
    state: WebhookDelivery.State | None = None


@router.get("", auth=MANAGE, response={200: WebhookList, **refusals()}, operation_id="list_webhooks")
def webhooks(request: ApiRequest, asked: Query[PageOf]) -> WebhookList:
    """Webhooks, the newest first."""
    rows, after = page(_all(), asked, by="created_at")
    return WebhookList(items=[_shown(row) for row in rows], next=after)


@router.post("", auth=MANAGE, response={201: NewWebhookOut, **refusals(409)}, operation_id="add_webhook")
def add(request: ApiRequest, given: WebhookIn) -> Status[NewWebhookOut]:
    """Tell an address of events from now on."""
    try:
        made = subscribing.subscribe(given.url, given.verbs, by=request.auth)
    except NotAllowed as error:
        raise Refusal(422, str(error)) from error
    except subscribing.TooManyWebhooks as error:
        raise Refusal(409, str(error)) from error
    return Status(201, NewWebhookOut(**_shown(made).model_dump(), secret=made.secret))


@router.get("/{webhook_id}", auth=MANAGE, response={200: WebhookOut, **refusals(404)}, operation_id="get_webhook")
def webhook(request: ApiRequest, webhook_id: Id) -> WebhookOut:
    """One webhook."""
    return _shown(_found(webhook_id))


@router.patch("/{webhook_id}", auth=MANAGE, response={200: WebhookOut, **refusals(404)}, operation_id="change_webhook")
def change(request: ApiRequest, webhook_id: Id, given: WebhookChange) -> WebhookOut:
    """Another address, other events; pause and resume."""
    try:
        changed = subscribing.alter(
            _found(webhook_id), url=given.url, verbs=given.verbs, paused=given.paused, by=request.auth
        )
    except NotAllowed as error:
        raise Refusal(422, str(error)) from error
    return _shown(changed)


@router.delete("/{webhook_id}", auth=MANAGE, response={204: None, **refusals(404)}, operation_id="remove_webhook")
def remove(request: ApiRequest, webhook_id: Id) -> Status[None]:
    """Tell it nothing more; its log goes with it."""
    subscribing.unsubscribe(_found(webhook_id), by=request.auth)
    return Status(204, None)


@router.post(
    "/{webhook_id}/secret",
    auth=MANAGE,
    response={200: NewWebhookOut, **refusals(404)},
    operation_id="change_webhook_secret",
)
def change_secret(request: ApiRequest, webhook_id: Id) -> NewWebhookOut:
    """Sign with a new secret; for a day the old one signs as well."""
    changed = subscribing.change_secret(_found(webhook_id), by=request.auth)
    return NewWebhookOut(**_shown(changed).model_dump(), secret=changed.secret)


@router.post(
    "/{webhook_id}/ping", auth=MANAGE, response={202: WebhookOut, **refusals(404, 409)}, operation_id="ping_webhook"
)
def ping(request: ApiRequest, webhook_id: Id) -> Status[WebhookOut]:
    """Send it a `webhook.pinged`, whatever it is told of; the log says whether it arrived."""
    told = _found(webhook_id)
    if told.paused_at is not None:
        raise Refusal(409, PAUSED)
    subscribing.ping(told, by=request.auth)
    return Status(202, _shown(told))


@router.get(
    "/{webhook_id}/deliveries",
    auth=MANAGE,
    response={200: DeliveryList, **refusals(404)},
    operation_id="list_webhook_deliveries",
)
def deliveries(request: ApiRequest, webhook_id: Id, asked: Query[DeliveryFilter]) -> DeliveryList:
    """The log of a webhook, the newest first."""
    rows: QuerySet[Any] = WebhookDelivery.objects.filter(subscription=_found(webhook_id))
    found, after = page(rows.filter(state=asked.state) if asked.state else rows, asked, by="created_at")
    return DeliveryList(items=[_told(row) for row in found], next=after)


@router.post(
    "/deliveries/{delivery_id}/replay",
    auth=MANAGE,
    response={202: DeliveryOut, **refusals(404, 409)},
    operation_id="replay_webhook_delivery",
)
def replay(request: ApiRequest, delivery_id: Id) -> Status[DeliveryOut]:
    """Send it again soon, with the same `webhook-id`."""
    row = get_object_or_404(WebhookDelivery.objects.select_related("subscription"), pk=delivery_id)
    if row.subscription.paused_at is not None:
        raise Refusal(409, PAUSED)
    if not subscribing.replay(row):
        raise Refusal(409, "It is being sent just now: wait for its outcome.")
    row.refresh_from_db()
    return Status(202, _told(row))


def _all() -> QuerySet[Any]:
    rows: QuerySet[Any] = WebhookSubscription.objects.all()
    return rows


def _found(pk: int) -> WebhookSubscription:
    found: WebhookSubscription = get_object_or_404(_all(), pk=pk)
    return found


def _shown(row: WebhookSubscription) -> WebhookOut:
    facts = {name: getattr(row, name) for name in WebhookOut.model_fields if name != "id"}
    return WebhookOut(id=row.pk, **facts)


def _told(row: WebhookDelivery) -> DeliveryOut:
    facts = {name: getattr(row, name) for name in DeliveryOut.model_fields if name not in ("id", "event")}
    return DeliveryOut(id=row.pk, event=row.event_number, **facts)
