"""Files of messages: they lie below MEDIA_ROOT by token; their type is found from their bytes, not from the name."""

import re
from datetime import timedelta

import puremagic
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from conversations.errors import ConversationError
from conversations.models import File
from conversations.text import clean_line
from crm.workspace import clock
from crm.workspace.models import Workspace

UNKNOWN = "application/octet-stream"
UNSENT_KEPT = timedelta(days=1)
DROPPED_AT_ONCE = 500
_TURNS_AROUND = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # "exe.gpj" must not read as "jpg.exe"


class TooLarge(ConversationError):
    """The file is over FILE_SIZE_LIMIT; nothing was kept of it."""


def store_upload(workspace: Workspace, uploaded: UploadedFile) -> File:
    """A file of no message yet, with its bytes kept. Raises TooLarge."""
    name = clean_name(uploaded.name or "")
    _refuse_large(uploaded.size or 0, name)
    return keep(File(workspace=workspace, name=name), uploaded.read())


def keep(file: File, data: bytes) -> File:
    """The file is READY: its bytes are written, its size and type are those of the bytes. Raises TooLarge."""
    _refuse_large(len(data), file.name)
    if default_storage.exists(file.path):  # fetched twice: storage would choose another name
        default_storage.delete(file.path)
    default_storage.save(file.path, ContentFile(data))
    file.size, file.mime, file.state, file.reason = len(data), sniff(data), File.State.READY, ""
    if file.kind == "file":
        file.kind = kind_of(file.mime)
    file.save()
    return file


def read(file: File) -> bytes:
    """The bytes. Raises FileNotFoundError when they were never kept or are gone."""
    with default_storage.open(file.path) as stored:
        content: bytes = stored.read()
    return content


def drop_unsent() -> int:
    """Forget uploads that were never sent, with their bytes, in every workspace. Returns how many."""
    with scopes_disabled():
        old = File.objects.filter(message=None, created_at__lt=clock.now() - UNSENT_KEPT)
        dropped = [pk for pk in old.values_list("pk", flat=True)[:DROPPED_AT_ONCE] if _drop_unsent(pk)]
    return len(dropped)


def _drop_unsent(pk: int) -> bool:
    """The row first: bytes without a row do no harm, and one that is being sent just now is left alone."""
    with transaction.atomic():
        file = File.objects.select_for_update(of=("self",)).filter(pk=pk, message=None).first()
        if file is None:
            return False
        path = file.path
        file.delete()
    default_storage.delete(path)
    return True


def sniff(data: bytes) -> str:
    """The media type that the bytes show; `application/octet-stream` when they show none."""
    try:
        return puremagic.from_string(data, mime=True) or UNKNOWN
    except (puremagic.PureError, ValueError):
        return UNKNOWN


def kind_of(mime: str) -> str:
    """`image`, `video`, `audio` or `file`."""
    family = mime.split("/")[0]
    return family if family in ("image", "video", "audio") else "file"


def clean_name(name: str) -> str:
    """A name to show: one line, without folders and without marks that turn the reading direction."""
    return clean_line(_TURNS_AROUND.sub("", name.replace("\\", "/").rsplit("/", 1)[-1]), 255)


def _refuse_large(size: int, name: str) -> None:
    if size > settings.FILE_SIZE_LIMIT:
        limit = filesizeformat(settings.FILE_SIZE_LIMIT)
        raise TooLarge(_("“%(name)s” is too large: %(limit)s at most.") % {"name": name, "limit": limit})
