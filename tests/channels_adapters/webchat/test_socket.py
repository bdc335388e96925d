"""What the visitor's socket pushes: their own thread, once, and to nobody else."""

import asyncio
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django_scopes import scopes_disabled

from channels_adapters.adapters.webchat import consumers, visitors
from channels_adapters.adapters.webchat.urls import websocket_urlpatterns
from conversations import inbound_changes
from conversations.live import typing
from conversations.models import Delivery
from conversations.normalized import Deletion
from crm.workspace import clock
from tests.channels_adapters.webchat.chat import frame, other_visitor
from tests.factories import make_member

pytestmark = pytest.mark.django_db(transaction=True)


async def test_what_was_said_before_is_pushed_at_once(chat, connect):
    await sync_to_async(chat.write)("hello")

    pushed = await frame(await connect())

    assert "hello" in pushed["html"]
    assert pushed["cursor"].endswith(".1")


async def test_an_answer_is_pushed_when_it_is_sent_and_marked_delivered(chat, connect):
    await sync_to_async(chat.write)()
    socket = await connect()
    await frame(socket)

    await sync_to_async(chat.answer)("It left today")

    assert "It left today" in (await frame(socket))["html"]
    with scopes_disabled():
        for _ in range(100):
            if (await Delivery.objects.aget()).delivered_at:
                return
            await asyncio.sleep(0.02)
    pytest.fail("it was not marked delivered")


async def test_a_first_message_is_pushed_to_a_socket_that_was_there_before_it(chat, connect):
    socket = await connect()

    await sync_to_async(chat.write)("my first words")

    assert "my first words" in (await frame(socket))["html"]


async def test_only_what_changed_is_pushed(chat, connect):
    first = await sync_to_async(chat.write)("one")
    await sync_to_async(chat.write)("two")
    socket = await connect()
    await frame(socket)

    await sync_to_async(inbound_changes.apply)(Deletion(chat.visitor, first.external_id, clock.now()), chat.inbox)

    pushed = (await frame(socket))["html"]
    assert "removed" in pushed
    assert "two" not in pushed


async def test_what_was_missed_is_pushed_after_a_reconnect(chat, connect):
    last = await sync_to_async(chat.write)("before")
    await sync_to_async(chat.write)("meanwhile")

    pushed = await frame(await connect(since=f"{last.conversation_id}.{last.seq}"))

    assert "meanwhile" in pushed["html"]


async def test_two_tabs_hear_the_same(chat, connect):
    tabs = [await connect(), await connect()]

    await sync_to_async(chat.write)("hello")

    assert ["hello" in (await frame(tab))["html"] for tab in tabs] == [True, True]


async def test_another_visitor_hears_nothing(chat, connect):
    stranger = other_visitor(chat)
    await sync_to_async(stranger.write)("my own")
    socket = await connect(of=stranger)
    await frame(socket)

    await sync_to_async(chat.write)("a secret")

    assert await socket.receive_nothing(0.3)


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
async def test_a_token_that_is_not_ours_is_closed_with_4403(chat, token):
    path = f"/ws/chat/{chat.inbox.key}/?{urlencode({'token': token})}"
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)

    await socket.connect()

    assert (await socket.receive_output())["code"] == consumers.FORBIDDEN


async def test_a_token_of_another_inbox_is_closed_with_4403(chat):
    token = visitors.token_for(chat.visitor, "another-key")
    path = f"/ws/chat/{chat.inbox.key}/?{urlencode({'token': token})}"
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)

    await socket.connect()

    assert (await socket.receive_output())["code"] == consumers.FORBIDDEN


async def test_an_agent_who_writes_is_shown(chat, connect):
    message = await sync_to_async(chat.write)()
    member = await sync_to_async(make_member)(chat.inbox.workspace, name="Ines")
    socket = await connect()
    await frame(socket)

    await sync_to_async(typing.agent_types)(member, message.conversation_id)

    assert (await frame(socket, "typing"))["who"] == "Ines"
