"""The life of an outgoing part, told by the edge's worker: claimed under a lease, then sent, put off or refused.

Every step is fenced by the attempt's number: a worker that was asleep past its lease writes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django_scopes import scopes_disabled

from conversations import acts, flow
from conversations.models import Delivery, Inbox, Message
from conversations.text import ID_LIMIT, clean_json
from crm.workspace import clock
from crm.workspace.events import Change, change

LEASE = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(hours=24)
FIRST_WAIT, LONGEST_WAIT = 2.0, 900.0  # seconds
AT_ONCE_PER_INBOX = 8  # a platform that is slow does not hold up the others
LOOKED_AT = 200  # due parts, one a thread, among which the turns are given
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
State, Kind = Delivery.State, Delivery.Kind
SAYING = (Kind.SEND, Kind.EDIT, Kind.DELETE)  # their order on a thread matters
UNSEEN = (Kind.TYPING, Kind.READ)  # nobody waits for them: one that fails is let go


def claim(limit: int, *, busy: Mapping[int, int] | None = None) -> list[Delivery]:
    """Take up to `limit` due parts, the oldest unsent of each thread, into `sending` under a lease.

    What says something waits while something earlier of its thread is unsent, an act while an earlier one of its
    message is. A part refused or uncertain holds back only its own message's later parts. Threads take turns, and no
    inbox has more than AT_ONCE_PER_INBOX in hand; `busy` says how many each has already. Works over all workspaces:
    the edge serves the whole installation.
    """
    now, in_hand = clock.now(), Counter(busy or {})
    taken: list[Delivery] = []
    with scopes_disabled():
        full = [inbox for inbox, count in in_hand.items() if count >= AT_ONCE_PER_INBOX]
        waiting = _due(now).exclude(thread__inbox__in=full).select_related("thread__inbox").order_by("due_at", "pk")
        for delivery in sorted(waiting[:LOOKED_AT], key=_turn):
            inbox = delivery.thread.inbox_id
            if len(taken) == limit:
                break
            if in_hand[inbox] < AT_ONCE_PER_INBOX and flow.admit(delivery, now):
                found = _take(delivery.pk, delivery.attempts, now)
                taken += [found] if found is not None else []
                in_hand[inbox] += 1
    return taken


def _due(now: datetime) -> "QuerySet[Delivery]":
    rows: QuerySet[Delivery] = Delivery.objects.all()
    before = rows.filter(pk__lt=OuterRef("pk"))
    earlier = before.filter(thread=OuterRef("thread"), kind__in=SAYING, state__in=Delivery.OPEN_STATES)
    same = before.filter(message=OuterRef("message"), state__in=Delivery.OPEN_STATES)
    broken = before.filter(message=OuterRef("message"), kind=Kind.SEND, state__in=Delivery.STUCK_STATES)
    due = rows.filter(flow.open_now(now), state=State.QUEUED, due_at__lte=now, thread__inbox__state=Inbox.State.LIVE)
    due = due.exclude(Q(kind__in=SAYING) & Exists(earlier))
    return due.exclude(~Q(kind__in=SAYING) & Exists(same)).exclude(Q(kind=Kind.SEND) & Exists(broken))


def _turn(delivery: Delivery) -> tuple[datetime, datetime, int]:
    """The thread that was served longest ago comes first."""
    return delivery.thread.paced_until or EARLIEST, delivery.due_at, delivery.pk


def claim_lost(channels: Sequence[str], limit: int) -> list[Delivery]:
    """Take over parts whose sender vanished, on channels that can be asked whether they arrived."""
    now = clock.now()
    with scopes_disabled():
        lost = Delivery.objects.filter(state=State.SENDING, leased_until__lt=now, thread__inbox__channel__in=channels)
        lost = (
            lost.filter(kind=Kind.SEND, thread__inbox__state=Inbox.State.LIVE)
            .order_by("pk")
            .values_list("pk", "attempts")[:limit]
        )
        return [taken for pk, attempts in lost if (taken := _take(pk, attempts, now, State.SENDING)) is not None]


def _take(pk: int, attempts: int, now: datetime, state: str = State.QUEUED) -> Delivery | None:
    claimed = Delivery.objects.filter(pk=pk, state=state, attempts=attempts)
    if not claimed.update(state=State.SENDING, attempts=attempts + 1, leased_until=now + LEASE):
        return None  # another worker was first
    related = ("workspace", "thread__inbox", "message__conversation__customer", "message__identity", "file")
    found: Delivery = Delivery.objects.select_related(*related).get(pk=pk)
    return found


def sent(delivery: Delivery, external_id: str, details: Mapping[str, Any] | None = None) -> bool:
    """The platform accepted the part, or did what it was asked; `details` are kept with the message."""
    facts = {"external_id": external_id[:ID_LIMIT], "sent_at": clock.now()}
    with change(delivery.workspace, cause=f"delivery {delivery.pk}") as event:
        if not _settle(delivery, state=State.SENT, reason="", **facts):
            return False
        if delivery.is_act:
            acts.show(event, delivery)
        elif details and delivery.message is not None:
            _keep_details(delivery.message, clean_json(details))
    return True


def _keep_details(message: Message, details: Mapping[str, Any]) -> None:
    row = Message.objects.select_for_update(no_key=True).get(pk=message.pk)
    row.details = {**row.details, **details}
    row.save(update_fields=["details"])


def put_off(delivery: Delivery, reason: str, retry_after: float | None) -> bool:
    """Not sent; due again after the platform's own wait or a growing one; dead after a day of trying."""
    now = clock.now()
    if now - delivery.created_at > GIVE_UP_AFTER or delivery.kind in UNSEEN:
        return _settle(delivery, state=State.DEAD, reason=reason, **_let_go(delivery, now))
    wait = retry_after if retry_after is not None else min(LONGEST_WAIT, FIRST_WAIT * 2 ** (delivery.attempts - 1))
    return _settle(delivery, state=State.QUEUED, reason=reason, due_at=now + timedelta(seconds=wait))


