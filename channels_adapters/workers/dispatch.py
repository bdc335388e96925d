"""The way out at the edge: due parts are claimed, sent on the platform loop, and settled by what the platform said."""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from django.db import connection
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import (
    ChannelAdapter,
    OutboundAct,
    OutboundPart,
    Refused,
    Retryable,
    SendFailed,
    SendReceipt,
    Uncertain,
)
from channels_adapters.metrics import PARTS_OUT
from channels_adapters.registry import channels
from channels_adapters.workers import fetching, names, packing, pictures
from channels_adapters.workers.platform_loop import portal
from conversations import deliveries, flow, gate
from conversations.models import Delivery, Message, Thread
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.pace import Pace

logger = logging.getLogger(__name__)
AT_ONCE = 32  # parts in flight
AFTER_TROUBLE = 0.5  # seconds
SAFETY_LOOK = 5.0  # seconds: a wake-up that was lost costs no more than this
TO_FINISH = 5.0  # seconds that parts in flight have when the process ends

Outcome = tuple[Delivery, "Future[SendReceipt]"]
Prepare = Callable[[Delivery], tuple[Any, ChannelAdapter]]  # an OutboundPart or an OutboundAct, for the Work
Work = Callable[[ChannelAdapter, Any], Coroutine[Any, Any, SendReceipt]]


class Dispatch(threading.Thread):
    """Sends what is due, until `stop`."""

    def __init__(self) -> None:
        super().__init__(name="dispatch", daemon=True)
        self._wakes: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._in_flight: dict[int, Outcome] = {}
        self._unsettled: list[Outcome] = []
        self._stopping = False
        self._next_look = SAFETY_LOOK
        self.pace = Pace()

    def wake(self) -> None:
        """Look for due parts now."""
        self._wakes.put(None)

    def stop(self) -> None:
        """End after what is in hand. A part that takes longer is broken off, and its lease given back."""
        self._stopping = True
        self.wake()
        self.join(timeout=2 * TO_FINISH)

    def run(self) -> None:
        while not self._stopping:
            self.pace.rest()
            self._unsettled += self._next_outcomes(self._next_look)
            self._next_look = SAFETY_LOOK
            self.pace.begin()
            try:
                self._settle()
                deliveries.expire_leases(repeatable_channels=_repeatable(), asked_channels=_asked())
                self._ask_for_lost()
                self._send_due()
                self._next_look = _next_look()
                fetching.fetch_waiting(self.wake)
                pictures.fetch_new()
                names.ask()
            except Exception:
                logger.exception("dispatch stumbled; what is due is sent with the next look")
                connection.close()  # it may be broken
                time.sleep(AFTER_TROUBLE)
                self.wake()
        try:
            self._finish()
        except Exception:
            logger.exception("what was being sent could not be settled; its lease does that")
        connection.close()

    def _finish(self) -> None:
        end = time.monotonic() + TO_FINISH
        while self._in_flight and (left := end - time.monotonic()) > 0:
            self._unsettled += self._next_outcomes(left)
            self._settle()
        for delivery, sending in list(self._in_flight.values()):
            if sending.cancel():
                deliveries.give_back(delivery)
            else:
                settle(delivery, sending)

    def _next_outcomes(self, within: float) -> list[Outcome]:
        found: list[Outcome | None] = []
        try:
            found.append(self._wakes.get(timeout=within))
            while True:
                found.append(self._wakes.get_nowait())
        except queue.Empty:
            return [outcome for outcome in found if outcome is not None]

    def _send_due(self) -> None:
        while free := AT_ONCE - len(self._in_flight):
            busy = Counter(delivery.thread.inbox_id for delivery, _sending in self._in_flight.values())
            claimed = deliveries.claim(free, busy=busy)
            for delivery in claimed:
                self._start(delivery, *((_act, _do) if delivery.is_act else (_part, _send)))
            if not claimed:
                return

    def _ask_for_lost(self) -> None:
        """Parts whose sender vanished, where the platform knows whether they arrived."""
        for delivery in deliveries.claim_lost(_asked(), max(0, AT_ONCE - len(self._in_flight))):
            self._start(delivery, _part_as_sent, _ask)

    def _start(self, delivery: Delivery, prepare: Prepare, work: Work) -> None:
        sending: Future[SendReceipt] = Future()
        try:
            part, adapter = prepare(delivery)
            sending = portal().start_task_soon(work, adapter, part)
        except SendFailed as error:
            sending.set_exception(error)
        except Exception as error:
            logger.exception("a part could not be prepared", extra={"delivery": delivery.pk})
            reason = f"{type(error).__name__} while preparing it"
            sending.set_exception(Uncertain(reason) if work is _ask else Retryable(reason))
        self._in_flight[delivery.pk] = delivery, sending
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


