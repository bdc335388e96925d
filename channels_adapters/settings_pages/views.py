"""Settings: the inboxes, how each is doing, and what came in and could not be read."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from channels_adapters import connections
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.registry import channels
from channels_adapters.settings_pages.forms import ConnectForm
from channels_adapters.workers import taking_in
from channels_adapters.workers.running import workers
from conversations.models import Inbox
from crm.workspace.events import change
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
            connections.check(made)
            workers().look_at_connections()
            return redirect("inbox-settings", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "settings/connect.html", {"form": form, "label": adapter.label}, status=status)


@member_page("settings.change")
def inbox(request: MemberRequest, pk: int) -> HttpResponse:
    """One inbox: its addresses, its health, what can be done."""
    connection = get_object_or_404(Connection.objects.select_related("inbox"), inbox=pk)
    context = {"connection": connection, "inbox": connection.inbox, "hook_url": connections.hook_url(connection.inbox)}
    served = connections.serving(connection.inbox.key)
    context["places"] = served.adapter.places(connections.public_url(), connection.inbox.key) if served else ()
    return render(request, "settings/inbox.html", context)


@require_POST
@member_page("settings.change")
def test(request: MemberRequest, pk: int) -> HttpResponse:
    """Try the connection now."""
    found = connections.check(get_object_or_404(Inbox.objects.select_related("workspace"), pk=pk))
    for problem in found.problems:
        messages.error(request, problem)
    if not found.problems:
        messages.success(request, _("It works."))
    return redirect("inbox-settings", pk)


@require_POST
@member_page("settings.change")
def pause(request: MemberRequest, pk: int) -> HttpResponse:
    """Take in and send nothing until it is resumed; what waits is kept."""
    return _set_state(request, pk, Inbox.State.PAUSED)


@require_POST
@member_page("settings.change")
def resume(request: MemberRequest, pk: int) -> HttpResponse:
    return _set_state(request, pk, Inbox.State.LIVE)


def _set_state(request: MemberRequest, pk: int, state: str) -> HttpResponse:
    found: Inbox = get_object_or_404(Inbox, pk=pk)
    if found.state == Inbox.State.DEMO:
        raise Http404
    with change(request.membership.workspace, actor=request.membership, cause="page") as event:
        changed = {"state": [found.state, state]}
        found.state = state
        found.save(update_fields=["state"])
        event.record("inbox.changed", found, changed=changed)
    workers().look_at_connections()
    return redirect("inbox-settings", pk)


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
