"""What an agent does to a conversation: one address and one form per verb. The work is done by desk and outbound."""

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from conversations import deliveries, desk, outbound, timeline
from conversations.errors import ConversationError, NothingToSay
from conversations.files import store_upload
from conversations.inbox.forms import AssignForm, CorrectionForm, NoteForm, ReplyForm, SayForm, UploadForm
from conversations.inbox.pages import INVALID, composer_of, done, found, head_of, show
from conversations.inbox.views import as_it_stands, why_of
from conversations.models import Conversation, Delivery, File, Triage
from crm.workspace.models import Workspace
from crm.workspace.pages import MemberRequest, member_page


@require_POST
@member_page("conversation.reply")
def reply(request: MemberRequest, pk: int) -> HttpResponse:
    """Queue a reply. A refusal gives the form back with its text and files."""
    conversation = found(request, pk, "conversation.reply")
    form = ReplyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _again(request, conversation, "reply", form, list(form.errors.values()))
    files = form.uploaded()
    try:
        files += _stored(request.membership.workspace, form.cleaned_data["attachments"])
        draft, client_id = form.draft(conversation, files), form.cleaned_data["client_id"]
        message = outbound.queue(conversation, request.membership, draft, client_id=client_id)
    except ConversationError as error:
        return _again(request, conversation, "reply", form, [_words(error)], files)
    shown = timeline.message_for_page(message.pk)
    return done(request, conversation, "conversations/_replied.html", {**composer_of(conversation), "message": shown})


@require_POST
@member_page("conversation.note")
def note(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep a note among ourselves."""
    conversation = found(request, pk, "conversation.note")
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _again(request, conversation, "note", form, list(form.errors.values()))
    text, client_id = form.cleaned_data["text"], form.cleaned_data["client_id"]
    try:
        written = desk.write_note(conversation, request.membership, text, client_id=client_id)
    except ConversationError as error:
        return _again(request, conversation, "note", form, [_words(error)])
    return done(request, conversation, "conversations/_noted.html", {**composer_of(conversation), "note": written})


def _again(
    request: MemberRequest,
    conversation: Conversation,
    kind: str,
    form: SayForm,
    errors: Sequence[Any],
    files: Sequence[File] = (),
) -> HttpResponse:
    given = {"text": form.data.get("text", ""), "errors": errors, "kept_files": files}
    given["client_id" if kind == "reply" else "note_id"] = form.data.get("client_id") or SayForm.new_id()
    context = {"conversation": conversation, **composer_of(conversation), **given}
    return show(request, f"conversations/_{kind}_form.html", context, status=INVALID)


def _stored(workspace: Workspace, uploads: Sequence[UploadedFile]) -> list[File]:
    return [store_upload(workspace, uploaded) for uploaded in uploads]


def _words(error: ConversationError) -> str:
    return _("Write something first.") if isinstance(error, NothingToSay) else str(error)


@require_POST
@member_page("conversation.reply")
def upload(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep files for the reply that is being written; the answer is a chip for each."""
    conversation = found(request, pk, "conversation.reply")
    form = UploadForm(request.POST, request.FILES)
    context: dict[str, Any] = {"conversation": conversation, "kept_files": [], "errors": list(form.errors.values())}
    if form.is_valid():
        try:
            context["kept_files"] = _stored(request.membership.workspace, form.cleaned_data["attachments"])
        except ConversationError as error:
            context["errors"] = [str(error)]
    return show(request, "conversations/_chips.html", context, status=INVALID if context["errors"] else 200)


@require_POST
@member_page("conversation.assign")
def assign(request: MemberRequest, pk: int) -> HttpResponse:
    """Give the conversation to a member, or to nobody."""
    conversation = found(request, pk, "conversation.assign")
    form = AssignForm(request.POST)
    if not form.is_valid():
        return _head(request, conversation, status=INVALID)
    return _head(request, desk.assign(conversation, form.cleaned_data["member"], by=request.membership))


@require_POST
@member_page("conversation.assign")
def take(request: MemberRequest, pk: int) -> HttpResponse:
    conversation = found(request, pk, "conversation.assign")
    return _head(request, desk.assign(conversation, request.membership, by=request.membership))


@require_POST
@member_page("conversation.resolve")
def resolve(request: MemberRequest, pk: int) -> HttpResponse:
    return _head(request, desk.resolve(found(request, pk, "conversation.resolve"), by=request.membership))


@require_POST
@member_page("conversation.resolve")
def reopen(request: MemberRequest, pk: int) -> HttpResponse:
    return _head(request, desk.reopen(found(request, pk, "conversation.resolve"), by=request.membership))


def _head(request: MemberRequest, conversation: Conversation, *, status: int = 200) -> HttpResponse:
    response = done(request, conversation, "conversations/_head.html", head_of(conversation, request.membership))
    if status != 200:
        response.status_code = status
    return response


@require_POST
@member_page("conversation.reply")
def seen(request: MemberRequest, pk: int) -> HttpResponse:
    """The team has seen what the customer wrote."""
    desk.mark_read(found(request, pk, "conversation.reply"), by=request.membership)
    return HttpResponse(status=204)


@require_POST
@member_page("triage.correct")
def correct(request: MemberRequest, pk: int, message_pk: int) -> HttpResponse:
    """Say what a message really was, in one step."""
    conversation = found(request, pk, "triage.correct")
    message = get_object_or_404(timeline.of_page(), pk=message_pk, conversation=conversation)
    initial = as_it_stands(message, get_object_or_404(Triage, message=message))
    form = CorrectionForm(request.POST, workspace=request.membership.workspace, initial=initial)
    if not form.is_valid():
        context = {"conversation": conversation, **why_of(request, message, form)}
        return show(request, "conversations/_why.html", context, status=INVALID)
    said = form.cleaned_data
    desk.correct(
        message, by=request.membership, functions=said["functions"], intent=said["intent"], sentiment=said["sentiment"]
    )
    message = get_object_or_404(timeline.of_page(), pk=message_pk)
    context = {"is_kept": True, "new_routes": list(message.routes.all()), **why_of(request, message)}
    return done(request, conversation, "conversations/_corrected.html", context)


@require_POST
@member_page("conversation.reply")
def resend(request: MemberRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """Try a stuck part again."""
    delivery = _part(request, pk, delivery_pk)
    deliveries.send_again(delivery)
    return _message(request, delivery)


@require_POST
@member_page("conversation.reply")
def let_go(request: MemberRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """A person leaves a part that failed as it is."""
    delivery = _part(request, pk, delivery_pk)
    deliveries.let_go(delivery)
    return _message(request, delivery)


@require_POST
@member_page("conversation.reply")
def take_as_sent(request: MemberRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """A person knows that an uncertain part arrived."""
    delivery = _part(request, pk, delivery_pk)
    deliveries.take_as_sent(delivery)
    return _message(request, delivery)


def _part(request: MemberRequest, pk: int, delivery_pk: int) -> Delivery:
    conversation = found(request, pk, "conversation.reply")
    parts = Delivery.objects.select_related("workspace", "message__conversation__customer")
    delivery: Delivery = get_object_or_404(parts, pk=delivery_pk, message__conversation=conversation)
    return delivery


def _message(request: MemberRequest, delivery: Delivery) -> HttpResponse:
    if delivery.message is None:
        raise Http404
    shown = timeline.message_for_page(delivery.message.pk)
    return done(request, delivery.message.conversation, "conversations/_message.html", {"message": shown})
