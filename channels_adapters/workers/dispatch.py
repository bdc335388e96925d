"""The way out at the edge: due parts are claimed, sent on the platform loop, and settled by what the platform said."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from django.db import connection
from django_scopes import scope

from channels_adapters import connections
from channels_adapters.contract import (
    ChannelAdapter,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    SendFailed,
    SendReceipt,
    Uncertain,
)
from channels_adapters.registry import channels
from channels_adapters.workers import fetching
from channels_adapters.workers.platform_loop import portal
from conversations import deliveries, files, gate
from conversations.models import Delivery, Thread
from crm.workspace import clock
from crm.workspace.events import change

logger = logging.getLogger(__name__)
AT_ONCE = 32  # parts in flight
AFTER_TROUBLE = 0.5  # seconds
SAFETY_LOOK = 5.0  # seconds: a wake-up that was lost costs no more than this

Outcome = tuple[Delivery, "Future[SendReceipt]"]
Prepare = Callable[[Delivery], tuple[OutboundPart, ChannelAdapter]]
Work = Callable[[ChannelAdapter, OutboundPart], Coroutine[Any, Any, SendReceipt]]


class Dispatch(threading.Thread):
    """Sends what is due, until `stop`."""

    def __init__(self) -> None:
        super().__init__(name="dispatch", daemon=True)
        self._wakes: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._in_flight: dict[int, Delivery] = {}
        self._unsettled: list[Outcome] = []
        self._stopping = False

    def wake(self) -> None:
        """Look for due parts now."""
        self._wakes.put(None)

    def stop(self) -> None:
        """End after what is in hand; parts in flight stay claimed and are settled by their lease."""
        self._stopping = True
        self.wake()
        self.join(timeout=10)

    def run(self) -> None:
        while not self._stopping:
            self._unsettled += self._next_outcomes()
            try:
                self._settle()
                deliveries.expire_leases(repeatable_channels=_repeatable(), asked_channels=_asked())
                self._ask_for_lost()
                self._send_due()
                fetching.fetch_waiting(self.wake)
            except Exception:
                logger.exception("dispatch stumbled; what is due is sent with the next look")
                connection.close()  # it may be broken
                time.sleep(AFTER_TROUBLE)
                self.wake()
        connection.close()

    def _next_outcomes(self) -> list[Outcome]:
        found: list[Outcome | None] = []
        try:
            found.append(self._wakes.get(timeout=SAFETY_LOOK))
            while True:
                found.append(self._wakes.get_nowait())
        except queue.Empty:
            return [outcome for outcome in found if outcome is not None]

    def _send_due(self) -> None:
        while free := AT_ONCE - len(self._in_flight):
            claimed = deliveries.claim(free)
            for delivery in claimed:
                self._start(delivery, _part, _send)
            if not claimed:
                return

    def _ask_for_lost(self) -> None:
        """Parts whose sender vanished, where the platform knows whether they arrived."""
        for delivery in deliveries.claim_lost(_asked(), max(0, AT_ONCE - len(self._in_flight))):
            self._start(delivery, _part_as_sent, _ask)

    def _start(self, delivery: Delivery, prepare: Prepare, work: Work) -> None:
        self._in_flight[delivery.pk] = delivery
        sending: Future[SendReceipt] = Future()
        try:
            part, adapter = prepare(delivery)
            sending = portal().start_task_soon(work, adapter, part)
        except SendFailed as error:
            sending.set_exception(error)
        except Exception as error:
            logger.exception("a part could not be prepared", extra={"delivery": delivery.pk})
            reason = f"{type(error).__name__} while preparing it"
            sending.set_exception(Retryable(reason) if work is _send else Uncertain(reason))
        sending.add_done_callback(lambda done: self._wakes.put((delivery, done)))

    def _settle(self) -> None:
        """Write down how sends ended. One that cannot be written, because the database is away, stays for later."""
        while self._unsettled:
            delivery, sending = self._unsettled[0]
            settle(delivery, sending)
            self._in_flight.pop(delivery.pk, None)
            del self._unsettled[0]


async def _send(adapter: ChannelAdapter, part: OutboundPart) -> SendReceipt:
    """Send, and where nobody knows whether that worked, ask."""
    try:
        return await adapter.send(part)
    except Uncertain as doubt:
        if not adapter.capabilities.looks_up:
            raise
        return await _ask(adapter, part, doubt.reason)


async def _ask(adapter: ChannelAdapter, part: OutboundPart, doubt: str = "The sender stopped.") -> SendReceipt:
    """The receipt of a part that did arrive; raises Retryable when it surely did not, Uncertain when none can tell."""
    try:
        found = await adapter.look_up(part)
    except SendFailed as error:
        raise Uncertain(doubt) from error
    if found is None:
        raise Retryable(doubt)
    return found


def settle_orphans() -> int:
    """Settle every part that a vanished process was sending. Only for a process that knows it is the only one."""
    deliveries.end_leases(_asked())
    later = clock.now() + deliveries.LEASE
    return deliveries.expire_leases(repeatable_channels=_repeatable(), asked_channels=_asked(), now=later)


def _repeatable() -> list[str]:
    return [name for name, adapter in channels().items() if adapter.capabilities.repeatable]


def _asked() -> list[str]:
    return [name for name, adapter in channels().items() if adapter.capabilities.looks_up]


def _part(delivery: Delivery) -> tuple[OutboundPart, ChannelAdapter]:
    """What to send and by which adapter; raises Refused when the consent gate has closed meanwhile."""
    message = delivery.message
    with scope(workspace=delivery.workspace):
        objection = gate.objection(delivery.thread, message.identity, message.purpose) if message else ""
        if objection:
            raise Refused(objection)
        served = connections.serving(delivery.thread.inbox.key)
        if served is None:
            raise Refused("This inbox is not connected.")
        return _outbound(delivery), served.adapter


def _part_as_sent(delivery: Delivery) -> tuple[OutboundPart, ChannelAdapter]:
    """As `_part`, of a part that may have left: no gate can hold it back any more."""
    with scope(workspace=delivery.workspace):
        served = connections.serving(delivery.thread.inbox.key)
        if served is None:
            raise Uncertain("This inbox is not connected.")
        return _outbound(delivery), served.adapter


def _outbound(delivery: Delivery) -> OutboundPart:
    file = None
    if delivery.file is not None:
        data = files.read(delivery.file)
        alt = str(delivery.file.details.get("alt", ""))
        file = OutboundFile(delivery.file.name, delivery.file.mime, data, alt=alt)
    message = delivery.message
    answers = message.reply_to_external_id if message and delivery.part == 0 else ""
    place, wanted_at = delivery.thread.external_id, delivery.created_at
    return OutboundPart(delivery.pk, place, delivery.text, file, answers, wanted_at)


def settle(delivery: Delivery, sending: "Future[SendReceipt]") -> None:
    """Write down how a send ended, and how the inbox's connection goes."""
    with change(delivery.workspace, cause="dispatch"):
        # the connection first: whoever takes an inbox's deliveries in locks in the same order
        connections.note_health(delivery.thread.inbox, **_health(sending))
        _settle(delivery, sending)