def refused(delivery: Delivery, reason: str) -> bool:
    """The platform will not take it; the agent sees why."""
    return _settle(delivery, state=State.REFUSED, reason=reason, **_let_go(delivery, clock.now()))


def _let_go(delivery: Delivery, now: datetime) -> dict[str, object]:
    return {"let_go_at": now} if delivery.kind in UNSEEN else {}


def uncertain(delivery: Delivery, reason: str) -> bool:
    """It may have arrived: the agent decides whether it is sent again. An act is just done again."""
    if delivery.is_act:
        return put_off(delivery, reason, None)
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
        record(event, delivery, delivery.state, state)
    return True


def record(event: Change, delivery: Delivery, before: str, after: str) -> None:
    """What became of a part, on the event path."""
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
        lost = lost.exclude(thread__inbox__channel__in=asked_channels, kind=Kind.SEND)
        rows = list(lost.select_related("workspace", "thread__inbox", "message__conversation__customer")[:500])
    count = 0
    for delivery in rows:
        if delivery.is_act or delivery.thread.inbox.channel in repeatable_channels:
            count += _settle(delivery, state=State.QUEUED, reason="", due_at=clock.now())
        else:
            count += uncertain(delivery, "The sender stopped in the middle; it may have arrived.")
    return count


def send_again(delivery: Delivery) -> bool:
    """A person asks for another try of a part that is refused, uncertain or dead. False when it is none of these."""
    now = clock.now()
    return _by_hand(delivery, state=State.QUEUED, due_at=now, reason="", created_at=now, let_go_at=None)


def take_as_sent(delivery: Delivery) -> bool:
    """A person knows that an uncertain part arrived."""
    return delivery.state == State.UNCERTAIN and _by_hand(delivery, state=State.SENT, sent_at=clock.now(), reason="")


def let_go(delivery: Delivery) -> bool:
    """A person leaves a part that failed as it is: it stands on no list any more."""
    return delivery.let_go_at is None and _by_hand(delivery, state=delivery.state, let_go_at=clock.now())


def _by_hand(delivery: Delivery, **facts: object) -> bool:
    with change(delivery.workspace, cause="page") as event:
        stuck = Delivery.objects.filter(pk=delivery.pk, state=delivery.state, state__in=Delivery.STUCK_STATES)
        if not stuck.update(**facts):
            return False
        record(event, delivery, delivery.state, str(facts["state"]))
    return True


def status_of(message: Message) -> str:
    """A message's status for the ticks: its worst part. '' when nothing leaves (a demo inbox)."""
    states = [delivery_status(delivery) for delivery in message.deliveries.all() if not delivery.is_act]
    return min(states, key=_FROM_WORST.index) if states else ""


def delivery_status(delivery: Delivery) -> str:
    if delivery.state == State.SENT:
        return "read" if delivery.read_at else "delivered" if delivery.delivered_at else "sent"
    return delivery.state


_FROM_WORST = ("refused", "dead", "uncertain", "queued", "sending", "sent", "delivered", "read")
