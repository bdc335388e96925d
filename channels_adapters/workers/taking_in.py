"""From a stored delivery to the hub: parsed, read, and taken in, each inbox's in order of arrival.

One bad item is parked with its bytes and its reason, and the rest goes on.
"""

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import OperationalError, connection
from django.db.models import QuerySet
from django_scopes import scope, scopes_disabled

import nlp
from channels_adapters import connections
from channels_adapters.contract import Unreadable
from channels_adapters.metrics import TAKEN_IN
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.registry import channels
from channels_adapters.workers import claims
from conversations import inbound, inbound_changes, reading
from conversations.models import Inbox
from conversations.normalized import Inbound, InboundMessage
from crm.workspace import clock
from crm.workspace.events import change

logger = logging.getLogger(__name__)
GoOn = Callable[[], bool]
BATCH = 64
SLOW_BATCH = 4  # each may be tens of megabytes, and take seconds
ATTEMPTS = 5
CONTEXT_UNDER = 60  # characters: a shorter message may be a fragment, and is read with what came before


@dataclass(slots=True)
class Parsed:
    """A raw delivery with what it says, and what was read in its messages."""

    raw: RawDelivery
    inbounds: list[Inbound]
    triages: list[nlp.Triage | None]
    problem: str = ""

    @property
    def is_messages(self) -> bool:
        """Whether it holds customers' messages and nothing else."""
        return not self.problem and all(isinstance(each, InboundMessage) for each in self.inbounds)

    def arrivals(self) -> list[inbound.Arrival]:
        return [
            inbound.Arrival(message, triage, self.raw.pk)
            for message, triage in zip(self.inbounds, self.triages, strict=True)
            if isinstance(message, InboundMessage)
        ]


def take_in_waiting(go_on: GoOn = lambda: True) -> int:
    """Take every waiting delivery into the hub, each inbox's in order of arrival. Returns how many.

    Those of channels that read slowly are left for `take_in_slow`.
    """
    with scopes_disabled():
        inboxes = list(_waiting().exclude(channel__in=_slow()).select_related("workspace"))
    return sum(take_in_all(inbox, go_on) for inbox in inboxes)


def take_in_slow(go_on: GoOn = lambda: True) -> int:
    """As `take_in_waiting`, of the channels that read slowly."""
    with scopes_disabled():
        inboxes = list(_waiting().filter(channel__in=_slow()).select_related("workspace"))
    return sum(take_in_all(inbox, go_on) for inbox in inboxes)


def slow_ones_wait() -> bool:
    """Whether `take_in_slow` has something to do."""
    with scopes_disabled():
        return bool(_waiting().filter(channel__in=_slow()).exists())


def reads_slowly(inbox: Inbox) -> bool:
    return inbox.channel in _slow()


def _slow() -> list[str]:
    return [name for name, adapter in channels().items() if adapter.reads_slowly]


def _waiting() -> "QuerySet[Inbox]":
    waiting = RawDelivery.objects.filter(state=RawDelivery.State.WAITING, due_at__lte=clock.now())
    return Inbox.objects.filter(pk__in=waiting.values("inbox"))


def take_in_all(inbox: Inbox, go_on: GoOn = lambda: True) -> int:
    """Take in what waits at an inbox, while `go_on` says so before each batch. Returns how many deliveries are settled.

    Leaves it to another process that is at it: that one looks once more when it has let go.
    """
    count, waits = 0, connections.serving(inbox.key) is not None
    while waits and go_on():
        with claims.alone_with(inbox.pk) as is_ours:
            if not is_ours:
                return count
            has_more = True
            while has_more and go_on():
                settled, has_more = take_in(inbox)
                count += settled
        waits = claims.is_shared() and _waits(inbox)
    return count


def _waits(inbox: Inbox) -> bool:
    with scope(workspace=inbox.workspace):
        waiting = RawDelivery.objects.filter(inbox=inbox, state=RawDelivery.State.WAITING, due_at__lte=clock.now())
        return bool(waiting.exists())


def take_in(inbox: Inbox) -> tuple[int, bool]:
    """Take one batch of an inbox's waiting deliveries in: how many are settled, and whether more may wait."""
    served = connections.serving(inbox.key)
    if served is None:
        return 0, False
    with scope(workspace=inbox.workspace):
        waiting = RawDelivery.objects.filter(inbox=inbox, state=RawDelivery.State.WAITING, due_at__lte=clock.now())
        batch = SLOW_BATCH if served.adapter.reads_slowly else BATCH
        raws = list(waiting.order_by("pk")[:batch])
        if not raws:
            return 0, False
        parsed = [_parse(served, raw) for raw in raws]
        _read(inbox, parsed)
    settled, is_whole = _apply(inbox, parsed)
    return settled, len(raws) == batch or not is_whole


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
    """Triage what customers wrote; a short text is read with what its thread said before."""
    places = [
        (item, number, message, nlp.redact(message.text))
        for item in parsed
        for number, message in enumerate(item.inbounds)
        if isinstance(message, InboundMessage)
    ]
    short = {message.thread_id for _item, _number, message, text in places if len(text) < CONTEXT_UNDER}
    said = reading.said_before(inbox.pk, short)
    texts = []
    for _item, _number, message, text in places:
        before = said.get(message.thread_id, ())
        texts.append((text, before if len(text) < CONTEXT_UNDER else ()))
        said[message.thread_id] = (*before, text)[-reading.CONTEXT :]  # also of this batch
    for (item, number, _message, _text), triage in zip(places, reading.read(inbox.workspace, texts), strict=True):
        item.triages[number] = triage