def _health(sending: "Future[SendReceipt]") -> dict[str, object]:
    now = clock.now()
    if sending.cancelled():
        return {}
    error = sending.exception()
    if isinstance(error, Retryable):
        return {"last_error": error.reason[:300], "last_error_at": now}
    return {} if error else {"last_out_at": now}


def _settle(delivery: Delivery, sending: "Future[SendReceipt]") -> None:
    try:
        receipt = sending.result()
    except Retryable as error:
        deliveries.put_off(delivery, error.reason, error.retry_after)
    except Refused as error:
        deliveries.refused(delivery, error.reason)
    except SendFailed as error:
        deliveries.uncertain(delivery, error.reason)
    except BaseException as error:  # cancelled at stop, or a fault of ours after bytes may have left
        logger.exception("a send ended oddly", extra={"delivery": delivery.pk})
        deliveries.uncertain(delivery, f"{type(error).__name__} while sending")
    else:
        deliveries.sent(delivery, receipt.external_id)
        logger.info("part sent", extra={"delivery": delivery.pk, "message_id": delivery.message_id})


def show_typing(thread: Thread) -> None:
    """Let the platform show that an agent writes, where it can. Failures do not matter."""
    if not thread.inbox.sends or not thread.inbox.capabilities.get("typing"):
        return
    served = connections.serving(thread.inbox.key)
    if served is not None:
        portal().start_task_soon(_try_typing, served.adapter, thread.external_id)


async def _try_typing(adapter: ChannelAdapter, thread_id: str) -> None:
    try:
        await adapter.typing(thread_id)
    except SendFailed as error:
        logger.info("typing was not shown", extra={"reason": error.reason})
