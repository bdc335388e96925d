"""What an agent does to one message: the menu that says what can be done and why not, and one address per act."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from conversations import acts, timeline
from conversations.errors import ConversationError
from conversations.inbox.pages import INVALID, done, found, show
from conversations.models import Conversation, Delivery, Message
from crm.workspace.pages import MemberRequest, is_fragment, member_page


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the menu. With an `objection` it is greyed out and says why."""

    kind: str
    label: str
    objection: str


@require_safe
@member_page("message.act")
def acts_of(request: MemberRequest, pk: int, message_pk: int) -> HttpResponse:
    """The menu of a message."""
    opened, message = _message(request, pk, message_pk)
    return _menu(request, opened, message)


@require_POST
@member_page("message.act")
def edit(request: MemberRequest, pk: int, message_pk: int) -> HttpResponse:
    return _do(
        request, pk, message_pk, lambda message: acts.edit(message, _given(request, "text"), by=request.membership)
    )


@require_POST
@member_page("message.act")
def delete(request: MemberRequest, pk: int, message_pk: int) -> HttpResponse:
    return _do(request, pk, message_pk, lambda message: acts.delete(message, by=request.membership))


@require_POST
@member_page("message.act")
def react(request: MemberRequest, pk: int, message_pk: int) -> HttpResponse:
    return _do(
        request, pk, message_pk, lambda message: acts.react(message, _given(request, "emoji"), by=request.membership)
    )


@require_POST
@member_page("message.act")
def moderate(request: MemberRequest, pk: int, message_pk: int) -> HttpResponse:
    """Hide or like a public post, or take that back."""
    kind = _given(request, "kind")
    if kind not in acts.OF_PUBLIC:
        return HttpResponse(status=INVALID)
    return _do(request, pk, message_pk, lambda message: acts.moderate(message, kind, by=request.membership))


def _given(request: MemberRequest, name: str) -> str:
    return str(request.POST.get(name, ""))


def _message(request: MemberRequest, pk: int, message_pk: int) -> tuple[Conversation, Message]:
    opened = found(request, pk, "message.act")
    message = get_object_or_404(timeline.of_page(), pk=message_pk, conversation=opened)
    return opened, message


def _do(request: MemberRequest, pk: int, message_pk: int, act: Callable[[Message], None]) -> HttpResponse:
    opened, message = _message(request, pk, message_pk)
    try:
        act(message)
    except ConversationError as error:
        return _menu(request, opened, message, error=str(error))
    shown = timeline.message_for_page(message.pk)
    return done(request, opened, "conversations/_message.html", {"message": shown})


def _menu(request: MemberRequest, opened: Conversation, message: Message, *, error: str = "") -> HttpResponse:
    template = "conversations/_acts.html" if is_fragment(request) else "conversations/acts.html"
    offered = {kind: _act(message, kind, request) for kind in acts.offered(message)}
    standing = next((reaction.emoji for reaction in message.reactions.all() if reaction.identity_id is None), "")
    context = {
        "conversation": opened,
        "message": message,
        "react": offered.pop(Delivery.Kind.REACT, None),
        "edit": offered.pop(Delivery.Kind.EDIT, None),
        "delete": offered.pop(Delivery.Kind.DELETE, None),
        "moderation": list(offered.values()),
        "emojis": acts.emojis_of(message.thread.inbox)[:12],
        "standing": standing,
        "can_answer": bool(message.external_id and message.thread.inbox.capabilities.get("replies")),
        "text": request.POST.get("text", message.text),
        "error": error,
    }
    response = show(request, template, context, status=INVALID if error else 200)
    if error and is_fragment(request):
        response["HX-Retarget"], response["HX-Reswap"] = f"#message-{message.pk} .message__acts", "innerHTML"
    return response


def _act(message: Message, kind: str, request: MemberRequest) -> Act:
    label = str(Delivery.Kind(kind).label)
    return Act(str(kind), label, acts.objection(message, kind, request.membership))
