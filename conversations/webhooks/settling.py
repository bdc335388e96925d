"""What becomes of a delivery after its attempt: it arrived, is tried again later, or is given up."""

import random
from dataclasses import dataclass
from datetime import timedelta

from django_scopes import scope, scopes_disabled

from conversations.text import clean
from conversations.webhooks.models import WebhookDelivery, WebhookSubscription
from crm.workspace import clock
from crm.workspace.events import change

WAITS = (10, 60, 300, 1_800, 7_200, 21_600, 86_400)  # seconds before each next attempt
PAUSED_AFTER = timedelta(days=3)  # of failures without a success between
GONE = 410
LONGEST_PAUSE = 86_400.0  # seconds that a subscriber may ask us to wait
State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `status` is None when nothing answered."""

    delivery: WebhookDelivery
    status: int | None = None
    text: str = ""
    reason: str = ""
    was_called: bool = True
    retry_after: float | None = None  # seconds that the subscriber asks for

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def settle(outcome: Outcome) -> None:
    """Write down how the attempt ended. A worker that slept past its lease writes nothing."""
    row = outcome.delivery
    with scope(workspace=row.workspace):
        if not outcome.was_called:
            _mine(row).update(state=State.QUEUED, attempts=row.attempts - 1, leased_until=None)
            return
        facts: dict[str, object] = {"response_status": outcome.status, "response_text": clean(outcome.text)[:1000]}
        facts |= {"leased_until": None, "reason": outcome.reason[:300], **_next(outcome)}
        if not _mine(row).update(**facts):
            return
        _note_health(outcome)


def _mine(row: WebhookDelivery):  # type: ignore[no-untyped-def]  # a scoped queryset has no type of its own
    return WebhookDelivery.objects.filter(pk=row.pk, state=State.SENDING, attempts=row.attempts)


def _next(outcome: Outcome) -> dict[str, object]:
    row, now = outcome.delivery, clock.now()
    if outcome.arrived:
        return {"state": State.SENT, "sent_at": now}
    tried = row.attempts - row.round_began
    if outcome.status == GONE or tried > len(WAITS):
        return {"state": State.DEAD}
    wait = WAITS[tried - 1] * random.uniform(1.0, 1.2)  # jitter, not a secret
    return {"state": State.QUEUED, "due_at": now + timedelta(seconds=max(wait, _asked_for(outcome)))}


def _asked_for(outcome: Outcome) -> float:
    return min(outcome.retry_after or 0.0, LONGEST_PAUSE)


def _note_health(outcome: Outcome) -> None:
    told = WebhookSubscription.objects.get(pk=outcome.delivery.subscription_id)
    if outcome.arrived:
        if told.failing_since is not None:
            WebhookSubscription.objects.filter(pk=told.pk).update(failing_since=None)
        return
    now = clock.now()
    since = told.failing_since or now
    WebhookSubscription.objects.filter(pk=told.pk, failing_since=None).update(failing_since=since)
    if pause_asked := _asked_for(outcome):  # it means all that we would tell it, not this event alone
        quiet_until = now + timedelta(seconds=pause_asked)
        WebhookSubscription.objects.filter(pk=told.pk).update(quiet_until=quiet_until)
    if outcome.status == GONE:
        pause(told, outcome.reason)
    elif now - since >= PAUSED_AFTER:
        pause(told, f"Nothing arrived for {PAUSED_AFTER.days} days. {outcome.reason}")


def pause(told: WebhookSubscription, reason: str) -> None:
    """Tell it nothing until it is resumed; what happens meanwhile is told then."""
    with change(told.workspace, cause="webhook") as event:
        live = WebhookSubscription.objects.filter(pk=told.pk, paused_at=None)
        if live.update(paused_at=clock.now(), pause_reason=reason[:300]):
            event.record("webhook.paused", told)


def drop_old(days: int) -> int:
    """Forget what arrived or was given up more than `days` days ago, in every workspace."""
    with scopes_disabled():
        ended = WebhookDelivery.objects.filter(state__in=(State.SENT, State.DEAD))
        dropped: int = ended.filter(created_at__lt=clock.now() - timedelta(days=days)).delete()[0]
    return dropped
