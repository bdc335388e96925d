"""The way in at the edge: what arrives is stored, acknowledged, then taken into the hub, in one thread of its own.

Requests that arrive while a batch is written are the next batch, so that under load many share one commit. One
thread does both steps, because SQLite has one writer anyway and a second would only wait for the first.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django_scopes import scope, scopes_disabled

import nlp
from channels_adapters import connections
from channels_adapters.contract import Unreadable
from channels_adapters.models import Connection, RawDelivery
from conversations import inbound, inbound_changes, reading
from conversations.models import Inbox
from conversations.normalized import Inbound, InboundMessage
from crm.workspace import clock
from crm.workspace.events import change

logger = logging.getLogger(__name__)
BATCH = 64
ATTEMPTS = 5
AFTER_TROUBLE = 0.5  # seconds
CONTEXT_UNDER = 60  # characters: a shorter message may be a fragment, and is read with what came before


@dataclass(slots=True)
class Arrival:
    inbox: Inbox
    delivery_id: str
    body: bytes
    stored: "Future[None]" = field(default_factory=Future)


@dataclass(slots=True)
class Parsed:
    """A raw delivery with what it says, and what was read in its messages."""

    raw: RawDelivery
    inbounds: list[Inbound]
    triages: list[nlp.Triage | None]
    problem: str = ""


class Intake(threading.Thread):
    """Stores and takes in what arrives, until `stop`."""

    def __init__(self) -> None:
        super().__init__(name="intake", daemon=True)
        self._arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._stopping = False

    def submit(self, inbox: Inbox, delivery_id: str, body: bytes) -> "Future[None]":
        """A future that is done when the delivery is committed; a repeat is done as well."""
        arrival = Arrival(inbox, delivery_id[:200], body)
        self._arrivals.put(arrival)
        return arrival.stored

    def wake(self) -> None:
        """Look for waiting deliveries: something else stored some."""
        self._arrivals.put(None)

    def stop(self) -> None:
        """End after what is in hand; what waits is taken in at the next start."""
        self._stopping = True
        self._arrivals.put(None)
        self.join(timeout=10)

    def run(self) -> None:
        self.wake()  # what waits from before
        while not self._stopping:
            batch = self._next_batch()
            try:
                store(batch)
                take_in_waiting()
            except Exception:
                logger.exception("intake stumbled; what is stored is taken in with the next look")
                connection.close()  # it may be broken
                time.sleep(AFTER_TROUBLE)
                self.wake()
        connection.close()

    def _next_batch(self) -> list[Arrival]:
        waiting = [self._arrivals.get()]
        while len(waiting) < BATCH:
            try:
                waiting.append(self._arrivals.get_nowait())
            except queue.Empty:
                break
        # one whose request has given up was answered 503: it comes again
        return [arrival for arrival in waiting if arrival and arrival.stored.set_running_or_notify_cancel()]


def store(batch: Sequence[Arrival]) -> None:
    """Commit the arrivals together and tell each; on failure each learns why, and the platform will deliver again."""
    if not batch:
        return
    try:
        with transaction.atomic():
            RawDelivery.objects.bulk_create((_raw(arrival) for arrival in batch), ignore_conflicts=True)
    except Exception as error:
        for arrival in batch:
            arrival.stored.set_exception(error)
        raise
    for arrival in batch:
        arrival.stored.set_result(None)


def _raw(arrival: Arrival) -> RawDelivery:
    return RawDelivery(
        workspace_id=arrival.inbox.workspace_id,
        inbox_id=arrival.inbox.pk,
        delivery_id=arrival.delivery_id,
        body=arrival.body,
    )


def take_in_waiting() -> int:
    """Take every waiting delivery into the hub, each inbox's in order of arrival. Returns how many."""
    count = 0
    with scopes_disabled():
        waiting = RawDelivery.objects.filter(state=RawDelivery.State.WAITING, due_at__lte=clock.now())
        inboxes = list(Inbox.objects.filter(pk__in=waiting.values("inbox")).select_related("workspace"))
    for inbox in inboxes:
        while taken := take_in(inbox):
            count += taken
    return count


def take_in(inbox: Inbox) -> int:
    """Take one batch of an inbox's waiting deliveries in. Returns how many are settled (taken in or parked)."""
    served = connections.serving(inbox.key)
    if served is None:
        return 0
    with scope(workspace=inbox.workspace):
        waiting = RawDelivery.objects.filter(inbox=inbox, state=RawDelivery.State.WAITING, due_at__lte=clock.now())
        raws = list(waiting.order_by("pk")[:BATCH])
        if not raws:
            return 0
        parsed = [_parse(served, raw) for raw in raws]
        _read(inbox, parsed)
    return _apply(inbox, parsed)


