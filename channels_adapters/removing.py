"""Removing an inbox: its secrets and raw deliveries go, what was said stays."""

from dataclasses import dataclass

from django.db.models import QuerySet

from channels_adapters.models import Connection, RawDelivery
from conversations.models import Conversation, Delivery, Inbox
from crm.workspace.events import change
from crm.workspace.models import Membership

REASON = "The inbox was removed before it was sent."


@dataclass(frozen=True, slots=True)
class Consequences:
    """Said before it is done."""

    open_conversations: int  # stay, are read and resolved, and answered no more
    unsent: int  # parts that will not be sent
    unread: int  # deliveries that were not taken in, and are dropped


def consequences(inbox: Inbox) -> Consequences:
    """What removing the inbox would do now."""
    waiting = RawDelivery.objects.filter(inbox=inbox).exclude(state=RawDelivery.State.DONE)
    return Consequences(
        open_conversations=Conversation.objects.open().filter(inbox=inbox).count(),
        unsent=_unsent(inbox).count(),
        unread=waiting.count(),
    )


def _unsent(inbox: Inbox) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(thread__inbox=inbox, state=Delivery.State.QUEUED)


def remove(inbox: Inbox, *, by: Membership | None) -> None:
    """Nothing comes or goes any more; the conversations stay readable."""
    with change(inbox.workspace, actor=by, cause="page") as event:
        Connection.objects.filter(inbox=inbox).delete()
        RawDelivery.objects.filter(inbox=inbox).delete()
        _unsent(inbox).update(state=Delivery.State.REFUSED, reason=REASON)
        before, inbox.state = inbox.state, Inbox.State.REMOVED
        inbox.save(update_fields=["state"])
        inbox.message_templates.all().delete()
        event.record("inbox.removed", inbox, changed={"state": [before, inbox.state]})
