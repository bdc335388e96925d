"""What did not leave and waits for a person: each has its reason, is tried again, or is left as it is."""

from collections.abc import Iterable

from django.db.models import QuerySet

from conversations import deliveries
from conversations.models import Delivery, Inbox

COUNTED = 100  # more are not counted: "99+"


def failed(inbox: Inbox | None = None) -> "QuerySet[Delivery]":
    """The workspace's failed parts and acts, the newest first."""
    rows: QuerySet[Delivery] = Delivery.objects.filter(state__in=Delivery.STUCK_STATES, let_go_at=None)
    rows = rows.exclude(message=None).select_related("message__conversation__customer", "thread__inbox", "workspace")
    return (rows if inbox is None else rows.filter(thread__inbox=inbox)).order_by("-pk")


def count() -> int:
    """How many, at most COUNTED."""
    stuck = Delivery.objects.filter(state__in=Delivery.STUCK_STATES, let_go_at=None).exclude(message=None)
    return len(stuck.values_list("pk", flat=True)[:COUNTED])


def try_all_again(rows: Iterable[Delivery]) -> int:
    """Queue them again and return how many. What may have arrived is left out: only a person who looks can tell."""
    surely = [row for row in rows if row.state != Delivery.State.UNCERTAIN]
    return sum(deliveries.send_again(row) for row in surely)
