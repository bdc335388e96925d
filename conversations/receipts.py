"""What a platform says of the parts it took: delivered, read or failed, one by one or up to a moment."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext

from conversations.deliveries import Kind, State, record
from conversations.models import Delivery, Inbox
from conversations.normalized import ReadUpTo, Receipt
from conversations.text import ID_LIMIT
from crm.workspace import clock
from crm.workspace.events import change


def take(inbox: Inbox, receipt: Receipt) -> bool:
    """A receipt of the platform; statuses only move forward."""
    with change(inbox.workspace, cause=f"{inbox.channel} receipt") as event:
        known = Delivery.objects.select_related("message__conversation__customer").select_for_update(
            of=("self",), no_key=True
        )
        known = known.filter(thread__inbox=inbox, kind=Kind.SEND)
        on_thread = {"thread__external_id": receipt.thread_id[:200]} if receipt.thread_id else {}
        named = known.filter(external_id=receipt.target[:ID_LIMIT], **on_thread)
        delivery: Delivery | None = named.first() or _of_unknown_end(known, receipt)
        if delivery is None:
            return False
        before = delivery.state
        is_new = _learn_id(delivery, receipt)
        if receipt.status == "failed":
            if delivery.read_at or delivery.delivered_at or before == State.REFUSED:
                return False
            delivery.state, delivery.reason = State.REFUSED, _failure(receipt)
        elif not _move_forward(delivery, receipt.status, receipt.at) and not is_new:
            return False
        delivery.save()
        record(event, delivery, before, receipt.status)
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
    delivery.external_id, delivery.reason = receipt.target[:ID_LIMIT], ""
    delivery.state, delivery.leased_until, delivery.sent_at = State.SENT, None, delivery.sent_at or receipt.at
    return True


def _failure(receipt: Receipt) -> str:
    """The platform's reason in plain words, with its number for whoever asks the platform."""
    words = receipt.reason.strip() or gettext("The platform could not deliver it.")
    return f"{words} ({receipt.code})"[:300] if receipt.code and receipt.code not in words else words[:300]


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
    """The customer has, or has seen, what was sent on the thread until then; a moment to come counts as now."""
    seen_at = min(mark.at, clock.now())
    with change(inbox.workspace, cause=f"{inbox.channel} receipt") as event:
        seen = Delivery.objects.filter(
            thread__inbox=inbox,
            thread__external_id=mark.thread_id[:200],
            kind=Kind.SEND,
            state=State.SENT,
            sent_at__lte=seen_at,
            **{f"{mark.status}_at": None},
        )
        rows = list(seen.select_related("message__conversation__customer").order_by("pk"))
        for delivery in rows:
            _move_forward(delivery, mark.status, seen_at)
            delivery.save(update_fields=["delivered_at", "read_at"])
            record(event, delivery, State.SENT, mark.status)
    return bool(rows)
