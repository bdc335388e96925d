"""The curve of coverage and precision, what another threshold would have done last month, and setting it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from conversations.learning import threshold as thresholds
from conversations.learning.answers import ENOUGH, basis, confidences
from conversations.learning.pages.shared import INVALID, show
from crm.workspace import clock, permissions
from crm.workspace.pages import MemberRequest, member_page


class ThresholdForm(forms.Form):
    at = forms.DecimalField(min_value=0, max_value=1, max_digits=3, decimal_places=2)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("learning.view")
def threshold(request: MemberRequest) -> HttpResponse:
    """The page; a POST sets the threshold."""
    if request.method != "POST":
        return show(request, "threshold.html", _drawn(request))
    permissions.require(request.membership, "learning.change")
    form = ThresholdForm(request.POST)
    if not form.is_valid():
        problem = _("A threshold is a number from 0 to 1, as 0.75.")
        return show(request, "threshold.html", {**_drawn(request), "problem": problem}, status=INVALID)
    thresholds.move(request.membership.workspace, float(form.cleaned_data["at"]), by=request.membership)
    messages.success(request, _("Kept: it counts for every message from now on."))
    return redirect("threshold")


@require_safe
@member_page("learning.view")
def drawn(request: MemberRequest) -> HttpResponse:
    """The curve and the month for `?at=`."""
    return show(request, "_curve.html", _drawn(request))


def _drawn(request: MemberRequest) -> dict[str, Any]:
    workspace, now = request.membership.workspace, clock.now()
    form = ThresholdForm(request.GET)
    at = float(form.cleaned_data["at"]) if form.is_valid() else workspace.triage_threshold
    known = basis(now)
    own = confidences(now - thresholds.MONTH)
    is_counted = len(own) >= ENOUGH
    curve = thresholds.curve(own if is_counted else [sure for sure, _right in known.answers], known.answers, at)
    return {
        "basis": known,
        "enough": ENOUGH,
        "is_counted": is_counted,
        "curve": curve,
        "month": thresholds.last_month(at, now, curve.chosen.precision),
        "at": at,
        "now_at": workspace.triage_threshold,
        "is_changed": at != workspace.triage_threshold,
    }
