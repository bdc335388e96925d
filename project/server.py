"""Daphne's server, which on a signal ends politely: nothing new is let in, what is in hand is answered."""

import asyncio
import time
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer

from conversations.live import long_poll
from project.limits import LONGEST_BODY

TOO_LONG = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
SERVICE_RESTART = 1012  # RFC 6455's registry: come back in a moment, here or at another process
PATIENCE = 8.0  # seconds for requests in hand; systemd waits longer
QUIET = 0.3  # seconds without a request: a proxy's open connections had their chance to bring one
LOOK_EVERY = 0.05  # seconds


class Request(WebRequest):
    """Refuses a body that says it is too long before it is read, and one that says nothing once it is too long."""

    size = 0

    def gotLength(self, length: int | None) -> None:  # noqa: N802  # Twisted's name
        if length is not None and length > LONGEST_BODY:
            self._refuse()
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self.size += len(data)
        if self.size > LONGEST_BODY:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        self.channel.transport.write(TOO_LONG)
        self.channel.loseConnection()


class RequestFactory(HTTPFactory):
    """Daphne's, with our requests."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class DrainingServer(Server):
    """On a signal: no new connections, sockets closed with 1012, requests answered; then the end."""

    is_draining = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._doors: list[Any] = []

    @property
    def http_factory(self) -> Any:
        return self._http_factory

    @http_factory.setter
    def http_factory(self, made: Any) -> None:  # `run` makes Daphne's own, and has no other place for ours
        self._http_factory = RequestFactory(self)

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
