"""What the inbox's views share: finding a conversation, answering a form, and what its templates need to know."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from conversations import gate
from conversations.answering import Place, place_of, private_objection
from conversations.errors import CannotReply
from conversations.inbox.forms import SayForm, members
from conversations.inbox.lists import VIEWS
from conversations.models import Conversation, Inbox, Message, Template
from crm.workspace import pages, permissions
from crm.workspace.models import Membership
from crm.workspace.pages import MemberRequest

INVALID = 422
BUTTONS = 3  # offered by the composer; the API takes as many as the platform
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


def composer_of(conversation: Conversation, answered: Message | None = None) -> dict[str, Any]:
    """What the composer needs: where it goes, why nothing can be sent, or that it stays here."""
    place = _place(conversation, answered)
    inbox = place.thread.inbox if place else conversation.inbox
    objection = gate.objection(place.thread, place.identity, Message.Purpose.REPLY) if place else ""
    is_demo = inbox.state == Inbox.State.DEMO
    window = gate.window_objection(place.thread, gate.last_heard(place.thread)) if place and not objection else ""
    return {
        "target": inbox,
        "objection": "" if is_demo else objection or window,
        "hint": objection if is_demo else "",
        "client_id": SayForm.new_id(),
        "note_id": SayForm.new_id(),
        "text": "",
        "kept_files": [],
        "errors": [],
        "answered": answered,
        "copied": place.answered.details.get("copied", ()) if place and place.answered else (),
        "button_places": range(min(inbox.capabilities.get("buttons") or 0, BUTTONS)),
        **_publicity(conversation, place),
        **_templates(inbox, objection, window),
    }


def _place(conversation: Conversation, answered: Message | None) -> Place | None:
    try:
        return place_of(conversation, answered=answered)
    except CannotReply:
        return None


def _publicity(conversation: Conversation, place: Place | None) -> dict[str, Any]:
    """Whether the answer would stand in public, and then why it cannot be given in private."""
    is_public = place is not None and place.thread.is_public
    return {
        "is_public": is_public,
        "private_objection": private_objection(place.answered) if place is not None and is_public else "",
    }


def _templates(inbox: Inbox, objection: str, window: str) -> dict[str, Any]:
    """The approved texts that could be sent, while nothing else stands against it."""
    if objection or not inbox.capabilities.get("templates"):
        return {"templates": [], "is_shut": bool(window)}
    listed = list(Template.objects.filter(inbox=inbox))
    return {"templates": listed, "template_id": SayForm.new_id(), "is_shut": bool(window)}
