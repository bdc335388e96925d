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

from django.db import connection, transaction

from channels_adapters.models import RawDelivery
from channels_adapters.workers.aside import Aside
from channels_adapters.workers.taking_in import BATCH, reads_slowly, take_in_all, take_in_waiting
from conversations.models import Inbox
from crm.workspace.pace import Pace

logger = logging.getLogger(__name__)
AFTER_TROUBLE = 0.5  # seconds
FULL = 1_000  # arrivals that wait to be stored: more would not be stored in any platform's time


class Full(Exception):
    """More arrives than can be stored."""


@dataclass(slots=True)
class Arrival:
    inbox: Inbox
    delivery_id: str
    body: bytes
    stored: "Future[None]" = field(default_factory=Future)


class Intake(threading.Thread):
    """Stores and takes in what arrives, until `stop`."""

    def __init__(self) -> None:
        super().__init__(name="intake", daemon=True)
        self._arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._aside = Aside()
        self._stopping = False
        self.pace = Pace()

    def submit(self, inbox: Inbox, delivery_id: str, body: bytes) -> "Future[None]":
        """A future that is done when the delivery is committed; a repeat is done as well. Raises Full."""
        if self._arrivals.qsize() >= FULL:
            raise Full
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
        self._aside.stop()

    def run(self) -> None:
        self.wake()  # what waits from before
        while not self._stopping:
            self.pace.rest()
            batch = self._next_batch()
            self.pace.begin()
            try:
                store(batch)
                self._take_in(batch)
            except Exception:
                logger.exception("intake stumbled; what is stored is taken in with the next look")
                connection.close()  # it may be broken
                time.sleep(AFTER_TROUBLE)
                self.wake()
        connection.close()

    def _take_in(self, batch: Sequence[Arrival]) -> None:
        if not batch:  # woken: somebody else stored some, nobody says where
            take_in_waiting(self._go_on)
        inboxes = {arrival.inbox.pk: arrival.inbox for arrival in batch}.values()
        for inbox in (inbox for inbox in inboxes if not reads_slowly(inbox)):
            take_in_all(inbox, self._go_on)
        if not batch or any(map(reads_slowly, inboxes)):
            self._aside.look()

    def _go_on(self) -> bool:
        self.pace.begin()  # a large backlog is no stall
        return not self._stopping

    def _next_batch(self) -> list[Arrival]:
        """What has arrived; empty after a wake-up."""
        waiting = [self._arrivals.get()]
        while len(waiting) < BATCH and waiting[-1] is not None:
            try:
                waiting.append(self._arrivals.get_nowait())
            except queue.Empty:
                break
        if waiting[-1] is None and len(waiting) > 1:
            self._arrivals.put(waiting.pop())  # after this batch
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
