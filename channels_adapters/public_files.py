"""Files that leave by address: a platform that takes no bytes fetches them here, with an address nobody can guess."""

from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe
from django_scopes import scopes_disabled

from conversations import files
from conversations.models import File

KEPT_FOR = timedelta(days=30)  # some apps fetch a file anew each time it is looked at
_signer = signing.TimestampSigner(salt="public file")


def address_of(file: File) -> str:
    """Where anyone who has the address finds the file, for a month from now."""
    return f"{settings.PUBLIC_URL}/public-files/{_signer.sign(file.token)}/{quote(file.name or 'file', safe='')}"


@require_safe
def show(request: HttpRequest, proof: str, name: str) -> HttpResponse:
    """The file behind an address of `address_of`, harmless to open; 404 for any other, and when it is over."""
    try:
        token = _signer.unsign(proof, max_age=KEPT_FOR)
    except signing.BadSignature:
        raise Http404 from None
    with scopes_disabled():
        file = File.objects.filter(token=token, state=File.State.READY).first()
    if file is None:
        raise Http404
    response = HttpResponse(files.read(file), content_type=file.mime or files.UNKNOWN)
    is_shown = file.mime.startswith(("image/", "video/", "audio/")) and "svg" not in file.mime
    response.headers["Content-Disposition"] = content_disposition_header(not is_shown, file.name or "file") or ""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


urlpatterns = [path("public-files/<str:proof>/<path:name>", show, name="public-file")]
