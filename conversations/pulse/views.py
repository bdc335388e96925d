"""The page Pulse, and the two parts of it that are loaded again when something happens."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils import formats
from django.utils.translation import gettext as _

from conversations.models import Inbox
from conversations.pulse.curve import MIDDLE, SLOT
from conversations.pulse.figures import PERIODS, Figures, Period, figures
from conversations.pulse.voices import VIEWS, voices
from crm.workspace import clock
from crm.workspace.pages import MemberRequest, member_page, show, zone_of

MARKS = 4  # moments under the curve, beside the end


@member_page("pulse.view")
def pulse(request: MemberRequest) -> HttpResponse:
    asked = _asked(request)
    context = {"asked": asked, "query": urlencode(asked), "channels": _channels(), "periods": PERIODS.items()}
    return show(request, "conversations/pulse/pulse.html", {**context, **_mood(request), **_voices(request)})


@member_page("pulse.view")
def mood(request: MemberRequest) -> HttpResponse:
    return show(request, "conversations/pulse/_mood.html", _mood(request))


@member_page("pulse.view")
def voices_of_view(request: MemberRequest) -> HttpResponse:
    return show(request, "conversations/pulse/_voices.html", _voices(request))


def _asked(request: MemberRequest) -> dict[str, str]:
    """What the page shows: the first choice wherever an address asks for what there is not."""
    channel, period, view = (request.GET.get(name, "") for name in ("channel", "period", "voices"))
    return {
        "channel": channel if channel in _channels() else "",
        "period": period if period in PERIODS else next(iter(PERIODS)),
        "voices": view if view in VIEWS else next(iter(VIEWS)),
    }


def _channels() -> list[str]:
    return list(Inbox.objects.order_by("channel").values_list("channel", flat=True).distinct())


def _mood(request: MemberRequest) -> dict[str, Any]:
    asked, zone = _asked(request), zone_of(request.membership.workspace)
    period = PERIODS[asked["period"]]
    found = figures(period, channel=asked["channel"], now=clock.now(), zone=zone)
    return {
        "period": period,
        "figures": found,
        "width": period.number * SLOT,
        "middle": MIDDLE,
        "marks": [*_marks(found, period, zone), _("now")],
    }


def _marks(found: Figures, period: Period, zone: Any) -> list[str]:
    every = period.number // MARKS
    starts = [found.stretches[place * every].start.astimezone(zone) for place in range(MARKS)]
    return [formats.date_format(start, period.form) for start in starts]


def _voices(request: MemberRequest) -> dict[str, Any]:
    asked = _asked(request)
    return {
        "voices": voices(asked["voices"], asked["channel"]),
        "view": asked["voices"],
        "views": VIEWS.items(),
        "asked": asked,
    }
