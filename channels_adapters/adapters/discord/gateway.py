"""The socket over which Discord tells what happens: discord.py's, which says hello, keeps alive, unpacks and resumes.

Its client is left out: that builds its own objects of every event before anybody else sees it, forgets the session
when the process ends, and keeps every member of every server in memory. Here each event is handed on as it came.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
import yarl
from discord import ConnectionClosed, Intents
from discord.gateway import DiscordClientWebSocketResponse, DiscordWebSocket, KeepAliveHandler, ReconnectWebSocket

from channels_adapters.adapters.discord.errors import TOKEN_PAUSE, TokenLost
from channels_adapters.contract import Retryable
from channels_adapters.reading import Broken, Fields, read_object

_CONNECT_TIME, _CLOSE_TIME = 20.0, 2.0  # seconds
_SILENCE = 90.0  # seconds without a word: the line is dead
_WANTED = Intents(
    guilds=True, messages=True, message_content=True, reactions=True, typing=True
)  # "messages", "reactions" and "typing": in servers and direct messages alike
_BAD_TOKEN = 4004
_WORDS = {
    4010: "Discord wants this bot to listen in several processes at once, which this inbox cannot",
    4011: "Discord wants this bot to listen in several processes at once, which this inbox cannot",
    4013: "Discord does not know what the bot asks to hear",
    4014: 'switch on "Message Content Intent" under "Bot" in the Developer Portal: without it the bot may not listen',
}


class Ended(Exception):
    """The line is gone. `may_resume`: the session goes on where it was."""

    def __init__(self, *, may_resume: bool) -> None:
        super().__init__()
        self.may_resume = may_resume


@dataclass(frozen=True, slots=True)
class Session:
    """A stay that can be resumed: Discord then tells what was missed since `seq`."""

    id: str
    url: str
    seq: int


class _Socket(DiscordWebSocket):
    """Keeps what came in, as text, and the thread that beats for it."""

    _beating: KeepAliveHandler | None = None
    _beat: KeepAliveHandler | None = None

    @property
    def _keep_alive(self) -> KeepAliveHandler | None:
        return self._beating

    @_keep_alive.setter
    def _keep_alive(self, thread: KeepAliveHandler | None) -> None:
        self._beating, self._beat = thread, thread or self._beat

    async def fall_silent(self) -> None:
        """Until the thread has ended, which was told to: it may be about to beat, and the loop about to go."""
        if self._beat is not None and self._beat.is_alive():
            await asyncio.to_thread(self._beat.join, _CLOSE_TIME)

    def log_receive(self, msg: Any, /) -> None:
        self.heard: list[str] = [*getattr(self, "heard", ()), msg]


class Line:
    """One connection to the gateway. Call `open`, then `hear` again and again, then `close`."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._http: aiohttp.ClientSession | None = None
        self._socket: _Socket | None = None

    async def open(self, url: str, session: Session | None) -> None:
        """Say who we are; raises Ended, Retryable, or what aiohttp raises."""
        http = self._http = aiohttp.ClientSession(
            ws_response_class=DiscordClientWebSocketResponse, cookie_jar=aiohttp.DummyCookieJar(), trust_env=True
        )
        with _plain_words():
            async with asyncio.timeout(_CONNECT_TIME):
                self._socket = await _Socket.from_client(
                    self._as_client(http),
                    gateway=yarl.URL(url),
                    session=session.id if session else None,
                    sequence=session.seq if session else None,
                    resume=session is not None,
                )

    async def hear(self) -> list[Fields]:
        """What came since the last call, after at most a heartbeat; often nothing. Raises Ended or Retryable."""
        if self._socket is None:
            raise Ended(may_resume=True)
        self._socket.heard = []
        with _plain_words():
            await self._socket.poll_event()
        return [event for text in self._socket.heard if (event := _event(text)) is not None]

    async def close(self) -> None:
        """Leaves with a code that keeps the session: whoever comes next resumes it."""
        socket, http = self._socket, self._http
        self._socket = self._http = None
        try:
            if socket is not None:
                await socket.close()
                await socket.fall_silent()
        finally:  # also when the listener is ended meanwhile
            if http is not None:
                await http.close()

    def _remember(self, socket: "_Socket") -> None:
        """Before it says hello: from then on it beats, and somebody has to end that, whatever happens meanwhile."""
        self._socket = socket

    def _as_client(self, http: aiohttp.ClientSession) -> Any:
        """As much of a discord.py client as the socket asks for."""
        state = SimpleNamespace(
            parsers={},
            call_hooks=_nothing,
            shard_count=None,
            heartbeat_timeout=_SILENCE,
            _update_references=self._remember,
            _activity=None,
            _status=None,
            _intents=_WANTED,
        )
        closing = aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIME)
        connect = partial(http.ws_connect, max_msg_size=0, autoclose=False, timeout=closing)
        return SimpleNamespace(
            http=SimpleNamespace(token=self._token, ws_connect=connect),
            loop=asyncio.get_running_loop(),
            dispatch=lambda *_: None,
            _connection=state,
            _enable_debug_events=False,
        )


@contextmanager
def _plain_words() -> Iterator[None]:
    """discord.py's errors leave as ours."""
    try:
        yield
    except ReconnectWebSocket as error:
        raise Ended(may_resume=error.resume) from error
    except ConnectionClosed as error:
        if error.code == _BAD_TOKEN:
            raise TokenLost from error
        reason = _WORDS.get(error.code, f"Discord ended the connection (code {error.code})")
        raise Retryable(reason, TOKEN_PAUSE if error.code in _WORDS else None) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Retryable("what Discord said made no sense") from error


async def _nothing(*_: Any, **__: Any) -> None:
    return None


def _event(text: str) -> Fields | None:
    try:
        event = read_object(text.encode("utf-8", "surrogatepass"))
    except Broken:
        return None
    return event if event.number("op") == DiscordWebSocket.DISPATCH and event.text("t") else None
