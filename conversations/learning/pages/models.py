"""The models that were trained: how each compared, which one is in use, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conversations import tasks
from conversations.errors import ConversationError
from conversations.learning import training, using
from conversations.learning.lessons import lessons
from conversations.learning.pages.shared import show
from conversations.learning.verdict import figure_label, words_of
from conversations.models import Training
from crm.workspace.pages import MemberRequest, member_page

LISTED = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate, its verdict in words, and (figure, what was in use, candidate) in percent."""

    training: Training
    verdict: str
    figures: list[tuple[str, float, float]]


@require_safe
@member_page("learning.view")
def models(request: MemberRequest) -> HttpResponse:
    return show(request, "models.html", _context(request))


@require_safe
@member_page("learning.view")
def listed(request: MemberRequest) -> HttpResponse:
    """The list alone, asked for again and again while one is being trained."""
    return show(request, "_models.html", _context(request))


def _context(request: MemberRequest) -> dict[str, object]:
    training.give_up_silent()
    found = Training.objects.select_related("member__agent", "compared_with")[:LISTED]
    rows = [Row(one, words_of(one), _figures(one)) for one in found]
    return {
        "rows": rows,
        "used": Training.objects.in_use(),
        "unfinished": next((row.training for row in rows if row.training.is_unfinished), None),
        "lessons": lessons(request.membership.workspace).number,
    }


def _figures(one: Training) -> list[tuple[str, float, float]]:
    return [
        (figure_label(name), 100 * one.current.get(name, 0), 100 * figure) for name, figure in one.candidate.items()
    ]


@require_POST
@member_page("learning.change")
def train(request: MemberRequest) -> HttpResponse:
    """Ask for a training; the page shows how far it is."""

    def ask() -> str:
        asked = training.ask(request.membership.workspace, by=request.membership)
        tasks.train(asked.pk)
        return _("It is being trained. You can leave this page.")

    return _done(request, ask)


@require_POST
@member_page("learning.change")
def roll_back(request: MemberRequest) -> HttpResponse:
    def back() -> str:
        before = using.roll_back(request.membership.workspace, by=request.membership)
        if before is None:
            return _("The shipped model is in use again.")
        return _("Model %(version)s is in use again.") % {"version": before.version}

    return _done(request, back)


@require_POST
@member_page("learning.change")
def use(request: MemberRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Training.objects.select_related("workspace"), pk=pk)

    def promote() -> str:
        using.promote(one, by=request.membership)
        return _("Model %(version)s is in use.") % {"version": one.version}

    return _done(request, promote)


def _done(request: MemberRequest, verb: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, verb())
    except ConversationError as error:
        messages.error(request, str(error))
    return redirect("models")