def _apply(inbox: Inbox, parsed: Sequence[Parsed]) -> tuple[int, bool]:
    """One transaction for the batch: how many are settled, and whether all are.

    An item that fails is undone alone and ends the batch, so that order holds.
    """
    parked, taken = 0, 0
    left: list[Parsed] = []
    with change(inbox.workspace, cause=f"{inbox.channel} delivery") as event:
        # locks the row: one process at a time takes an inbox's deliveries
        Connection.objects.filter(inbox=inbox).update(last_in_at=clock.now())
        still = _mark_done(parsed)
        for group in _grouped(still):
            if left:
                left += group
            elif group[0].problem:
                _park(group[0].raw, group[0].problem)
                event.record("delivery.parked", group[0].raw)
                parked += 1
            else:
                left += group[_take(inbox, group) :]
                taken += len(group) - len(left)
        _mark_waiting(left)
    TAKEN_IN.labels(inbox.channel, "parked").inc(parked)
    TAKEN_IN.labels(inbox.channel, "taken_in").inc(taken)
    return parked + taken, not left


def _mark_done(items: Sequence[Parsed]) -> list[Parsed]:
    """Those that nobody else has taken in meanwhile; they are done unless something below says otherwise."""
    table, places = RawDelivery._meta.db_table, ", ".join(["%s"] * len(items))
    with connection.cursor() as cursor:  # the ORM's update does not say which rows it found
        cursor.execute(
            f"UPDATE {table} SET state = %s, done_at = %s "  # noqa: S608  # a table's name, and places for keys
            f"WHERE state = %s AND id IN ({places}) RETURNING id",
            [
                RawDelivery.State.DONE.value,
                connection.ops.adapt_datetimefield_value(clock.now()),
                RawDelivery.State.WAITING.value,
                *(item.raw.pk for item in items),
            ],
        )
        still = {pk for (pk,) in cursor.fetchall()}
    return [item for item in items if item.raw.pk in still]


def _mark_waiting(items: Sequence[Parsed]) -> None:
    """They come again with the next look, but those that have been given up."""
    if items:
        rows = RawDelivery.objects.filter(pk__in=[item.raw.pk for item in items], state=RawDelivery.State.DONE)
        rows.update(state=RawDelivery.State.WAITING, done_at=None)


def _grouped(items: Sequence[Parsed]) -> list[list[Parsed]]:
    """In order; neighbours that hold customers' messages only are one group, everything else is one by itself."""
    groups: list[list[Parsed]] = []
    for item in items:
        if groups and item.is_messages and groups[-1][0].is_messages:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _take(inbox: Inbox, group: Sequence[Parsed]) -> int:
    """How many of the group were taken in: together, or one by one when there is a bad or a known one among them."""
    if group[0].is_messages:
        try:
            inbound.receive_messages(inbox, [arrival for item in group for arrival in item.arrivals()])
        except OperationalError:
            raise  # the database, not an item: the whole batch waits
        except Exception as error:  # noqa: BLE001  # whatever it is: told below, of the item that has it
            facts = {"inbox": inbox.pk, "deliveries": len(group), "reason": type(error).__name__}
            logger.info("a batch is taken in one by one", extra=facts)
        else:
            return len(group)
    for taken, item in enumerate(group):
        if not _take_one(inbox, item):
            return taken
    return len(group)


def _take_one(inbox: Inbox, item: Parsed) -> bool:
    whole = change(inbox.workspace) if len(item.inbounds) > 1 else contextlib.nullcontext()  # one is whole by itself
    try:
        with whole:
            for message, triage in zip(item.inbounds, item.triages, strict=True):
                _hand_over(inbox, message, triage, item.raw.pk)
    except OperationalError:
        raise
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
    raw.save(update_fields=["attempts", "reason", "state", "done_at"])


def _park(raw: RawDelivery, reason: str) -> None:
    raw.state, raw.reason, raw.attempts = RawDelivery.State.PARKED, reason[:300], raw.attempts + 1
    raw.save(update_fields=["state", "reason", "attempts", "done_at"])


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
