from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from channels_adapters.public_files import address_of
from conversations import files
from crm.workspace import clock

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"


@pytest.fixture
def address(workspace, settings):
    settings.PUBLIC_URL = "https://desk.example"
    return address_of(files.store_upload(workspace, SimpleUploadedFile("a cat/ü?.png", PNG)))


def path_of(address):
    return address.removeprefix("https://desk.example")


def test_whoever_has_the_address_gets_the_file(address, client):
    answer = client.get(path_of(address))

    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_the_address_names_the_file_in_one_piece(address):
    assert address.startswith("https://desk.example/public-files/")
    assert address.endswith("/%C3%BC%3F.png")


def test_another_proof_finds_nothing(address, client):
    proof, _, name = path_of(address).removeprefix("/public-files/").partition("/")
    token = proof.split(":")[0]

    for other in (token, proof[:-1], f"x{proof}", "x"):
        assert client.get(f"/public-files/{other}/{name}").status_code == 404


def test_after_a_month_it_is_over(address, client):
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False):
        assert client.get(path_of(address)).status_code == 404


def test_what_is_no_picture_is_saved_and_not_shown(workspace, client, settings):
    settings.PUBLIC_URL = "https://desk.example"
    page = files.store_upload(workspace, SimpleUploadedFile("x.html", b"<!doctype html><script>1</script>"))

    answer = client.get(path_of(address_of(page)))

    assert answer["Content-Disposition"].startswith("attachment")


def test_it_is_only_looked_at(address, client):
    assert client.post(path_of(address)).status_code == 405
    assert reverse("public-file", args=("p", "n")) == "/public-files/p/n"
