"""What a visitor may say on their socket: that they are typing, and nothing else."""

import pytest
from asgiref.sync import sync_to_async

from channels_adapters.adapters.webchat import consumers
from conversations.live import typing
from tests.channels_adapters.webchat.chat import frame

pytestmark = pytest.mark.django_db(transaction=True)


async def heard_typing(monkeypatch, chat, socket, frames):
    told = []
    monkeypatch.setattr(typing, "customer_types", lambda thread, name: told.append(name))
    for text in frames:
        await socket.send_to(text_data=text)
    await socket.receive_nothing(0.3)
    return told


async def test_a_visitor_s_typing_is_told_once_in_two_seconds(chat, connect, monkeypatch):
    await sync_to_async(chat.write)()
    socket = await connect()
    await frame(socket)

    told = await heard_typing(monkeypatch, chat, socket, ['{"typing":true}'] * 5)

    assert told == ["Visitor"]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "null",
        '{"typing":1}',
        '{"type":"events.moved"}',
        "[" * 1900,
        '{"typing":true,"a":"' + "x" * 2000 + '"}',
    ],
)
async def test_other_frames_are_ignored(chat, connect, monkeypatch, text):
    await sync_to_async(chat.write)()
    socket = await connect()
    await frame(socket)

    assert await heard_typing(monkeypatch, chat, socket, [text]) == []
    await sync_to_async(chat.write)("still here")
    assert "still here" in (await frame(socket))["html"]


async def test_a_flood_of_frames_is_closed(chat, connect):
    socket = await connect()

    for _ in range(consumers.FRAMES_LIMIT + 1):
        await socket.send_to(text_data="x")

    assert (await socket.receive_output())["code"] == consumers.TOO_MUCH
