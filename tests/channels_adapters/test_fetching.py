import threading
from datetime import UTC, datetime

import pytest
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import Refused
from channels_adapters.workers.dispatch import Dispatch
from conversations import files
from conversations.inbound import receive_message
from conversations.models import File
from conversations.normalized import Attachment, InboundMessage
from crm.workspace import hints
from tests.factories import a_sender, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x00\x00\x00\x01" * 2 + b"\x08\x06\x00\x00\x00"


@pytest.fixture
def expected(toy) -> File:
    """A file of a message, that the platform still has."""
    workspace = make_workspace()
    inbox = connections.connect(workspace, "toy", name="Toys", given={})
    photo = Attachment("image", external_id="photo-1", name="box.jpg", mime="text/html")
    message = InboundMessage("1", "ada", a_sender(address="ada"), "", datetime.now(UTC), attachments=(photo,))
    receive_message(inbox, message, triage=None)
    with scope(workspace=workspace):
        return File.objects.get()


def after_a_look() -> File:
    """The file, once the worker has said something about it."""
    told, dispatch = threading.Event(), Dispatch()

    def hear(workspace_id, number, verbs):
        if "file.ready" in verbs:
            told.set()

    hints.listen(hear)
    dispatch.start()
    dispatch.wake()
    try:
        assert told.wait(10), "nothing was fetched"
    finally:
        hints.forget(hear)
        dispatch.stop()
    with scopes_disabled():
        return File.objects.get()


def test_a_file_is_fetched_and_its_type_is_that_of_its_bytes(expected, toy, monkeypatch):
    async def fetch(self, external_id, limit):
        return PNG

    monkeypatch.setattr(toy, "fetch", fetch)

    file = after_a_look()

    assert (file.state, file.mime, file.size) == ("ready", "image/png", len(PNG))
    assert files.read(file) == PNG


def test_a_file_the_platform_will_not_give_says_why(expected, toy, monkeypatch):
    async def fetch(self, external_id, limit):
        raise Refused("it is larger than 20 MB")

    monkeypatch.setattr(toy, "fetch", fetch)

    file = after_a_look()

    assert (file.state, file.reason) == ("failed", "it is larger than 20 MB")


def test_a_fault_while_fetching_is_said_and_harms_nothing_else(expected, toy, monkeypatch):
    async def fetch(self, external_id, limit):
        raise ZeroDivisionError

    monkeypatch.setattr(toy, "fetch", fetch)

    assert after_a_look().state == "failed"
