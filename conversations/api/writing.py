"""What programs do to a conversation: the same functions as behind the agents' pages."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db import IntegrityError
from django.shortcuts import get_object_or_404
from ninja import Field, File, Header, Schema
from ninja.files import UploadedFile
from ninja.responses import Status

from conversations import desk, files, outbound
from conversations import models as hub
from conversations.answering import place_of
from conversations.api.reading import as_it_is, router
from conversations.api.showing import ConversationOut, FileOut, MessageOut, file_out, message_out, of_thread
from conversations.errors import CannotReply, NothingToSay
from conversations.inbox.forms import members
from conversations.models import Conversation, Message, Note, Template
from conversations.places import lock_conversation
from conversations.text import TEXT_LIMIT
from crm.api.access import ApiRequest, Token
from crm.api.lists import Given, Id
from crm.api.problems import Refusal, refusals
from crm.workspace.events import change
from crm.workspace.models import Membership

__all__ = ["router"]  # reading's, with what is below added to it

SAID_NOTHING = "There is nothing to send: give `text`, `files`, or both."
Key = Annotated[
    str,
    Header(
        "",
        alias="Idempotency-Key",
        max_length=64,
        pattern="^[!-~]*$",
        description="Your own id for it, unique per author: the same key again gives the first one",
    ),
]
Token_ = Annotated[str, Field(max_length=40, pattern="^[A-Za-z0-9_-]+$")]


class ButtonIn(Given):
    label: str = Field(min_length=1, max_length=200)
    payload: str = Field("", max_length=1000, description="Comes back when it is pressed; empty: the label")
    url: str = Field("", max_length=2000, pattern="^(https?://.*)?$", description="It opens a page instead")


class TemplateIn(Given):
    name: str = Field(max_length=255)
    language: str = Field(max_length=20)
    values: list[Annotated[str, Field(max_length=1000)]] = Field([], max_length=50)


class ReplyIn(Given):
    text: str = Field("", max_length=TEXT_LIMIT)
    files: list[Token_] = Field([], max_length=20, description="Tokens of files that were uploaded before")
    buttons: list[ButtonIn] = Field([], max_length=50, description="Under the text, where the channel has them")
    where: Literal["", "public", "private"] = Field(
        "", description="Of a public conversation; empty: as they wrote last"
    )
    answers: Id | None = Field(None, description="The id of the message that it answers")
    copies: bool = Field(True, description="To all whom the answered mail went to as well")
    template: TemplateIn | None = Field(None, description="In place of `text`: an approved text, filled in")


class NoteIn(Given):
    text: str = Field(max_length=TEXT_LIMIT)


class NoteOut(Schema):
    id: int
    conversation: int
    seq: int
    author: str | None
    text: str
    at: datetime
    idempotency_key: str


class AssignIn(Given):
    assignee: Id | None = Field(description="A member's id; null: nobody")


@router.post(
    "/{conversation_id}/messages",
    auth=Token("reply", "conversation.reply"),
    response={200: MessageOut, 201: MessageOut, **refusals(404, 409)},
    operation_id="reply",
)
def reply(request: ApiRequest, conversation_id: Id, said: ReplyIn, idempotency_key: Key) -> Status[MessageOut]:
    """Queue a reply on the thread the customer last wrote on. 201: it is new; 200: the key was used before."""
    conversation, author = _found(conversation_id), request.auth
    key = idempotency_key or uuid.uuid4().hex
    try:
        message, is_new = _queue_once(conversation, author, said, key)
    except NothingToSay:
        raise Refusal(422, SAID_NOTHING) from None
    except CannotReply as error:
        raise Refusal(409, str(error)) from error
    return Status(201 if is_new else 200, message_out(of_thread().get(pk=message.pk)))


def _queue_once(conversation: Conversation, author: Membership, said: ReplyIn, key: str) -> tuple[Message, bool]:
    sent_by = Message.objects.filter(author=author, client_id=key)
    try:
        with change(author.workspace, actor=author):
            lock_conversation(conversation.pk)
            first = sent_by.first()
            if first is not None:
                return first, False
            return _queue(conversation, author, said, key), True
    except IntegrityError:  # the same key at the same time on another conversation
        return sent_by.get(), False


def _queue(conversation: Conversation, author: Membership, said: ReplyIn, key: str) -> Message:
    if said.template is not None:
        return _queue_template(conversation, author, said.template, key)
    answered = None
    if said.answers is not None:
        known = conversation.messages.select_related("thread__inbox", "identity").filter(deleted_at=None)
        answered = known.filter(pk=said.answers).first()
        if answered is None:
            raise Refusal(422, f"The conversation has no message {said.answers}: give the id of one of its messages.")
    buttons = [{"label": one.label, "payload": one.payload or one.label, "url": one.url} for one in said.buttons]
    uploaded = _uploaded(said.files)
    draft = outbound.Draft(said.text, uploaded, buttons, said.where, answered, copies=said.copies)
    return outbound.queue(conversation, author, draft, client_id=key)


def _queue_template(conversation: Conversation, author: Membership, said: TemplateIn, key: str) -> Message:
    inbox = place_of(conversation).thread.inbox
    template = Template.objects.filter(inbox=inbox, name=said.name, language=said.language).first()
    if template is None:
        raise Refusal(422, f"The inbox has no template {said.name!r} in {said.language!r}.")
    return outbound.queue_template(conversation, author, template, said.values, client_id=key)


def _uploaded(tokens: list[str]) -> list[hub.File]:
    found = {
        file.token: file for file in hub.File.objects.filter(token__in=tokens, message=None).exclude(kind="picture")
    }
    if missing := [token for token in tokens if token not in found]:
        raise Refusal(422, f"The file {missing[0]} is not there, or is sent already: upload it again.")
    return [found[token] for token in dict.fromkeys(tokens)]


@router.post(
    "/{conversation_id}/files",
    auth=Token("reply", "conversation.reply"),
    response={201: FileOut, **refusals(404)},
    operation_id="upload_file",
)
def upload(request: ApiRequest, conversation_id: Id, file: File[UploadedFile]) -> Status[FileOut]:
    """Keep a file for a reply; name its token in the reply's `files`."""
    _found(conversation_id)
    try:
        kept = files.store_upload(request.auth.workspace, file)
    except files.TooLarge as error:
        raise Refusal(422, str(error)) from error
    return Status(201, file_out(kept))


