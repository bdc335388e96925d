"""How triage is doing, in figures that lead to the other pages, and whether messages may teach it."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from conversations.learning import consent, queue
from conversations.learning.lessons import lessons
from conversations.learning.pages.shared import show
from conversations.models import Correction, OwnWord, Training
from crm.workspace.pages import MemberRequest, member_page


@require_safe
@member_page("learning.view")
def overview(request: MemberRequest) -> HttpResponse:
    context = {
        "corrections": Correction.objects.count(),
        "lessons": lessons(request.membership.workspace).number,
        "unlabelled": queue.may_be_labelled().count(),
        "words": OwnWord.objects.count(),
        "used": Training.objects.in_use(),
        "refused": len(consent.refused()),
    }
    return show(request, "overview.html", context)


@require_POST
@member_page("settings.change")
def consent_to_teach(request: MemberRequest) -> HttpResponse:
    """The workspace allows or forbids that its messages teach."""
    verb = consent.allow if request.POST.get("may") == "yes" else consent.forbid
    verb(request.membership.workspace, by=request.membership)
    return redirect("learning")
