"""Files of messages: kept by their bytes, handed out to members only, and never as something that runs."""

from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_scopes import scope

from channels_adapters.workers.running import SCHEDULE, Workers
from conversations import files
from conversations.models import File, Inbox
from crm.models import Membership, Workspace
from tests.factories import make_inbox, make_message, make_workspace

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"


@pytest.fixture
def inbox(workspace: Workspace) -> Inbox:
    return make_inbox(workspace)


def a_file(inbox: Inbox, name: str, data: bytes) -> File:
    file = File(workspace=inbox.workspace, message=make_message(inbox), name=name)
    return files.keep(file, data)


def served(client: Client, file: File, member: Membership) -> Any:
    client.force_login(member.agent)
    return client.get(f"/files/{file.token}/")


def test_the_type_comes_from_the_bytes_and_not_from_the_name(workspace: Workspace):
    stored = files.store_upload(workspace, SimpleUploadedFile("photo.jpg", PNG, content_type="text/html"))

    assert (stored.mime, stored.kind, stored.size, stored.state) == ("image/png", "image", len(PNG), "ready")
    assert files.read(stored) == PNG


def test_bytes_that_say_nothing_are_just_bytes(workspace: Workspace):
    stored = files.store_upload(workspace, SimpleUploadedFile("notes.html", b"just words"))

    assert stored.mime == "application/octet-stream"
    assert stored.kind == "file"


@pytest.mark.parametrize(
    "given, shown",
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\me.png", "me.png"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("two\nlines\0.txt", "two lines.txt"),
        ("x" * 400, "x" * 255),
    ],
)
def test_a_name_is_only_ever_a_name(given: str, shown: str):
    assert files.clean_name(given) == shown


def test_a_file_fetched_twice_has_one_place(inbox: Inbox):
    file = a_file(inbox, "a.bin", b"first")

    files.keep(file, b"second")

    assert files.read(file) == b"second"


def test_a_file_over_the_limit_is_not_kept(inbox: Inbox, settings: Any):
    settings.FILE_SIZE_LIMIT = 4

    with pytest.raises(files.TooLarge, match="too large"):
        a_file(inbox, "big.bin", b"12345")

    assert not File.objects.exists()


def test_a_page_is_handed_out_to_be_saved_and_not_to_be_run(client: Client, inbox: Inbox, member: Membership):
    file = a_file(inbox, "page.html", b"<html><script>alert(1)</script></html>")

    answer = served(client, file, member)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer.getvalue() == b"<html><script>alert(1)</script></html>"


def test_a_drawing_that_could_hold_a_script_is_no_picture(client: Client, inbox: Inbox, member: Membership):
    file = a_file(inbox, "logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>')

    answer = served(client, file, member)
    answer.close()

    assert answer["Content-Disposition"].startswith("attachment")


def test_a_picture_is_shown(client: Client, inbox: Inbox, member: Membership):
    answer = served(client, a_file(inbox, "box.png", PNG), member)
    answer.close()

    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == 'inline; filename="box.png"'


def test_another_workspace_s_file_does_not_exist(client: Client, member: Membership):
    elsewhere = make_workspace(name="Elsewhere")
    with scope(workspace=elsewhere):
        foreign = a_file(make_inbox(elsewhere), "a.png", PNG)

    assert served(client, foreign, member).status_code == 404


def test_a_file_asks_who_you_are(client: Client, inbox: Inbox):
    file = a_file(inbox, "a.png", PNG)

    assert client.get(f"/files/{file.token}/").status_code == 302


def test_a_file_whose_bytes_are_gone_is_not_found(client: Client, inbox: Inbox, member: Membership):
    file = File(workspace=inbox.workspace, message=make_message(inbox), state=File.State.READY)
    file.save()

    assert served(client, file, member).status_code == 404


def test_an_upload_that_is_never_sent_is_forgotten_after_a_day_with_its_bytes(workspace: Workspace, inbox: Inbox):
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
        unsent = files.store_upload(workspace, SimpleUploadedFile("old.png", PNG))
        sent = a_file(inbox, "sent.png", PNG)
    with time_machine.travel("2026-11-21T11:00:00Z", tick=False):
        fresh = files.store_upload(workspace, SimpleUploadedFile("new.png", PNG))

        assert files.drop_unsent() == 1

    assert set(File.objects.all()) == {sent, fresh}
    assert files.read(sent) == files.read(fresh) == PNG
    with pytest.raises(FileNotFoundError):
        files.read(unsent)


def test_an_upload_whose_bytes_are_gone_already_is_forgotten_too(workspace: Workspace):
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
        unsent = files.store_upload(workspace, SimpleUploadedFile("old.png", PNG))
    default_storage.delete(unsent.path)

    assert files.drop_unsent() == 1
    assert files.drop_unsent() == 0


def test_the_schedule_forgets_uploads(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    asked: list[bool] = []
    monkeypatch.setattr(files, "drop_unsent", lambda: asked.append(True))
    workers = Workers()
    workers.part = SCHEDULE

    workers.order_sweep()

    assert asked == [True]
