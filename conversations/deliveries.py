"""The life of an outgoing part, told by the edge's worker: claimed under a lease, then sent, put off or refused.

Every step is fenced by the attempt's number: a worker that was asleep past its lease writes nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django_scopes import scopes_disabled

from conversations.models import Delivery, Inbox, Message
from conversations.normalized import ReadUpTo, Receipt
from crm.workspace import clock
from crm.workspace.events import Change, change

LEASE = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(hours=24)
FIRST_WAIT, LONGEST_WAIT = 2.0, 900.0  # seconds
State = Delivery.State


def claim(limit: int, *, skip_threads: Sequence[int] = ()) -> list[Delivery]:
    """Take up to `limit` due parts, the oldest unsent of each thread, into `sending` under a lease.

    A part waits while an earlier one of its thread is unsent; one refused or uncertain holds back only its own
    message's later parts. Works over all workspaces: the edge serves the whole installation.
    """
    now = clock.now()
    with scopes_disabled():
        rows = Delivery.objects.all()
        earlier = rows.filter(thread=OuterRef("thread"), pk__lt=OuterRef("pk"), state__in=Delivery.OPEN_STATES)
        broken = rows.filter(message=OuterRef("message"), pk__lt=OuterRef("pk"), state__in=(State.REFUSED, State.DEAD))
        unsure = rows.filter(message=OuterRef("message"), pk__lt=OuterRef("pk"), state=State.UNCERTAIN)
        due = rows.filter(state=State.QUEUED, due_at__lte=now, thread__inbox__state=Inbox.State.LIVE)
        due = due.exclude(thread_id__in=skip_threads).exclude(Exists(earlier) | Exists(broken) | Exists(unsure))
        candidates = due.order_by("due_at", "pk").values_list("pk", "attempts")[:limit]
        return [taken for pk, attempts in candidates if (taken := _take(pk, attempts, now)) is not None]


def claim_lost(channels: Sequence[str], limit: int) -> list[Delivery]:
    """Take over parts whose sender vanished, on channels that can be asked whether they arrived."""
    now = clock.now()
    with scopes_disabled():
        lost = Delivery.objects.filter(state=State.SENDING, leased_until__lt=now, thread__inbox__channel__in=channels)
        lost = lost.filter(thread__inbox__state=Inbox.State.LIVE).order_by("pk").values_list("pk", "attempts")[:limit]
        return [taken for pk, attempts in lost if (taken := _take(pk, attempts, now, State.SENDING)) is not None]


def _take(pk: int, attempts: int, now: datetime, state: str = State.QUEUED) -> Delivery | None:
    claimed = Delivery.objects.filter(pk=pk, state=state, attempts=attempts)
    if not claimed.update(state=State.SENDING, attempts=attempts + 1, leased_until=now + LEASE):
        return None  # another worker was first
    related = ("workspace", "thread__inbox", "message__conversation__customer", "message__identity", "file")
    found: Delivery = Delivery.objects.select_related(*related).get(pk=pk)
    return found


def sent(delivery: Delivery, external_id: str) -> bool:
    """The platform accepted the part."""
    now = clock.now()
    return _settle(delivery, state=State.SENT, external_id=external_id[:255], sent_at=now, reason="")


def put_off(delivery: Delivery, reason: str, retry_after: float | None) -> bool:
    """Not sent; due again after the platform's own wait or a growing one; dead after a day of trying."""
    now = clock.now()
    if now - delivery.created_at > GIVE_UP_AFTER:
        return _settle(delivery, state=State.DEAD, reason=reason)
    wait = retry_after if retry_after is not None else min(LONGEST_WAIT, FIRST_WAIT * 2 ** (delivery.attempts - 1))
    return _settle(delivery, state=State.QUEUED, reason=reason, due_at=now + timedelta(seconds=wait))


def refused(delivery: Delivery, reason: str) -> bool:
    """The platform will not take it; the agent sees why."""
    return _settle(delivery, state=State.REFUSED, reason=reason)


def uncertain(delivery: Delivery, reason: str) -> bool:
    """It may have arrived: the agent decides whether it is sent again."""
    return _settle(delivery, state=State.UNCERTAIN, reason=reason)


def give_back(delivery: Delivery) -> None:
    """Its sender ends without knowing how it went: whoever looks next settles it as one whose sender vanished."""
    with scopes_disabled():
        mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
        mine.update(leased_until=clock.now())


def _settle(delivery: Delivery, *, reason: str, state: str, **facts: object) -> bool:
    with change(delivery.workspace, cause=f"delivery {delivery.pk}") as event:
        mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
        if not mine.update(state=state, reason=reason[:300], leased_until=None, **facts):
            return False
        _record(event, delivery, delivery.state, state)
    return True


def _record(event: Change, delivery: Delivery, before: str, after: str) -> None:
    message = delivery.message
    if message is None:
        return
    event.record(
        "delivery.changed",
        message,
        conversation_id=message.conversation_id,
        customer=message.conversation.customer,
        changed={"delivery": [before, after]},
    )


def end_leases(channels: Sequence[str]) -> None:
    """Every sender on these channels is known to be gone."""
    with scopes_disabled():
        held = Delivery.objects.filter(state=State.SENDING, thread__inbox__channel__in=channels)
        held.update(leased_until=clock.now() - timedelta(seconds=1))


