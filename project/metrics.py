"""`/metrics`: what an operator watches, as Prometheus reads it. A process tells of itself and of what waits.

Who may read it: a caller on this machine that came past no proxy, or one with an API token that may `manage`.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Min, Sum
from django_scopes import scopes_disabled
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.registry import Collector

import nlp
from channels_adapters.models import RawDelivery
from channels_adapters.workers.running import workers
from conversations.models import Delivery, WebhookDelivery
from crm.workspace import clock, permissions, tokens
from crm.workspace.models import Workspace
from crm.workspace.threads import in_thread
from project.health import answer

logger = logging.getLogger(__name__)
PATIENCE = 5.0  # seconds for what the database is asked
PASSED_ON = {b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"}  # a proxy was between
LOCKED = "Ask from this machine, or send 'Authorization: Bearer rpt_…': a token with the scope “manage”."


async def metrics(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer with every metric of this process."""
    if not await _may_read(scope):
        await answer(send, 401, {"error": LOCKED})
        return
    waiting.measured = await _measured()
    body = generate_latest(REGISTRY)
    headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _may_read(scope: dict[str, Any]) -> bool:
    headers = dict(scope["headers"])
    if _is_of_this_machine(scope) and not PASSED_ON & headers.keys():
        return True
    scheme, _blank, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    try:
        return scheme.lower() == "bearer" and await in_thread(_is_operator, key.strip())
    except Exception:
        logger.exception("a token could not be looked up")
        return False


def _is_of_this_machine(scope: dict[str, Any]) -> bool:
    try:
        return ipaddress.ip_address(scope["client"][0]).is_loopback
    except (KeyError, TypeError, ValueError):
        return False


def _is_operator(key: str) -> bool:
    token = tokens.find(key)
    return token is not None and "manage" in token.scopes and permissions.may(token.membership, "settings.change")


async def _measured() -> list[GaugeMetricFamily]:
    """What waits in the database; without it the rest is still told."""
    is_up, measured = 1, []
    try:
        measured = await asyncio.wait_for(in_thread(_ask_the_database), PATIENCE)
    except Exception as error:  # noqa: BLE001  # away or slow: that is what is told
        logger.warning("metrics without the database", extra={"reason": type(error).__name__})
        is_up = 0
    return [*measured, GaugeMetricFamily("rapport_database_up", "Whether the database answered", value=is_up)]


def _ask_the_database() -> list[GaugeMetricFamily]:
    with scopes_disabled():
        return [*_parts(), *_raw_deliveries(), *_webhooks(), _head()]


def _parts() -> list[GaugeMetricFamily]:
    rows = Delivery.objects.filter(state__in=Delivery.OPEN_STATES).values_list("thread__inbox__channel", "state")
    return _families("rapport_parts", "Parts that are not sent yet", ["channel", "state"], rows, "created_at")


def _raw_deliveries() -> list[GaugeMetricFamily]:
    rows = RawDelivery.objects.filter(state__in=(RawDelivery.State.WAITING, RawDelivery.State.PARKED))
    rows = rows.values_list("inbox__channel", "state")
    words = "Deliveries of platforms that are not taken in"
    return _families("rapport_raw_deliveries", words, ["channel", "state"], rows, "received_at")


def _webhooks() -> list[GaugeMetricFamily]:
    waiting = (WebhookDelivery.State.QUEUED, WebhookDelivery.State.SENDING)
    rows = WebhookDelivery.objects.filter(state__in=waiting).values_list("state")
    return _families("rapport_webhook_deliveries", "Events not told yet", ["state"], rows, "created_at")


def _families(name: str, words: str, labels: list[str], rows: Any, since: str) -> list[GaugeMetricFamily]:
    """How many there are by label, and how old the oldest is."""
    count = GaugeMetricFamily(name, words, labels=labels)
    oldest = GaugeMetricFamily(f"{name}_oldest_seconds", f"{words}: age of the oldest", labels=labels)
    now = clock.now()
    for *values, number, first in rows.order_by().annotate(Count("pk"), Min(since)):
        count.add_metric(values, number)
        oldest.add_metric(values, max(0.0, (now - first).total_seconds()))
    return [count, oldest]


def _head() -> GaugeMetricFamily:
    head = Workspace.objects.aggregate(head=Sum("event_head"))["head"] or 0
    return GaugeMetricFamily("rapport_events_head", "Events recorded so far, in all workspaces", value=head)


class Waiting(Collector):
    """What was measured for the answer that is being written."""

    def __init__(self) -> None:
        self.measured: list[GaugeMetricFamily] = []

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # asks nothing when it is registered

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self.measured
        yield GaugeMetricFamily("rapport_triage_ready", "Whether the pipeline is loaded", value=int(nlp.ready()))
        stalled = len(workers().stalled())
        yield GaugeMetricFamily("rapport_workers_stalled", "Workers that ended or hang", value=stalled)


waiting = Waiting()
REGISTRY.register(waiting)
