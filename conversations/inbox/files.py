"""Handing out the files of messages: to members who may see the conversation, and never as something that runs."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from conversations.models import File
from crm.workspace import permissions
from crm.workspace.pages import MemberRequest, member_page


@require_safe
@member_page("conversation.view")
def show_file(request: MemberRequest, token: str) -> HttpResponseBase:
    """The bytes: pictures to look at, sounds and films to play, all else to save."""
    file = get_object_or_404(File.objects.select_related("message__conversation"), token=token, state=File.State.READY)
    permissions.require(request.membership, "conversation.view", file.message.conversation if file.message else file)
    try:
        stored = default_storage.open(file.path)
    except FileNotFoundError as error:
        raise Http404 from error
    is_shown = file.is_picture or bool(file.plays_as)
    response = FileResponse(
        stored,
        as_attachment=not is_shown,
        filename=file.name or file.token,
        content_type=file.mime if is_shown else "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, max-age=86400"
    return response
