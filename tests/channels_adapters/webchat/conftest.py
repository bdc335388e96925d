from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from channels_adapters import hooks
from channels_adapters.adapters.webchat import limits, pages
from channels_adapters.adapters.webchat.urls import websocket_urlpatterns
from channels_adapters.workers.intake import Intake
from conversations.live import layer
from crm.workspace import hints
from tests.channels_adapters.webchat.chat import Chat, make_chat


@pytest.fixture(autouse=True)
def nobody_has_written_yet() -> None:
    limits.forget()


@pytest.fixture
def chat(transactional_db: None) -> Chat:
    return make_chat()


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Intake]:
    """An intake of the test's own, stopped before the database is emptied."""
    intake = Intake()
    for module in (hooks, pages):
        monkeypatch.setattr(module, "workers", lambda: type("Workers", (), {"intake": intake})())
    intake.start()
    yield intake
    intake.stop()


@pytest.fixture(autouse=True)
def hints_reach_the_layer():
    hints.listen(layer.post_hint)
    yield
    hints.forget(layer.post_hint)


@pytest.fixture
async def connect(chat):
    """Opens sockets and closes them after the test."""
    opened = []

    async def open_socket(of=chat, **asked):
        query = urlencode({"token": of.token, **asked})
        socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/chat/{chat.inbox.key}/?{query}")
        assert (await socket.connect())[0]
        opened.append(socket)
        return socket

    yield open_socket
    for socket in opened:
        await socket.disconnect()