@router.post(
    "/{conversation_id}/notes",
    auth=Token("reply", "conversation.note"),
    response={200: NoteOut, 201: NoteOut, **refusals(404)},
    operation_id="write_note",
)
def write_note(request: ApiRequest, conversation_id: Id, said: NoteIn, idempotency_key: Key) -> Status[NoteOut]:
    """Write a note for the team. It is never sent."""
    conversation, author = _found(conversation_id), request.auth
    key = idempotency_key or uuid.uuid4().hex
    with change(author.workspace, actor=author):
        lock_conversation(conversation.pk)
        is_new = not Note.objects.filter(author=author, client_id=key).exists()
        try:
            note = desk.write_note(conversation, author, said.text, client_id=key)
        except NothingToSay:
            raise Refusal(422, "A note without words is none: give `text`.") from None
    return Status(201 if is_new else 200, _note(note))


def _note(row: Note) -> NoteOut:
    author = row.author.name if row.author else None
    facts: dict[str, Any] = {
        "id": row.pk,
        "conversation": row.conversation_id,
        "seq": row.seq,
        "at": row.at,
        "text": row.text,
    }
    return NoteOut(**facts, author=author, idempotency_key=row.client_id)


@router.post(
    "/{conversation_id}/assign",
    auth=Token("reply", "conversation.assign"),
    response={200: ConversationOut, **refusals(404)},
    operation_id="assign",
)
def assign(request: ApiRequest, conversation_id: Id, given: AssignIn) -> ConversationOut:
    """Give the conversation to a member, or to nobody."""
    conversation, to = _found(conversation_id), None
    if given.assignee is not None:
        to = members().filter(pk=given.assignee).first()
        if to is None:
            raise Refusal(422, f"No member with the id {given.assignee} works here: give one who does, or null.")
    desk.assign(conversation, to, by=request.auth)
    return as_it_is(request, conversation_id)


@router.post(
    "/{conversation_id}/resolve",
    auth=Token("reply", "conversation.resolve"),
    response={200: ConversationOut, **refusals(404)},
    operation_id="resolve",
)
def resolve(request: ApiRequest, conversation_id: Id) -> ConversationOut:
    """The matter is settled: its tickets are solved. Doing it again changes nothing."""
    desk.resolve(_found(conversation_id), by=request.auth)
    return as_it_is(request, conversation_id)


@router.post(
    "/{conversation_id}/reopen",
    auth=Token("reply", "conversation.resolve"),
    response={200: ConversationOut, **refusals(404)},
    operation_id="reopen",
)
def reopen(request: ApiRequest, conversation_id: Id) -> ConversationOut:
    """The matter is open again. Doing it again changes nothing."""
    desk.reopen(_found(conversation_id), by=request.auth)
    return as_it_is(request, conversation_id)


def _found(conversation_id: int) -> Conversation:
    conversation: Conversation = get_object_or_404(Conversation, pk=conversation_id)
    return conversation
