"""What agents do with a ticket."""

from crm import records
from crm.support.models import Ticket
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership


def solve(ticket: Ticket, *, by: Membership) -> None:
    """The ticket is solved; one that is closed is left alone."""
    with change(by.workspace, actor=by, cause="page") as event:
        records.close(event, _lock(ticket), Ticket.Status.SOLVED, clock.now())


def reopen(ticket: Ticket, *, by: Membership) -> None:
    """The ticket is open again."""
    with change(by.workspace, actor=by, cause="page") as event:
        records.reopen(event, _lock(ticket), clock.now())


def _lock(ticket: Ticket) -> Ticket:
    found: Ticket = (
        Ticket.objects.select_for_update(of=("self",), no_key=True).select_related("customer").get(pk=ticket.pk)
    )
    return found
