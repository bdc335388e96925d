"""The pages of tickets."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from crm.happenings import of_record
from crm.listing import ALL, Statuses, listed
from crm.support import tickets
from crm.support.models import Ticket
from crm.workspace.pages import MemberRequest, is_fragment, member_page, show

STATUSES: Statuses = {
    "open": (_("Open"), Q(status=Ticket.Status.OPEN)),
    "solved": (_("Solved"), Q(status=Ticket.Status.SOLVED)),
    "void": (_("Opened by mistake"), Q(status=Ticket.Status.VOID)),
    "all": ALL,
}


@member_page("record.view")
def support(request: MemberRequest) -> HttpResponse:
    rows = Ticket.objects.select_related("customer", "owner__agent")
    template = "crm/support/_rows.html" if is_fragment(request) else "crm/support/support.html"
    return show(request, template, {"listing": listed(rows, STATUSES, request.GET)})


@member_page("record.view")
def ticket(request: MemberRequest, number: int) -> HttpResponse:
    record = _found(number)
    context = {"record": record, "kind": "ticket", "events": of_record(record)}
    return show(request, "crm/support/ticket.html", context)


@require_POST
@member_page("record.change")
def solve(request: MemberRequest, number: int) -> HttpResponse:
    tickets.solve(_found(number), by=request.membership)
    return redirect("ticket", number)


@require_POST
@member_page("record.change")
def reopen(request: MemberRequest, number: int) -> HttpResponse:
    tickets.reopen(_found(number), by=request.membership)
    return redirect("ticket", number)


def _found(number: int) -> Ticket:
    rows = Ticket.objects.select_related("customer__company", "owner__agent")
    found: Ticket = get_object_or_404(rows, number=number)
    return found
