"""Files both ways: a visitor's upload, and what an agent sent them."""

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from channels_adapters.adapters.webchat import WebChatAdapter, access, history, limits, visitors
from channels_adapters.adapters.webchat.history import Place
from conversations import files
from conversations.models import Inbox

ALLOWED = (  # what a media type may begin with
    *("image/png", "image/jpeg", "image/gif", "image/webp", "image/heic", "image/heif", "image/avif"),
    *("application/pdf", "application/msword", "application/rtf", "text/rtf", "application/vnd.ms-"),
    *("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument."),
    *("audio/", "video/"),
)
BODY_OVERHEAD = 64 * 1024  # bytes of a multipart body that are not the file


@csrf_exempt  # the token in the header is what no other site can send
@require_POST
@access.chat_page
def upload(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter) -> HttpResponse:
    """Keeps one file for the visitor's next message and answers its token and name."""
    visitor = visitors.of_header(request, inbox.key)
    if visitor is None:
        return access.stranger()
    if not limits.may_upload(visitor):
        return access.words(_("That were many files: wait a minute before the next."), 429)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.FILE_SIZE_LIMIT + BODY_OVERHEAD:
        return _too_large()
    uploaded = request.FILES.get("file")
    if uploaded is None:
        return access.words(_("There is no file in this."), 400)
    if (uploaded.size or 0) > settings.FILE_SIZE_LIMIT:
        return _too_large()
    if not _is_allowed(uploaded):
        kinds = _("pictures, PDF, text, office documents, sound and video")
        return access.words(_("This kind of file is not taken here: send %(kinds)s.") % {"kinds": kinds}, 415)
    kept = files.store_upload(inbox.workspace, uploaded)
    return JsonResponse({"token": kept.token, "name": kept.name})


def _too_large() -> HttpResponse:
    return access.words(_("A file can have %(limit)s.") % {"limit": filesizeformat(settings.FILE_SIZE_LIMIT)}, 413)


def _is_allowed(uploaded: UploadedFile) -> bool:
    """Whether the bytes, whatever the name says, are of a kind that people send to a shop."""
    data = uploaded.read()
    uploaded.seek(0)
    mime = files.sniff(data)
    return mime.startswith(ALLOWED) or data[:3] == b"ID3" or (mime == files.UNKNOWN and _is_text(data))


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and "\x00" not in text


@require_safe
@access.chat_page
def download(request: HttpRequest, inbox: Inbox, adapter: WebChatAdapter, token: str) -> HttpResponse:
    """A file of the visitor's own thread, harmless to open: pictures are shown, the rest is saved."""
    proof = request.GET.get("proof")
    visitor = visitors.read_link_proof(proof, token) if proof else visitors.of(request, inbox.key)
    if visitor is None:
        return access.stranger()
    file = history.file_of(Place(inbox, visitor), token)
    if file is None:
        raise Http404
    mime = file.mime if file.is_picture else "application/octet-stream"
    response = HttpResponse(files.read(file), content_type=mime)
    disposition = content_disposition_header(not file.is_picture, file.name or "file")
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
