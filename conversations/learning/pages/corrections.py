"""What was corrected: before and after, by whom, when, and where."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from conversations.learning.pages.shared import show
from conversations.models import Correction
from crm.workspace.models import Membership
from crm.workspace.pages import MemberRequest, member_page

KINDS = {"": _("All"), "corrected": _("Corrected"), "confirmed": _("Confirmed")}
LISTED = 50


@require_safe
@member_page("learning.view")
def corrections(request: MemberRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("kind", "member")}
    found = _found(asked)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found[: LISTED + 1])
    context = {
        "rows": rows[:LISTED],
        "older": rows[LISTED - 1].pk if len(rows) > LISTED else None,
        "asked": asked,
        "query": urlencode(asked),
        "kinds": KINDS.items(),
        "members": Membership.objects.filter(corrections__isnull=False).select_related("agent").distinct(),
    }
    return show(request, "corrections.html", context)


def _found(asked: dict[str, str]) -> Any:
    found = Correction.objects.order_by("-pk")
    found = found.select_related("member__agent", "message__conversation__customer", "message__conversation__inbox")
    if asked["kind"] == "confirmed":
        found = found.filter(after=F("before"))
    elif asked["kind"] == "corrected":
        found = found.exclude(after=F("before"))
    if asked["member"].isascii() and asked["member"].isdigit() and len(asked["member"]) < 19:
        found = found.filter(member=int(asked["member"]))
    return found
