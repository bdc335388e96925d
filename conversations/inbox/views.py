"""The inbox's pages and fragments. They only read."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from conversations import desk, intents, timeline
from conversations.inbox import lists
from conversations.inbox.forms import CorrectionForm
from conversations.inbox.pages import composer_of, found, head_of, show, view_asked
from conversations.inbox.panel import panel_of
from conversations.models import Conversation, Message, Triage
from crm.workspace.pages import MemberRequest, is_fragment, member_page

QUERY_LIMIT = 100  # characters of a search


@require_safe
@member_page("conversation.view")
def inbox(request: MemberRequest) -> HttpResponse:
    """The list, with nothing open beside it. htmx gets the list alone."""
    template = "conversations/_list.html" if is_fragment(request) else "conversations/inbox.html"
    return show(request, template, _listed(request))


@require_safe
@member_page("conversation.view")
def rows(request: MemberRequest) -> HttpResponse:
    """The next rows of a view."""
    view = view_asked(request) or "all"
    found_rows, after = lists.page(request.membership, view=view, after=request.GET.get("after", ""))
    return show(request, "conversations/_rows.html", {"rows": found_rows, "after": after, "view": view})


@require_safe
@member_page("conversation.view")
def conversation(request: MemberRequest, pk: int) -> HttpResponse:
    """The conversation beside the list. htmx gets the thread and the panel alone."""
    opened = found(request, pk, "conversation.view")
    context = _opened(request, opened)
    if is_fragment(request):
        return show(request, "conversations/_conversation.html", context)
    return show(request, "conversations/inbox.html", context | _listed(request, opened))


@require_safe
@member_page("conversation.view")
def head(request: MemberRequest, pk: int) -> HttpResponse:
    opened = found(request, pk, "conversation.view")
    return show(request, "conversations/_head.html", {"conversation": opened, **head_of(opened, request.membership)})


@require_safe
@member_page("conversation.view")
def panel(request: MemberRequest, pk: int) -> HttpResponse:
    opened = found(request, pk, "conversation.view")
    return show(request, "conversations/_panel.html", {"conversation": opened, "panel": panel_of(opened)})


@require_safe
@member_page("conversation.view")
def earlier(request: MemberRequest, pk: int) -> HttpResponse:
    """What was said before place `?before=`."""
    opened = found(request, pk, "conversation.view")
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    context = {"conversation": opened, "timeline": timeline.entries(opened, before=before)}
    return show(request, "conversations/_entries.html", context)


@require_safe
@member_page("conversation.view")
def why(request: MemberRequest, pk: int, message_pk: int) -> HttpResponse:
    """Why a message was routed as it was, with the form that corrects it."""
    opened = found(request, pk, "conversation.view")
    message = get_object_or_404(timeline.of_page(), pk=message_pk, conversation=opened)
    template = "conversations/_why.html" if is_fragment(request) else "conversations/why.html"
    return show(request, template, {"conversation": opened, **why_of(request, message)})


@require_safe
@member_page("conversation.reply")
def composer(request: MemberRequest, pk: int) -> HttpResponse:
    """The reply form anew, for an answer to message `?answered=`, or to none."""
    opened = found(request, pk, "conversation.reply")
    asked = request.GET.get("answered", "")
    pk_asked = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    heard = opened.messages.select_related("thread__inbox", "identity").filter(pk=pk_asked, deleted_at=None).first()
    context = {"conversation": opened, **composer_of(opened, heard)}
    if is_fragment(request):
        return show(request, "conversations/_reply_form.html", context)
    return show(request, "conversations/inbox.html", _opened(request, opened) | context | _listed(request, opened))


def why_of(request: MemberRequest, message: Message, form: CorrectionForm | None = None) -> dict[str, Any]:
    """What `_why.html` needs: what was read, what was decided, and the correction form as it stands."""
    triage: Triage = get_object_or_404(Triage, message=message)
    return {
        "message": message,
        "triage": triage,
        "routes": list(message.routes.all()),
        "form": form or CorrectionForm(workspace=request.membership.workspace, initial=as_it_stands(message, triage)),
    }


def as_it_stands(message: Message, triage: Triage) -> dict[str, Any]:
    """The correction form's first state: what counts for the message now."""
    counts = desk.as_corrected(message, triage)
    return {**counts, "functions": counts["functions"] or [intents.NONE]}


def _opened(request: MemberRequest, opened: Conversation) -> dict[str, Any]:
    return {
        "conversation": opened,
        "timeline": timeline.entries(opened),
        "panel": panel_of(opened),
        **head_of(opened, request.membership),
        **composer_of(opened),
    }


def _listed(request: MemberRequest, opened: Conversation | None = None) -> dict[str, Any]:
    view = view_asked(request)
    if opened is not None and not view:
        view = lists.view_of(opened, request.membership)
    query = request.GET.get("q", "").strip()[:QUERY_LIMIT]
    shown = lists.listed(request.membership, view=view, query=query)
    return {"list": shown, "rows": shown.rows, "after": shown.after, "view": shown.view}
