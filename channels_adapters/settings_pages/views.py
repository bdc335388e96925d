"""Settings: the inboxes, how each is doing, and what came in and could not be read."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from channels_adapters import connections
from channels_adapters.abilities import comes_in, goes_out
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.registry import channels
from channels_adapters.settings_pages.forms import ConnectForm
from channels_adapters.workers import taking_in
from channels_adapters.workers.running import workers
from conversations.models import Inbox
from crm.workspace.pages import MemberRequest, member_page

SHOWN = 4_000  # bytes of a parked delivery
LISTED = 50


@member_page("settings.change")
def settings(request: MemberRequest) -> HttpResponse:
    """Every inbox with its health, and the deliveries that wait for a person."""
    context = {
        "connections": Connection.objects.select_related("inbox").order_by("inbox__name"),
        "demo": Inbox.objects.filter(state=Inbox.State.DEMO).order_by("name"),
        "channels": [(name, channels()[name].label) for name in sorted(channels())],
        "parked": RawDelivery.objects.filter(state=RawDelivery.State.PARKED)
        .select_related("inbox")
        .defer("body")
        .order_by("-pk")[:LISTED],
    }
    return render(request, "settings/settings.html", context)


@member_page("settings.change")
def connect(request: MemberRequest, channel: str) -> HttpResponse:
    """The form of a channel; a POST connects and tests it."""
    if channel not in channels():
        raise Http404
    adapter = channels()[channel]
    form = ConnectForm(adapter, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = connections.connect(
                request.membership.workspace,
                channel,
                name=form.cleaned_data["name"],
                given=form.given(),
                by=request.membership,
            )
        except connections.WrongSettings as error:
            form.add_error(None, str(error))
        else:
            for problem in connections.check(made).problems:
                messages.error(request, problem)
            workers().look_at_connections()
            return redirect("inbox-settings", made.pk)
    status = 422 if form.is_bound else 200
    context = {"form": form, "label": adapter.label, "comes_in": comes_in(adapter), "goes_out": goes_out(adapter)}
    return render(request, "settings/connect.html", context, status=status)


@member_page("delivery.retry")
def parked(request: MemberRequest, pk: int) -> HttpResponse:
    """What came in, as it came."""
    raw: RawDelivery = get_object_or_404(RawDelivery.objects.select_related("inbox"), pk=pk, state="parked")
    body = bytes(raw.body)
    context = {"raw": raw, "body": body[:SHOWN].decode("utf-8", "backslashreplace"), "size": len(body)}
    context["is_cut"] = len(body) > SHOWN
    return render(request, "settings/parked.html", context)


@require_POST
@member_page("delivery.retry")
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it in again: after an update it may be readable."""
    raw: RawDelivery = get_object_or_404(RawDelivery.objects.select_related("workspace"), pk=pk, state="parked")
    taking_in.take_in_again(raw)
    workers().intake.wake()
    messages.success(request, _("It is being taken in again."))
    return redirect("settings")
