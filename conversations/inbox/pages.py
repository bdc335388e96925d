"""What the inbox's views share: finding a conversation, answering a form, and what its templates need to know."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from conversations import gate
from conversations.inbox.forms import SayForm, members
from conversations.inbox.lists import VIEWS
from conversations.models import Conversation, Inbox, Message
from crm.workspace import pages, permissions
from crm.workspace.models import Membership
from crm.workspace.pages import MemberRequest

BEHIND = "rapport:behind"  # tells the tab that there is news, should its socket be closed


def found(request: MemberRequest, pk: int, verb: str) -> Conversation:
    """The workspace's conversation, which the member may `verb`; else a 404 or a 403."""
    conversation: Conversation = get_object_or_404(Conversation.objects.with_people(), pk=pk)
    permissions.require(request.membership, verb, conversation)
    return conversation


def show(request: MemberRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page, with what the member may do in the inbox, and the view they came from."""
    known = {"rights": rights_of(request.membership), "view": view_asked(request)}
    return pages.show(request, template, {**known, **context}, status=status)


def view_asked(request: MemberRequest) -> str:
    """The view that the request names: a list to go back to; '' when it names none."""
    view = request.GET.get("view") or request.POST.get("view", "")
    return view if view in VIEWS else ""


def done(request: MemberRequest, conversation: Conversation, template: str, context: dict[str, Any]) -> HttpResponse:
    """What follows a verb: the changed part for htmx, else the conversation's page."""
    if not pages.is_fragment(request):
        return redirect("conversation", conversation.pk)
    response = show(request, template, {"conversation": conversation, **context})
    response["HX-Trigger"] = BEHIND
    return response


def rights_of(membership: Membership) -> dict[str, bool]:
    """What the member may do here, for templates: `rights.reply`."""
    verbs = {name: f"conversation.{name}" for name in ("reply", "note", "assign", "resolve")}
    verbs["correct"] = "triage.correct"
    return {name: permissions.may(membership, verb) for name, verb in verbs.items()}


def head_of(conversation: Conversation, membership: Membership) -> dict[str, Any]:
    """What `_head.html` needs beside the conversation."""
    opens_it = conversation.unread > 0 and conversation.assignee_id in (None, membership.pk)
    return {"members": members(), "is_news": opens_it and permissions.may(membership, "conversation.reply")}


def composer_of(conversation: Conversation) -> dict[str, Any]:
    """What the composer needs: why nothing can be sent, or that it stays here."""
    heard = conversation.messages.filter(direction=Message.Direction.IN)
    last = heard.select_related("thread__inbox", "identity").order_by("-seq").first()
    thread = last.thread if last else conversation.threads.select_related("inbox").first()
    identity = last.identity if last else None
    objection = gate.objection(thread, identity, Message.Purpose.REPLY) if thread else ""
    is_demo = thread is not None and thread.inbox.state == Inbox.State.DEMO
    return {
        "target": thread.inbox if thread else conversation.inbox,
        "objection": "" if is_demo else objection,
        "hint": objection if is_demo else "",
        "client_id": SayForm.new_id(),
        "note_id": SayForm.new_id(),
        "text": "",
        "kept_files": [],
        "errors": [],
    }
