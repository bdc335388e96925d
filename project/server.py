"""Daphne's server, which on a signal ends politely: nothing new is let in, what is in hand is answered."""

import asyncio
import time
from typing import Any

from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer

from conversations.live import long_poll

SERVICE_RESTART = 1012  # RFC 6455's registry: come back in a moment, here or at another process
PATIENCE = 8.0  # seconds for requests in hand; systemd waits longer
QUIET = 0.3  # seconds without a request: a proxy's open connections had their chance to bring one
LOOK_EVERY = 0.05  # seconds


class DrainingServer(Server):
    """On a signal: no new connections, sockets closed with 1012, requests answered; then the end."""

    is_draining = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._doors: list[Any] = []

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._doors.append(port)

    def kill_all_applications(self) -> Any:
        """What the reactor waits for before it ends."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if self.is_draining:
            _answer_as_the_last(protocol)
        return super().create_application(protocol, scope)

    async def _drain(self) -> None:
        self.is_draining = True
        long_poll.let_go()
        for door in self._doors:
            door.stopListening()
        end = time.monotonic() + PATIENCE
        quiet_since = time.monotonic()
        while time.monotonic() < end and time.monotonic() - quiet_since < QUIET:
            if self._end_what_can_end():
                quiet_since = time.monotonic()
            await asyncio.sleep(LOOK_EVERY)
        await self._cancel_the_rest()

    def _end_what_can_end(self) -> bool:
        """Close the sockets; whether anything is still in hand."""
        in_hand = [protocol for protocol, about in self.connections.items() if "disconnected" not in about]
        for protocol in in_hand:
            if not isinstance(protocol, WebSocketProtocol):
                _answer_as_the_last(protocol)
            elif protocol.state == protocol.STATE_OPEN:
                protocol.sendCloseFrame(code=SERVICE_RESTART)  # `sendClose` knows no code between 1000 and 3000
        return bool(in_hand)

    async def _cancel_the_rest(self) -> None:
        applications = [about.get("application_instance") for about in self.connections.values()]
        pending = [application for application in applications if application is not None and not application.done()]
        for application in pending:
            application.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def _answer_as_the_last(protocol: Any) -> None:
    """The connection ends with this request's answer, and the answer says so: a proxy then asks elsewhere."""
    if not isinstance(protocol, WebSocketProtocol) and protocol.channel is not None:
        protocol.channel.persistent = False
        if not protocol.startedWriting:
            protocol.responseHeaders.setRawHeaders(b"connection", [b"close"])
