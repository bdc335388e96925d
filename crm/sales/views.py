"""The pages of leads and opportunities."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from crm.happenings import of_record
from crm.listing import ALL, Statuses, listed
from crm.sales import deals
from crm.sales.forms import PriceForm
from crm.sales.models import Lead, Opportunity
from crm.workspace.pages import MemberRequest, is_fragment, member_page, show

LEADS: Statuses = {
    "open": (_("Open"), Q(status=Lead.Status.OPEN)),
    "qualified": (_("Qualified"), Q(status=Lead.Status.QUALIFIED)),
    "disqualified": (_("Disqualified"), Q(status=Lead.Status.DISQUALIFIED)),
    "void": (_("Opened by mistake"), Q(status=Lead.Status.VOID)),
    "all": ALL,
}
OPPORTUNITIES: Statuses = {
    "open": (_("Open"), Q(won_at=None, lost_at=None)),
    "won": (_("Won"), Q(won_at__isnull=False)),
    "lost": (_("Lost"), Q(won_at=None, lost_at__isnull=False)),
    "all": ALL,
}


@member_page("record.view")
def sales(request: MemberRequest) -> HttpResponse:
    rows = Lead.objects.select_related("customer", "owner__agent")
    template = "crm/sales/_lead_rows.html" if is_fragment(request) else "crm/sales/sales.html"
    return show(request, template, {"listing": listed(rows, LEADS, request.GET)})


@member_page("record.view")
def opportunities(request: MemberRequest) -> HttpResponse:
    rows = Opportunity.objects.select_related("customer", "owner__agent")
    template = "crm/sales/_opportunity_rows.html" if is_fragment(request) else "crm/sales/opportunities.html"
    return show(request, template, {"listing": listed(rows, OPPORTUNITIES, request.GET)})


@member_page("record.view")
def lead(request: MemberRequest, number: int) -> HttpResponse:
    record = _lead(number)
    opportunity = Opportunity.objects.filter(lead=record).first()
    context = {"record": record, "kind": "lead", "opportunity": opportunity, "events": of_record(record)}
    return show(request, "crm/sales/lead.html", context)


@member_page("record.view")
def opportunity(request: MemberRequest, number: int) -> HttpResponse:
    record = _opportunity(number)
    form = PriceForm(initial={"amount": record.amount, "currency": record.currency})
    return _show_opportunity(request, record, form)


@require_POST
@member_page("record.change")
def qualify(request: MemberRequest, number: int) -> HttpResponse:
    made = deals.qualify(_lead(number), by=request.membership)
    return redirect("opportunity", made.number) if made else redirect("lead", number)


@require_POST
@member_page("record.change")
def disqualify(request: MemberRequest, number: int) -> HttpResponse:
    deals.disqualify(_lead(number), by=request.membership)
    return redirect("lead", number)


@require_POST
@member_page("record.change")
def reopen_lead(request: MemberRequest, number: int) -> HttpResponse:
    deals.reopen_lead(_lead(number), by=request.membership)
    return redirect("lead", number)


@require_POST
@member_page("record.change")
def win(request: MemberRequest, number: int) -> HttpResponse:
    deals.win(_opportunity(number), by=request.membership)
    return redirect("opportunity", number)


@require_POST
@member_page("record.change")
def lose(request: MemberRequest, number: int) -> HttpResponse:
    deals.lose(_opportunity(number), by=request.membership)
    return redirect("opportunity", number)


@require_POST
@member_page("record.change")
def reopen(request: MemberRequest, number: int) -> HttpResponse:
    deals.reopen(_opportunity(number), by=request.membership)
    return redirect("opportunity", number)


@require_POST
@member_page("record.change")
def price(request: MemberRequest, number: int) -> HttpResponse:
    record, form = _opportunity(number), PriceForm(request.POST)
    if not form.is_valid():
        return _show_opportunity(request, record, form, status=422)
    deals.price(record, form.cleaned_data["amount"], form.cleaned_data["currency"], by=request.membership)
    return redirect("opportunity", number)


def _show_opportunity(
    request: MemberRequest, record: Opportunity, form: PriceForm, *, status: int = 200
) -> HttpResponse:
    context = {"record": record, "kind": "opportunity", "form": form, "events": of_record(record)}
    return show(request, "crm/sales/opportunity.html", context, status=status)


def _lead(number: int) -> Lead:
    found: Lead = get_object_or_404(Lead.objects.select_related("customer__company", "owner__agent"), number=number)
    return found


def _opportunity(number: int) -> Opportunity:
    rows = Opportunity.objects.select_related("customer__company", "owner__agent", "lead")
    found: Opportunity = get_object_or_404(rows, number=number)
    return found
