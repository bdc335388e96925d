"""What programs do to a message that exists: change it, take it back, react, hide and like."""

from typing import Literal

from django.shortcuts import get_object_or_404
from ninja import Field
from ninja.responses import Status

from conversations import acts
from conversations.api.showing import MessageOut, message_out, of_thread
from conversations.api.writing import router
from conversations.errors import CannotAct
from conversations.models import Message
from conversations.text import TEXT_LIMIT
from crm.api.access import ApiRequest, Token
from crm.api.lists import Given, Id
from crm.api.problems import Refusal, refusals
from crm.workspace.models import Membership

__all__ = ["router"]  # writing's, with what is below added to it


class ActIn(Given):
    kind: Literal["edit", "delete", "react", "hide", "unhide", "like", "unlike"]
    text: str = Field("", max_length=TEXT_LIMIT, description="The new text of an edit")
    emoji: str = Field("", max_length=40, description="Of a reaction; empty: take ours back")


@router.post(
    "/{conversation_id}/messages/{message_id}/acts",
    auth=Token("reply", "message.act"),
    response={202: MessageOut, **refusals(404, 409)},
    operation_id="act_on_message",
)
def act(request: ApiRequest, conversation_id: Id, message_id: Id, given: ActIn) -> Status[MessageOut]:
    """Queue an act. The message shows it once the platform did it; 409 says why it cannot be done."""
    message = get_object_or_404(Message, pk=message_id, conversation=conversation_id)
    if given.kind == "edit" and not given.text.strip():
        raise Refusal(422, "An edit needs `text`; to take the message back, use the kind `delete`.")
    try:
        _do(message, given, request.auth)
    except CannotAct as error:
        raise Refusal(409, str(error)) from error
    return Status(202, message_out(of_thread().get(pk=message.pk)))


def _do(message: Message, given: ActIn, by: Membership) -> None:
    if given.kind == "edit":
        acts.edit(message, given.text, by=by)
    elif given.kind == "delete":
        acts.delete(message, by=by)
    elif given.kind == "react":
        acts.react(message, given.emoji, by=by)
    else:
        acts.moderate(message, given.kind, by=by)
