"""What the inbox's views share: finding a conversation, answering a form, and what its templates need to know."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers

from conversations import gate
from conversations.inbox.forms import SayForm, members
from conversations.models import Conversation, Inbox, Message
from crm.workspace import permissions
from crm.workspace.models import Membership, Workspace
from crm.workspace.pages import MemberRequest

BEHIND = "rapport:behind"  # tells the tab that there is news, should its socket be closed


def found(request: MemberRequest, pk: int, verb: str) -> Conversation:
    """The workspace's conversation, which the member may `verb`; else a 404 or a 403."""
    conversation: Conversation = get_object_or_404(Conversation.objects.with_people(), pk=pk)
    permissions.require(request.membership, verb, conversation)
    return conversation


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page. When it restores history it wants all of it."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.history_restore_request


def show(request: MemberRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The template in the workspace's time zone, never kept by the browser: the same address has two forms."""
    with timezone.override(zone_of(request.membership.workspace)):
        response = render(request, template, {"rights": rights_of(request.membership), **context}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, private=True, no_store=True)
    return response


def done(request: MemberRequest, conversation: Conversation, template: str, context: dict[str, Any]) -> HttpResponse:
    """What follows a verb: the changed part for htmx, else the conversation's page."""
    if not is_fragment(request):
        return redirect("conversation", conversation.pk)
    response = show(request, template, {"conversation": conversation, **context})
    response["HX-Trigger"] = BEHIND
    return response


def zone_of(workspace: Workspace) -> ZoneInfo:
    try:
        return ZoneInfo(workspace.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


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
