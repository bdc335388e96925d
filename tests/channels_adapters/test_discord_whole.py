"""Discord through the whole product: Ada writes with a picture, and an agent answers with a file."""

import pytest
from anyio.from_thread import start_blocking_portal
from django.core.files.uploadedfile import SimpleUploadedFile
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from conversations import files
from conversations.models import Conversation, Delivery, File, Message
from conversations.outbound import queue_reply
from tests.channels_adapters.fake_discord import DIRECT, ME, TOKEN, FakeDiscord
from tests.channels_adapters.whole import edge
from tests.factories import make_member, make_workspace

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


@pytest.fixture
def fake():
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeDiscord()) as running:
        yield running, portal


@pytest.mark.django_db(transaction=True)
def test_ada_writes_an_agent_answers_and_ada_presses_a_button(fake):
    discord, portal = fake
    workspace = make_workspace()
    given = {"api_url": discord.url, "bot_token": TOKEN}
    inbox = connections.connect(workspace, "discord", name="Discord", given=given)
    assert connections.check(inbox).problems == ()
    with edge(inbox) as running:
        running.until(lambda: discord.identified)
        picture = discord.attach("order.png", PNG, "image/png")
        portal.call(lambda: discord.says(DIRECT, "Where is my order?", attachments=[picture]))
        file = running.until(lambda: File.objects.filter(state=File.State.READY).first())
        with scope(workspace=workspace):
            assert Message.objects.get().text == "Where is my order?"
            assert files.read(file) == PNG
            bill = files.store_upload(workspace, SimpleUploadedFile("bill.txt", b"42 kr"))
            conversation, member = Conversation.objects.get(), make_member(workspace)
            queue_reply(conversation, member, "On its way", client_id="c1", files=[bill])
        running.until(lambda: all(delivery.state == "sent" for delivery in Delivery.objects.all()))
        portal.call(lambda: discord.tell("INTERACTION_CREATE", pressed("yes")))
        running.until(lambda: Message.objects.filter(external_id="callback:88").exists())

    said = [message for message in discord.channels[DIRECT] if message["author"]["id"] == ME]
    with scopes_disabled():
        assert {delivery.external_id for delivery in Delivery.objects.all()} == {message["id"] for message in said}
    assert "On its way" in {message["content"] for message in said}
    (sent,) = (file for message in said for file in message["attachments"])
    assert discord.files[f"/attachments/{sent['id']}/bill.txt"] == b"42 kr"
    assert discord.answered == [{"type": 6}]


def pressed(payload):
    known = {"id": "88", "type": 3, "token": "t0", "application_id": "1001", "channel_id": DIRECT}
    return {**known, "user": {"id": "2000", "username": "ada"}, "data": {"custom_id": payload}}
