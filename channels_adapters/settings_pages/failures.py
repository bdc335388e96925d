"""The worklist of failures: what did not leave, and what came in and could not be read."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from channels_adapters.models import RawDelivery
from channels_adapters.workers import taking_in
from channels_adapters.workers.running import workers
from conversations import deliveries, failed
from conversations.models import Delivery, Inbox
from crm.workspace import permissions
from crm.workspace.pages import MemberRequest, member_page, show

LISTED = 100


@require_safe
@member_page("conversation.reply")
def failures(request: MemberRequest) -> HttpResponse:
    """All of it, or of one `?inbox=`."""
    chosen = _chosen(request)
    context = {
        "parts": failed.failed(chosen)[:LISTED],
        "parked": _parked(request, chosen)[:LISTED],
        "inboxes": Inbox.objects.exclude(state__in=(Inbox.State.DEMO, Inbox.State.REMOVED)).order_by("name"),
        "chosen": chosen,
    }
    return show(request, "settings/failures.html", context)


@require_POST
@member_page("conversation.reply")
def retry(request: MemberRequest, pk: int) -> HttpResponse:
    """Try one part again."""
    deliveries.send_again(_part(pk))
    return _back(request)


@require_POST
@member_page("conversation.reply")
def let_go(request: MemberRequest, pk: int) -> HttpResponse:
    """Leave one part as it is."""
    deliveries.let_go(_part(pk))
    return _back(request)


@require_POST
@member_page("conversation.reply")
def retry_all(request: MemberRequest) -> HttpResponse:
    """Try all of it again, or all of one inbox: but not what may have arrived."""
    chosen = _chosen(request)
    count = failed.try_all_again(failed.failed(chosen))
    for raw in _parked(request, chosen):
        taking_in.take_in_again(raw)
        count += 1
    workers().intake.wake()
    words = ngettext("%(count)d is tried again.", "%(count)d are tried again.", count) % {"count": count}
    messages.success(request, words if count else _("There was nothing that could be tried again by itself."))
    return _back(request)


def _chosen(request: MemberRequest) -> Inbox | None:
    asked = request.GET.get("inbox") or request.POST.get("inbox") or ""
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return None
    found: Inbox = get_object_or_404(Inbox, pk=int(asked))
    return found


def _parked(request: MemberRequest, chosen: Inbox | None) -> Any:
    """Deliveries that could not be read, for those who may look into them."""
    rows = RawDelivery.objects.filter(state=RawDelivery.State.PARKED).select_related("inbox", "workspace").defer("body")
    if not permissions.may(request.membership, "delivery.retry"):
        return rows.none()
    return (rows if chosen is None else rows.filter(inbox=chosen)).order_by("-pk")


def _part(pk: int) -> Delivery:
    part: Delivery = get_object_or_404(failed.failed(), pk=pk)
    return part


def _back(request: MemberRequest) -> HttpResponse:
    chosen = request.POST.get("inbox", "")
    query = f"?inbox={chosen}" if chosen.isascii() and chosen.isdigit() else ""
    return redirect(f"{reverse('failures')}{query}")
