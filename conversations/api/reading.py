"""Conversations and their messages, to read."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Schema
from pydantic import AwareDatetime, BeforeValidator

from conversations.api.showing import ConversationOut, MessageOut, head_of, message_out, of_list, of_thread, shown
from conversations.models import Conversation
from crm.api.access import ApiRequest, Token, new_router
from crm.api.lists import Id, PageOf, page, page_by_number
from crm.api.problems import Refusal, refusals
from crm.workspace.models import Function, Membership

router = new_router("conversations")
READ = Token("read", "conversation.view")


def _written_out(at: object) -> object:
    """A number is no time here, though pydantic takes it for seconds."""
    if isinstance(at, str) and "-" not in at[1:]:
        raise ValueError("Write the time as 2026-11-22T09:30:00Z.")
    return at


class ConversationList(Schema):
    items: list[ConversationOut]
    next: str | None


class MessageList(Schema):
    items: list[MessageOut]
    next: str | None


class ConversationFilter(PageOf):
    status: Literal["open", "resolved"] | None = None
    function: Function | None = None
    assignee: str | None = Field(None, pattern="^(me|none|[0-9]{1,18})$", description="`me`, `none` or a member's id")
    customer: Id | None = Field(None, description="The id of a customer")
    channel: str | None = Field(None, max_length=20, description="A kind of channel, as `telegram`")
    updated_since: Annotated[AwareDatetime, BeforeValidator(_written_out)] | None = Field(
        None, description="With a message at that time or later"
    )


@router.get("", auth=READ, response={200: ConversationList, **refusals()}, operation_id="list_conversations")
def conversations(request: ApiRequest, asked: Query[ConversationFilter]) -> ConversationList:
    """Conversations, the one with the newest message first."""
    head = head_of(request.auth.workspace)
    rows, after = page(_narrowed(of_list(), asked, request.auth), asked, by="last_message_at")
    return ConversationList(items=shown(rows, head), next=after)


def _narrowed(rows: QuerySet[Any], asked: ConversationFilter, member: Membership) -> QuerySet[Any]:
    given: dict[str, Any] = {"status": asked.status, "function": asked.function, "customer": asked.customer}
    given |= {"inbox__channel": _storable(asked.channel), "last_message_at__gte": _in_range(asked.updated_since)}
    if asked.assignee == "none":
        rows = rows.filter(assignee=None)
    elif asked.assignee is not None:
        given["assignee"] = member.pk if asked.assignee == "me" else int(asked.assignee)
    return rows.filter(**{name: value for name, value in given.items() if value is not None})


def _storable(word: str | None) -> str | None:
    if word is not None and "\x00" in word:
        raise Refusal(422, "A channel's name holds no NUL.")
    return word


def _in_range(at: datetime | None) -> datetime | None:
    if at is not None and not 1970 <= at.year <= 9000:
        raise Refusal(422, "`updated_since` is out of range: give a time of our days.")
    return at


@router.get(
    "/{conversation_id}", auth=READ, response={200: ConversationOut, **refusals(404)}, operation_id="get_conversation"
)
def conversation(request: ApiRequest, conversation_id: Id) -> ConversationOut:
    """One conversation."""
    return as_it_is(request, conversation_id)


def as_it_is(request: ApiRequest, conversation_id: int) -> ConversationOut:
    """The conversation as it is now; Http404 when it is not one of the workspace."""
    head = head_of(request.auth.workspace)
    return shown([get_object_or_404(of_list(), pk=conversation_id)], head)[0]


@router.get(
    "/{conversation_id}/messages",
    auth=READ,
    response={200: MessageList, **refusals(404)},
    operation_id="list_messages",
)
def messages(request: ApiRequest, conversation_id: Id, asked: Query[PageOf]) -> MessageList:
    """The conversation's messages, the oldest first."""
    found = get_object_or_404(Conversation, pk=conversation_id)
    rows, after = page_by_number(of_thread().filter(conversation=found), asked, by="seq")
    return MessageList(items=[message_out(row) for row in rows], next=after)
