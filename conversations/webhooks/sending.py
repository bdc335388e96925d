"""Deliveries leave: claimed under a lease, signed, posted, and settled by what came back.

An attempt whose end nobody saw is made again: subscribers tell a repetition by its `webhook-id`.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db.models import F, Q
from django_scopes import scopes_disabled
from standardwebhooks import Webhook

from conversations.webhooks.models import WebhookDelivery
from conversations.webhooks.planning import plan
from conversations.webhooks.settling import Outcome, settle
from crm.web import outgoing
from crm.workspace import clock

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=3)
AT_ONCE = 8  # subscriptions that are called side by side
IN_A_ROW = 10  # deliveries of one subscription in one go, in order
State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class Call:
    """A claimed delivery as it goes out. Made with the database, called without it."""

    delivery: WebhookDelivery
    url: str
    secrets: tuple[str, ...]
    may_be_private: bool


def send_due(go_on: Callable[[], bool] = lambda: True) -> int:
    """Turn new events into deliveries and send what is due while `go_on` says so; how many calls were made."""
    plan()
    made = 0
    while go_on() and (batches := claim()):
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            called = pool.map(partial(call_in_order, go_on=go_on), batches)
            outcomes = [outcome for batch in called for outcome in batch]
        for outcome in outcomes:
            settle(outcome)
        made += sum(outcome.was_called for outcome in outcomes)
    return made


def claim() -> list[list[Call]]:
    """Take what is due into `sending` under a lease: a list per subscription, oldest event first."""
    now = clock.now()
    with scopes_disabled():
        rows = WebhookDelivery.objects.all()
        lost = rows.filter(state=State.SENDING, leased_until__lt=now)
        if lost.exists():
            lost.update(state=State.QUEUED, leased_until=None, reason="The sender stopped on the way.")
        due = rows.filter(state=State.QUEUED, due_at__lte=now, subscription__paused_at=None)
        due = due.filter(Q(subscription__quiet_until=None) | Q(subscription__quiet_until__lte=now))
        waiting = due.order_by("subscription").values_list("subscription", flat=True).distinct()
        taken = [_claim_of(subscription) for subscription in waiting[:AT_ONCE]]
    return [batch for batch in taken if batch]


def _claim_of(subscription: int) -> list[Call]:
    now = clock.now()
    due = WebhookDelivery.objects.filter(subscription=subscription, state=State.QUEUED, due_at__lte=now)
    found = due.select_related("subscription", "workspace").order_by("event_number")[:IN_A_ROW]
    return [_call(row) for row in found if _take(row)]


def _take(row: WebhookDelivery) -> bool:
    mine = WebhookDelivery.objects.filter(pk=row.pk, state=State.QUEUED, attempts=row.attempts)
    row.attempts += 1
    taken: int = mine.update(state=State.SENDING, attempts=F("attempts") + 1, leased_until=clock.now() + LEASE)
    return bool(taken)


def _call(row: WebhookDelivery) -> Call:
    told = row.subscription
    return Call(row, told.url, told.secrets_now(), told.may_be_private)


def call_in_order(batch: list[Call], go_on: Callable[[], bool] = lambda: True) -> list[Outcome]:
    """Make the calls of one subscription one after the other; the first that fails sends the rest back unmade."""
    outcomes: list[Outcome] = []
    for call in batch:
        if not go_on() or (outcomes and not outcomes[-1].arrived):
            outcomes.append(Outcome(call.delivery, was_called=False))
        else:
            outcomes.append(_make(call))
    return outcomes


def _make(call: Call) -> Outcome:
    row = call.delivery
    try:
        headers = signed_headers(row, *call.secrets)
        answer = outgoing.post(call.url, row.body.encode(), headers, allow_private=call.may_be_private)
    except (outgoing.NotAllowed, outgoing.NoAnswer) as error:
        return Outcome(row, reason=str(error))
    except Exception as error:
        logger.exception("a webhook could not be called", extra={"webhook_delivery": row.pk})
        return Outcome(row, reason=f"{type(error).__name__} while calling it")
    return Outcome(row, answer.status, answer.text, _reason(answer.status), retry_after=answer.retry_after)


def signed_headers(row: WebhookDelivery, *secrets: str) -> dict[str, str]:
    """The standard's three headers, signed for this moment with each secret: a receiver needs only one of them."""
    now = clock.now()
    return {
        "content-type": "application/json",
        "user-agent": "Rapport-Webhooks/1",
        "webhook-id": row.webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(row.webhook_id, now, row.body) for secret in secrets),
    }


def _reason(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed; give the address it leads to."
    return "It answered 410: it does not want to be told any more." if status == 410 else f"It answered {status}."
