"""The label queue, one message after the other."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from conversations.inbox.forms import CorrectionForm
from conversations.inbox.views import as_it_stands
from conversations.learning import queue
from conversations.learning.pages.shared import INVALID, show
from conversations.models import Message
from crm.workspace.pages import MemberRequest, is_fragment, member_page


@require_safe
@member_page("triage.correct")
def label(request: MemberRequest) -> HttpResponse:
    return show(request, "label.html", _next(request))


@require_POST
@member_page("triage.correct")
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    """What the message is. The next one follows; a contradiction gives the form back."""
    message = _message(pk)
    form = _form(request, message, request.POST)
    if not form.is_valid():
        known = queue.queue(request.membership.workspace)
        context = {"queue": known, "message": message, "form": form}
        return show(request, _template(request), context, status=INVALID)
    said = form.cleaned_data
    queue.answer(
        message, by=request.membership, functions=said["functions"], intent=said["intent"], sentiment=said["sentiment"]
    )
    return _on(request)


@require_POST
@member_page("triage.correct")
def skip(request: MemberRequest, pk: int) -> HttpResponse:
    queue.skip(request.membership.workspace, _message(pk))
    return _on(request)


def _on(request: MemberRequest) -> HttpResponse:
    return show(request, "_label.html", _next(request)) if is_fragment(request) else redirect("label")


def _next(request: MemberRequest) -> dict[str, Any]:
    known = queue.queue(request.membership.workspace)
    form = _form(request, known.message) if known.message is not None else None
    return {"queue": known, "message": known.message, "form": form}


def _form(request: MemberRequest, message: Message, given: Any = None) -> CorrectionForm:
    initial = as_it_stands(message, message.triage)
    return CorrectionForm(given, workspace=request.membership.workspace, initial=initial)


def _message(pk: int) -> Message:
    heard = Message.objects.select_related("triage", "conversation__customer", "conversation__inbox", "workspace")
    return get_object_or_404(heard, pk=pk, direction=Message.Direction.IN, triage__isnull=False)


def _template(request: MemberRequest) -> str:
    return "_label.html" if is_fragment(request) else "label.html"