def expire_leases(
    *, repeatable_channels: Sequence[str], asked_channels: Sequence[str] = (), now: datetime | None = None
) -> int:
    """Settle parts whose sender vanished: queued again where a repeat is harmless, else uncertain. Returns how many.

    `asked_channels` are left out: see `claim_lost`.

    `now` is later than the clock when it is known that no sender can be alive: at the start of the only process.
    """
    with scopes_disabled():
        lost = Delivery.objects.filter(state=State.SENDING, leased_until__lt=now or clock.now())
        lost = lost.exclude(thread__inbox__channel__in=asked_channels)
        rows = list(lost.select_related("workspace", "thread__inbox", "message__conversation__customer")[:500])
    count = 0
    for delivery in rows:
        if delivery.thread.inbox.channel in repeatable_channels:
            count += _settle(delivery, state=State.QUEUED, reason="", due_at=clock.now())
        else:
            count += uncertain(delivery, "The sender stopped in the middle; it may have arrived.")
    return count


def send_again(delivery: Delivery) -> bool:
    """A person asks for another try of a part that is refused, uncertain or dead. False when it is none of these."""
    return _by_hand(delivery, state=State.QUEUED, due_at=clock.now(), reason="", created_at=clock.now())


def take_as_sent(delivery: Delivery) -> bool:
    """A person knows that an uncertain part arrived."""
    return delivery.state == State.UNCERTAIN and _by_hand(delivery, state=State.SENT, sent_at=clock.now(), reason="")


def _by_hand(delivery: Delivery, **facts: object) -> bool:
    with change(delivery.workspace, cause="page") as event:
        stuck = Delivery.objects.filter(pk=delivery.pk, state__in=(State.REFUSED, State.UNCERTAIN, State.DEAD))
        if not stuck.update(**facts):
            return False
        _record(event, delivery, delivery.state, str(facts["state"]))
    return True


def take_receipt(inbox: Inbox, receipt: Receipt) -> bool:
    """A receipt of the platform; statuses only move forward."""
    with change(inbox.workspace, cause=f"{inbox.channel} receipt") as event:
        known = Delivery.objects.select_related("message__conversation__customer").select_for_update(
            of=("self",), no_key=True
        )
        known = known.filter(thread__inbox=inbox)
        on_thread = {"thread__external_id": receipt.thread_id[:200]} if receipt.thread_id else {}
        named = known.filter(external_id=receipt.target[:255], **on_thread)
        delivery: Delivery | None = named.first() or _of_unknown_end(known, receipt)
        if delivery is None:
            return False
        before = delivery.state
        is_new = _learn_id(delivery, receipt)
        if receipt.status == "failed":
            if delivery.read_at or delivery.delivered_at or before == State.REFUSED:
                return False
            delivery.state, delivery.reason = State.REFUSED, receipt.reason[:300]
        elif not _move_forward(delivery, receipt.status, receipt.at) and not is_new:
            return False
        delivery.save()
        _record(event, delivery, before, receipt.status)
    return True


def _of_unknown_end(known: QuerySet[Delivery], receipt: Receipt) -> Delivery | None:
    """The part that a receipt names by our own number, where the answer to its sending was lost."""
    if receipt.part is None or not -(2**63) <= receipt.part < 2**63:
        return None
    return known.filter(pk=receipt.part, external_id="", state__in=(State.UNCERTAIN, State.SENDING)).first()


def _learn_id(delivery: Delivery, receipt: Receipt) -> bool:
    """A part of unknown end was taken by the platform, whatever became of it; True when that is news."""
    if delivery.external_id:
        return False
    delivery.external_id, delivery.reason = receipt.target[:255], ""
    delivery.state, delivery.leased_until, delivery.sent_at = State.SENT, None, delivery.sent_at or receipt.at
    return True


def _move_forward(delivery: Delivery, status: str, at: datetime) -> bool:
    if status not in ("delivered", "read") or getattr(delivery, f"{status}_at") is not None:
        return False
    delivery.delivered_at = delivery.delivered_at or at
    if status == "read":
        delivery.read_at = at
    if delivery.state in (State.UNCERTAIN, State.SENDING):
        delivery.state, delivery.leased_until, delivery.sent_at = State.SENT, None, delivery.sent_at or at
    return True


def take_read_mark(inbox: Inbox, mark: ReadUpTo) -> bool:
    """The customer has seen what was sent on the thread until then; a moment to come counts as now."""
    seen_at = min(mark.at, clock.now())
    with change(inbox.workspace, cause=f"{inbox.channel} receipt") as event:
        seen = Delivery.objects.filter(
            thread__inbox=inbox,
            thread__external_id=mark.thread_id,
            state=State.SENT,
            read_at=None,
            sent_at__lte=seen_at,
        )
        rows = list(seen.select_related("message__conversation__customer").order_by("pk"))
        for delivery in rows:
            _move_forward(delivery, "read", seen_at)
            delivery.save(update_fields=["delivered_at", "read_at"])
            _record(event, delivery, State.SENT, "read")
    return bool(rows)


def status_of(message: Message) -> str:
    """A message's status for the ticks: its worst part. '' when nothing leaves (a demo inbox)."""
    states = [delivery_status(delivery) for delivery in message.deliveries.all()]
    return min(states, key=_FROM_WORST.index) if states else ""


def delivery_status(delivery: Delivery) -> str:
    if delivery.state == State.SENT:
        return "read" if delivery.read_at else "delivered" if delivery.delivered_at else "sent"
    return delivery.state


_FROM_WORST = ("refused", "dead", "uncertain", "queued", "sending", "sent", "delivered", "read")
