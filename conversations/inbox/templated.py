"""Approved texts in the composer: chosen, filled in, looked at, sent."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from conversations import approved, outbound, timeline
from conversations.errors import ConversationError
from conversations.inbox.forms import TemplateForm
from conversations.inbox.pages import INVALID, composer_of, done, found, show
from conversations.models import Conversation, Template
from crm.workspace.pages import MemberRequest, is_fragment, member_page


@require_safe
@member_page("conversation.reply")
def preview(request: MemberRequest, pk: int) -> HttpResponse:
    """The chosen template with places for its values, as it will read."""
    conversation = found(request, pk, "conversation.reply")
    asked = request.GET.get("template", "")
    chosen = get_object_or_404(_of(conversation), pk=asked) if asked.isascii() and asked.isdigit() else None
    return _fields(request, conversation, chosen, request.GET.getlist("value"))


@require_POST
@member_page("conversation.reply")
def send(request: MemberRequest, pk: int) -> HttpResponse:
    """Queue the template, filled in. A refusal gives the form back with what was filled in."""
    conversation = found(request, pk, "conversation.reply")
    context = composer_of(conversation)
    form = TemplateForm(request.POST, inbox=context["target"])
    if not form.is_valid():
        return _fields(request, conversation, None, form.values(), list(form.errors.values()))
    template, client_id = form.cleaned_data["template"], form.cleaned_data["client_id"]
    try:
        message = outbound.queue_template(
            conversation, request.membership, template, form.values(), client_id=client_id
        )
    except ConversationError as error:
        return _fields(request, conversation, template, form.values(), [str(error)])
    shown = timeline.message_for_page(message.pk)
    context = {**composer_of(conversation), "message": shown}
    return done(request, conversation, "conversations/_template_sent.html", context)


def _of(conversation: Conversation) -> "QuerySet[Template]":
    return Template.objects.filter(inbox=composer_of(conversation)["target"])


def _fields(
    request: MemberRequest,
    conversation: Conversation,
    chosen: Template | None,
    values: list[str],
    errors: list[object] | None = None,
) -> HttpResponse:
    given = [*values, *[""] * len(chosen.variables)] if chosen else []
    context = {
        "conversation": conversation,
        **composer_of(conversation),
        "chosen": chosen,
        "places": list(zip(chosen.variables, given, strict=False)) if chosen else [],
        "preview": approved.filled(chosen, values) if chosen else "",
        "template_errors": errors or [],
    }
    template = "_template_form" if is_fragment(request) else "template"
    response = show(request, f"conversations/{template}.html", context, status=INVALID if errors else 200)
    if errors and is_fragment(request):
        response["HX-Retarget"], response["HX-Reswap"] = ".composer__template", "outerHTML"
    return response