def _parse(served: connections.Served, raw: RawDelivery) -> Parsed:
    try:
        inbounds = served.adapter.parse(bytes(raw.body))
    except Unreadable as error:
        return Parsed(raw, [], [], problem=error.reason)
    except Exception as error:
        logger.exception("a delivery could not be parsed", extra={"raw_delivery": raw.pk})
        return Parsed(raw, [], [], problem=f"{type(error).__name__} while reading it")
    return Parsed(raw, inbounds, [None] * len(inbounds))


def _read(inbox: Inbox, parsed: Sequence[Parsed]) -> None:
    places = [
        (item, number, message)
        for item in parsed
        for number, message in enumerate(item.inbounds)
        if isinstance(message, InboundMessage)
    ]
    texts = [(nlp.redact(message.text), _context(inbox, message)) for _item, _number, message in places]
    for (item, number, _message), triage in zip(places, reading.read(inbox.workspace, texts), strict=True):
        item.triages[number] = triage


def _context(inbox: Inbox, message: InboundMessage) -> tuple[str, ...]:
    short = len(message.text) < CONTEXT_UNDER
    return reading.said_before(inbox.pk, message.thread_id) if short else ()


def _apply(inbox: Inbox, parsed: Sequence[Parsed]) -> int:
    """One transaction for the batch. An item that fails is undone alone and ends the batch, so that order holds."""
    settled = 0
    with change(inbox.workspace, cause=f"{inbox.channel} delivery") as event:
        Connection.objects.select_for_update(no_key=True).get(
            inbox=inbox
        )  # one process at a time takes an inbox's deliveries
        rows = RawDelivery.objects.filter(pk__in=[item.raw.pk for item in parsed])
        still = set(rows.filter(state=RawDelivery.State.WAITING).values_list("pk", flat=True))
        done: list[int] = []
        for item in (item for item in parsed if item.raw.pk in still):
            if item.problem:
                _park(item.raw, item.problem)
                event.record("delivery.parked", item.raw)
                settled += 1
            elif _take_one(inbox, item):
                done.append(item.raw.pk)
            else:
                settled += 1
                break
        rows.filter(pk__in=done).update(state=RawDelivery.State.DONE, done_at=clock.now())
        Connection.objects.filter(inbox=inbox).update(last_in_at=clock.now())
    return settled + len(done)


def _take_one(inbox: Inbox, item: Parsed) -> bool:
    try:
        with change(inbox.workspace, cause=f"{inbox.channel} delivery {item.raw.pk}"):
            for message, triage in zip(item.inbounds, item.triages, strict=True):
                _hand_over(inbox, message, triage, item.raw.pk)
    except OperationalError:
        raise  # the database, not the item: the whole batch waits
    except Exception as error:
        logger.exception("a delivery could not be taken in", extra={"raw_delivery": item.raw.pk})
        _note_failure(item.raw, error)
        return False
    return True


def _hand_over(inbox: Inbox, message: Inbound, triage: nlp.Triage | None, raw_delivery_id: int) -> None:
    if isinstance(message, InboundMessage):
        inbound.receive_message(inbox, message, triage=triage, raw_delivery_id=raw_delivery_id)
    else:
        inbound_changes.apply(message, inbox)


def _note_failure(raw: RawDelivery, error: Exception) -> None:
    raw.attempts += 1
    raw.reason = f"{type(error).__name__} while taking it in"
    if raw.attempts >= ATTEMPTS:
        raw.state = RawDelivery.State.PARKED
    raw.save(update_fields=["attempts", "reason", "state"])


def _park(raw: RawDelivery, reason: str) -> None:
    raw.state, raw.reason, raw.attempts = RawDelivery.State.PARKED, reason[:300], raw.attempts + 1
    raw.save(update_fields=["state", "reason", "attempts"])


def take_in_again(raw: RawDelivery) -> None:
    """A person asks for another try of a parked delivery."""
    with scope(workspace=raw.workspace):
        parked = RawDelivery.objects.filter(pk=raw.pk, state=RawDelivery.State.PARKED)
        parked.update(state=RawDelivery.State.WAITING, attempts=0, due_at=clock.now())


def drop_old(days: int) -> int:
    """Forget the raw bytes of deliveries taken in more than `days` ago. Parked ones stay."""
    with scopes_disabled():
        old = RawDelivery.objects.filter(state=RawDelivery.State.DONE, done_at__lt=clock.now() - timedelta(days=days))
        count: int = old.delete()[0]
    return count
