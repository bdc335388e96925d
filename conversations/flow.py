"""How fast parts leave: a rate per inbox and per thread, the platform's own waits, and a break after many failures.

A rate is kept as one moment, up to which it is spent (GCRA): each part moves it on by 1 / rate, and a part may leave
while it is at most a burst ahead of now. The moments lie in the database, so that all processes share them; whoever
moves one on from what they read has the slot.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q

from conversations.models import Delivery, Flow, Inbox, Thread
from crm.workspace import clock

BURST = timedelta(seconds=1)  # of an inbox
THREAD_BURST = 2  # parts of a thread; its moment is kept without them: when the next part may leave
BREAK_AFTER = 5  # failures one after the other
FIRST_BREAK, LONGEST_BREAK = 15.0, 900.0  # seconds
PROBE = timedelta(seconds=60)  # how long the one part after a break may take


def spent(until: datetime | None, now: datetime, per_second: float, burst: timedelta) -> datetime | None:
    """The moment up to which the rate is spent with one part more; None when that part has to wait."""
    if until is not None and until > now + burst:
        return None
    return max(until or now, now) + timedelta(seconds=1 / per_second)


def break_after(failures: int) -> float:
    """Seconds that nothing is sent after so many failures; 0 while they are few."""
    if failures < BREAK_AFTER:
        return 0
    return float(min(LONGEST_BREAK, FIRST_BREAK * 2 ** min(failures - BREAK_AFTER, 16)))


def open_now(now: datetime) -> Q:
    """Deliveries whose inbox and thread may send."""
    held = Q(thread__inbox__flow__held_until__gt=now)
    paced = Q(thread__inbox__flow__paced_until__gt=now + BURST)
    return ~(held | paced | Q(thread__paced_until__gt=now))


def admit(delivery: Delivery, now: datetime) -> bool:
    """Take a slot of the part's inbox and thread, read with it. False: another process was first, or it has to wait."""
    inbox, thread = delivery.thread.inbox, delivery.thread
    per_second = float(inbox.capabilities.get("per_second") or 0)
    per_thread = float(inbox.capabilities.get("per_thread_second") or 0)
    flow = Flow.objects.filter(inbox=inbox).first()
    if flow is not None and not _probe(flow, now):
        return False
    if per_second and not _spend(flow or _flow(inbox), now, per_second):
        return False
    rows = Thread.objects.filter(pk=thread.pk)
    if not per_thread:
        return bool(rows.update(paced_until=now))
    burst = timedelta(seconds=THREAD_BURST / per_thread)
    until = spent(thread.paced_until and thread.paced_until + burst, now, per_thread, burst)
    return until is not None and bool(rows.filter(paced_until=thread.paced_until).update(paced_until=until - burst))


def _flow(inbox: Inbox) -> Flow:
    Flow.objects.bulk_create([Flow(workspace_id=inbox.workspace_id, inbox=inbox)], ignore_conflicts=True)
    found: Flow = Flow.objects.get(inbox=inbox)
    return found


def _probe(flow: Flow, now: datetime) -> bool:
    """After a break one part goes first; the rest waits for how it ends."""
    if flow.held_until is not None and flow.held_until > now:
        return False
    if flow.failures < BREAK_AFTER:
        return True
    mine = Flow.objects.filter(pk=flow.pk, held_until=flow.held_until)
    return bool(mine.update(held_until=now + PROBE))


def _spend(flow: Flow, now: datetime, per_second: float) -> bool:
    for _again in range(3):
        until = spent(flow.paced_until, now, per_second, BURST)
        if until is None:
            return False
        if Flow.objects.filter(pk=flow.pk, paced_until=flow.paced_until).update(paced_until=until):
            return True
        flow.refresh_from_db()
    return False


def note_success(inbox: Inbox) -> None:
    """The platform took something: it works."""
    troubled = Flow.objects.filter(Q(failures__gt=0) | Q(held_until__isnull=False), inbox=inbox)
    troubled.update(failures=0, held_until=None, hold_reason="")


def note_trouble(inbox: Inbox, reason: str, retry_after: float | None) -> None:
    """The platform took nothing: no process asks it before the time it named, nor too often when it keeps failing."""
    now = clock.now()
    flow = _flow(inbox)
    Flow.objects.filter(pk=flow.pk).update(failures=F("failures") + int(retry_after is None))
    flow.refresh_from_db()
    wait = max(retry_after or 0, break_after(flow.failures))
    until = now + timedelta(seconds=wait)
    if wait and (flow.held_until is None or flow.held_until < until or flow.failures >= BREAK_AFTER):
        Flow.objects.filter(pk=flow.pk).update(held_until=until, hold_reason=reason[:300])


def next_look(within: float) -> float:
    """Seconds until a part that waits for its time or its turn may leave; at most `within`."""
    now = clock.now()
    waiting = Delivery.objects.filter(state=Delivery.State.QUEUED, thread__inbox__state=Inbox.State.LIVE)
    waiting = waiting.filter(due_at__lt=now + timedelta(seconds=within)).order_by("due_at")
    times = waiting.values_list(
        "due_at", "thread__paced_until", "thread__inbox__flow__held_until", "thread__inbox__flow__paced_until"
    )
    soonest = within
    for due_at, thread_until, held_until, paced_until in times[:200]:
        free_at = max(due_at, thread_until or now, held_until or now, (paced_until or now) - BURST)
        if free_at > now:
            soonest = min(soonest, (free_at - now).total_seconds())
    return max(soonest, 0.02)
