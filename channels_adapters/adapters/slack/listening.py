"""Socket Mode: Slack's deliveries over a websocket that we open. Each is stored before it is acknowledged.

Bolt's handler keeps the socket, renews it and acknowledges; our part is the one middleware that stores. Bolt's own
ones are off: they would ask Slack who we are before they let an event through.
"""

import asyncio
import hashlib
import json
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from channels_adapters.adapters.slack.client import Client, quiet
from channels_adapters.adapters.slack.deliveries import identify
from channels_adapters.adapters.slack.errors import nothing_to_lose
from channels_adapters.contract import Retryable, Store
from channels_adapters.reading import Broken, Fields

_CONNECT_TIME = 20.0  # seconds
_NEXT_DOOR = ("http://127.0.0.1", "http://localhost")


class Listener:
    """One stay on the line; ended by `end`, or by what goes wrong."""

    def __init__(self, client: Client, app_token: str, store: Store, ping_seconds: float) -> None:
        self._store, self._ping_seconds = store, ping_seconds
        self._in_turn = asyncio.Lock()  # first come, first stored
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        app = AsyncApp(
            client=client.web,
            authorize=_nobody,
            before_authorize=self._keep,
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            logger=quiet,
        )
        self._handler = AsyncSocketModeHandler(
            app, app_token, logger=quiet, web_client=client.web, ping_interval=ping_seconds
        )
        if client.api_url.startswith(_NEXT_DOOR):
            self._handler.client.proxy = None

    async def run(self) -> None:
        """Take deliveries until cancelled; raises Retryable, or what `store` raised."""
        try:
            await self._connect()
            while True:
                done, _ = await asyncio.wait([self._ended], timeout=self._ping_seconds * 2)
                if done:
                    return self._ended.result()
                await self._store([], "")  # keeps the lease
                if not await self._handler.client.is_connected():
                    raise Retryable("the connection to Slack was lost")
        finally:
            await self._handler.close_async()

    def end(self) -> None:
        self._end_with(Retryable("the connection's settings have changed"))

    async def _connect(self) -> None:
        """Asks for the address itself: the SDK would ask for ever, and write the answers into the log."""
        socket = self._handler.client
        with nothing_to_lose():
            async with asyncio.timeout(_CONNECT_TIME):
                opened = await socket.web_client.apps_connections_open(app_token=socket.app_token)
                socket.wss_uri = str(opened["url"])
                await socket.connect()
        await self._store([], "")

    async def _keep(self, req: AsyncBoltRequest) -> BoltResponse:
        body = json.dumps(req.body).encode()
        try:
            delivery_id = identify(Fields(req.body))
        except Broken:  # stored all the same: it is parked, and a person can look at it
            delivery_id = ""
        try:
            async with self._in_turn:
                await self._store([(delivery_id or _digest(req), body)], "")
        except BaseException as error:
            self._end_with(error)
            raise
        return BoltResponse(status=200, body="")

    def _end_with(self, error: BaseException) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)


async def _nobody(**_: Any) -> AuthorizeResult:
    """Bolt wants to be told who is authorized; nothing comes that far."""
    raise NotImplementedError


def _digest(req: AsyncBoltRequest) -> str:
    """Of what has no id of its own: buttons and slash commands, which Slack sends once."""
    return hashlib.sha256(json.dumps(req.body, sort_keys=True).encode()).hexdigest()
