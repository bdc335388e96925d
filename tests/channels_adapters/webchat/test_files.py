"""Files both ways, and whom they are shown to."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_scopes import scope, scopes_disabled

from conversations import files
from conversations.models import File
from conversations.normalized import Attachment
from tests.channels_adapters.webchat.chat import other_visitor

pytestmark = pytest.mark.django_db(transaction=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
PDF = b"%PDF-1.4\nhello"


def upload(chat, data=PNG, name="lamp.png", **headers):
    shown = {"x-visitor": chat.token, **headers}
    return Client().post(f"{chat.page}files", {"file": SimpleUploadedFile(name, data)}, headers=shown)


def sent_by_agent(chat, data=PDF, name="guide.pdf"):
    """A file that an agent sent to the visitor."""
    chat.write()
    with scope(workspace=chat.inbox.workspace):
        kept = files.store_upload(chat.inbox.workspace, SimpleUploadedFile(name, data))
    chat.answer("Here", files=[kept])
    return kept


def test_an_upload_is_kept_for_the_next_message(chat):
    answer = upload(chat)

    given = answer.json()
    assert given["name"] == "lamp.png"
    with scopes_disabled():
        assert File.objects.get(token=given["token"]).message is None


def test_an_upload_hangs_on_the_message_it_is_sent_with(chat):
    token = upload(chat).json()["token"]

    chat.write("see the picture", attachments=(Attachment(kind="file", token=token),))

    page = chat.get("messages").content.decode()
    assert f"files/{token}?proof=" in page
    assert "<img" in page
    assert chat.get(f"files/{token}").headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    "name, data",
    [
        ("a.pdf", PDF),
        ("a.txt", "grüße".encode()),
        ("a.mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 20),
        ("a.mp3", b"ID3\x03" + b"\0" * 30),
        ("a.docx", b"PK\x03\x04" + b"\0" * 60),
    ],
)
def test_what_people_send_to_a_shop_is_taken(chat, name, data):
    assert upload(chat, data, name).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"MZ\x90\x00" + b"\0" * 60,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><html><script>alert(1)</script>",
        b"\x7fELF" + b"\0" * 60,
        b"\x00\x01\x02\x03",
    ],
)
def test_other_kinds_are_refused_whatever_their_name_says(chat, data):
    answer = upload(chat, data, "lamp.png")

    assert answer.status_code == 415
    with scopes_disabled():
        assert not File.objects.exists()


def test_a_file_over_the_limit_is_refused(chat, settings):
    settings.FILE_SIZE_LIMIT = 10

    assert upload(chat).status_code == 413


def test_the_sixth_file_of_a_minute_is_refused(chat):
    for _ in range(5):
        assert upload(chat).status_code == 200

    answer = upload(chat)

    assert answer.status_code == 429
    assert "Retry-After" in answer.headers


def test_an_upload_without_a_token_in_the_header_is_refused(chat):
    browser = Client()
    browser.cookies["visitor"] = chat.token  # another site could make the browser send it

    answer = browser.post(f"{chat.page}files", {"file": SimpleUploadedFile("a.png", PNG)})

    assert answer.status_code == 403


def test_a_visitor_opens_the_file_an_agent_sent_them_harmlessly(chat):
    kept = sent_by_agent(chat)

    answer = chat.get(f"files/{kept.token}")

    assert answer.content == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_the_page_s_own_link_opens_it_where_cookies_are_blocked(chat):
    sent_by_agent(chat)
    link = chat.get("messages").content.decode().split('href="')[1].split('"')[0].replace("&amp;", "&")

    assert Client().get(link).content == PDF
    assert Client().get(link[:-3] + "abc").status_code == 403


def test_nobody_else_opens_it(chat):
    kept = sent_by_agent(chat)

    assert other_visitor(chat).get(f"files/{kept.token}").status_code == 404
    assert Client().get(f"{chat.page}files/{kept.token}").status_code == 403


def test_a_file_that_an_agent_has_not_sent_is_not_opened(chat):
    chat.write()
    with scope(workspace=chat.inbox.workspace):
        kept = files.store_upload(chat.inbox.workspace, SimpleUploadedFile("secret.pdf", PDF))

    assert chat.get(f"files/{kept.token}").status_code == 404