async def _do(adapter: ChannelAdapter, act: OutboundAct) -> SendReceipt:
    await adapter.act(act)
    return SendReceipt("")


async def _ask(adapter: ChannelAdapter, part: OutboundPart, doubt: str = "The sender stopped.") -> SendReceipt:
    """The receipt of a part that did arrive; raises Retryable when it surely did not, Uncertain when none can tell."""
    try:
        found = await adapter.look_up(part)
    except SendFailed as error:
        raise Uncertain(doubt) from error
    if found is None:
        raise Retryable(doubt)
    return found


def _next_look() -> float:
    with scopes_disabled():
        return flow.next_look(SAFETY_LOOK)


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
    with scope(workspace=delivery.workspace):
        objection = gate.objection_to_part(delivery)
        if objection:
            raise Refused(objection)
        served = connections.serving(delivery.thread.inbox.key)
        if served is None:
            raise Refused("This inbox is not connected.")
        return packing.part(delivery), served.adapter


def _part_as_sent(delivery: Delivery) -> tuple[OutboundPart, ChannelAdapter]:
    """As `_part`, of a part that may have left: no gate can hold it back any more."""
    with scope(workspace=delivery.workspace):
        served = connections.serving(delivery.thread.inbox.key)
        if served is None:
            raise Uncertain("This inbox is not connected.")
        return packing.part(delivery), served.adapter


def _act(delivery: Delivery) -> tuple[OutboundAct, ChannelAdapter]:
    """What to do and by which adapter; raises Refused when the inbox is not connected any more."""
    with scope(workspace=delivery.workspace):
        served = connections.serving(delivery.thread.inbox.key)
        if served is None:
            raise Refused("This inbox is not connected.")
        return packing.act(delivery), served.adapter


def settle(delivery: Delivery, sending: "Future[SendReceipt]") -> None:
    """Write down how a send ended, and how the inbox's connection goes."""
    with change(delivery.workspace, cause="dispatch"):
        # the connection first: whoever takes an inbox's deliveries in locks in the same order
        connections.note_health(delivery.thread.inbox, **_health(sending))
        _note_flow(delivery, sending)
        state = _settle(delivery, sending)
    PARTS_OUT.labels(delivery.thread.inbox.channel, state).inc()


def _note_flow(delivery: Delivery, sending: "Future[SendReceipt]") -> None:
    """A refusal says nothing about the platform's health, nor does a fault of ours."""
    error = None if sending.cancelled() else sending.exception()
    if isinstance(error, Retryable):
        flow.note_trouble(delivery.thread.inbox, error.reason, error.retry_after)
    elif error is None or isinstance(error, Refused):
        flow.note_success(delivery.thread.inbox)


def _health(sending: "Future[SendReceipt]") -> dict[str, object]:
    now = clock.now()
    if sending.cancelled():
        return {}
    error = sending.exception()
    if isinstance(error, Retryable):
        return {"last_error": error.reason[:300], "last_error_at": now}
    return {} if error else {"last_out_at": now}


def _settle(delivery: Delivery, sending: "Future[SendReceipt]") -> str:
    """Write down how the attempt ended; the word for it."""
    try:
        receipt = sending.result()
    except Retryable as error:
        deliveries.put_off(delivery, error.reason, error.retry_after)
        return "put_off"
    except Refused as error:
        deliveries.refused(delivery, error.reason)
        return "refused"
    except SendFailed as error:
        deliveries.uncertain(delivery, error.reason)
        return "uncertain"
    except BaseException as error:  # cancelled at stop, or a fault of ours after bytes may have left
        logger.exception("a send ended oddly", extra={"delivery": delivery.pk})
        deliveries.uncertain(delivery, f"{type(error).__name__} while sending")
        return "uncertain"
    deliveries.sent(delivery, receipt.external_id, receipt.details)
    logger.info("part sent", extra={"delivery": delivery.pk, "message_id": delivery.message_id})
    return "sent"


def show_typing(thread: Thread) -> None:
    """Let the platform show that an agent writes, where it can. Failures do not matter."""
    if not thread.inbox.sends or not thread.inbox.capabilities.get("typing"):
        return
    served = connections.serving(thread.inbox.key)
    if served is not None:
        portal().start_task_soon(_try_typing, served.adapter, thread.external_id, _newest(thread))


def _newest(thread: Thread) -> str:
    """The platform's id of their newest message there."""
    with scope(workspace=thread.workspace):
        heard = Message.objects.filter(thread=thread, direction=Message.Direction.IN).order_by("-pk")
        return heard.values_list("external_id", flat=True).first() or ""


async def _try_typing(adapter: ChannelAdapter, thread_id: str, newest: str) -> None:
    try:
        await adapter.typing_under(thread_id, newest)
    except SendFailed as error:
        logger.info("typing was not shown", extra={"reason": error.reason})
