"""The pages of campaigns and of what people answer to them."""

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from crm.happenings import of_record
from crm.listing import ALL, Statuses, listed
from crm.marketing import responses
from crm.marketing.models import Campaign, CampaignResponse
from crm.people.models import Origin
from crm.workspace import clock
from crm.workspace.pages import MemberRequest, is_fragment, member_page, show

STATUSES: Statuses = {
    "open": (_("Open"), Q(status=CampaignResponse.Status.OPEN)),
    "closed": (_("Closed"), Q(status=CampaignResponse.Status.CLOSED)),
    "void": (_("Opened by mistake"), Q(status=CampaignResponse.Status.VOID)),
    "all": ALL,
}


def _campaign_statuses() -> Statuses:
    now = clock.now()
    is_over, is_to_come = Q(ends_at__lte=now), Q(starts_at__gt=now)
    return {
        "running": (_("Running"), (Q(ends_at=None) | Q(ends_at__gt=now)) & Q(starts_at__lte=now)),
        "to_come": (_("To come"), is_to_come),
        "over": (_("Over"), is_over),
        "all": ALL,
    }


@member_page("record.view")
def marketing(request: MemberRequest) -> HttpResponse:
    rows = CampaignResponse.objects.select_related("customer", "campaign")
    template = "crm/marketing/_rows.html" if is_fragment(request) else "crm/marketing/marketing.html"
    return show(request, template, {"listing": listed(rows, STATUSES, request.GET)})


@member_page("record.view")
def campaigns(request: MemberRequest) -> HttpResponse:
    listing = listed(Campaign.objects.all(), _campaign_statuses(), request.GET, by="starts_at")
    shown = Q(campaign__in=[campaign.pk for campaign in listing.rows])
    came = dict(Origin.objects.filter(shown).values_list("campaign").annotate(Count("pk")))
    answered = dict(CampaignResponse.objects.filter(shown).values_list("campaign").annotate(Count("pk")))
    for campaign in listing.rows:
        campaign.came, campaign.answered = came.get(campaign.pk, 0), answered.get(campaign.pk, 0)
    template = "crm/marketing/_campaign_rows.html" if is_fragment(request) else "crm/marketing/campaigns.html"
    return show(request, template, {"listing": listing})


@member_page("record.view")
def campaign(request: MemberRequest, pk: int) -> HttpResponse:
    found: Campaign = get_object_or_404(Campaign.objects.select_related("segment"), pk=pk)
    rows = CampaignResponse.objects.filter(campaign=found).select_related("customer", "campaign")
    listing = listed(rows, {"all": ALL, **STATUSES}, request.GET)
    if is_fragment(request):
        return show(request, "crm/marketing/_rows.html", {"listing": listing, "campaign": found})
    came = Origin.objects.filter(campaign=found)
    context = {"campaign": found, "listing": listing, "came": came.count()}
    context["newest"] = came.select_related("customer").order_by("-at", "-pk")[:8]
    return show(request, "crm/marketing/campaign.html", context)


@member_page("record.view")
def response(request: MemberRequest, number: int) -> HttpResponse:
    record = _found(number)
    context = {"record": record, "kind": "campaign_response", "events": of_record(record)}
    return show(request, "crm/marketing/response.html", context)


@require_POST
@member_page("record.change")
def close(request: MemberRequest, number: int) -> HttpResponse:
    responses.close(_found(number), by=request.membership)
    return redirect("campaign-response", number)


@require_POST
@member_page("record.change")
def reopen(request: MemberRequest, number: int) -> HttpResponse:
    responses.reopen(_found(number), by=request.membership)
    return redirect("campaign-response", number)


def _found(number: int) -> CampaignResponse:
    rows = CampaignResponse.objects.select_related("customer__company", "campaign")
    found: CampaignResponse = get_object_or_404(rows, number=number)
    return found
