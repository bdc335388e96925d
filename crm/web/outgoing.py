"""The one way to call an address that somebody else typed in: no private address, no redirect, little time, few bytes.

The name is resolved here, every address it has is looked at, and the connection goes to the number that was looked
at: what a name server says a moment later does not count. The certificate is checked against the name.
"""

import asyncio
import functools
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

TIME = 10.0  # seconds for the whole call
BYTES = 64 * 1024  # of the answer that are read; the rest is left
LONGEST_URL = 2_000
# 3.11's `is_global` takes these for public: v4 inside v6, NAT64, 6to4, Teredo
_INDIRECT = [
    ipaddress.ip_network(net)
    for net in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
]


class NotAllowed(Exception):
    """The address is one we do not call. Says why, for the person who typed it in."""


class NoAnswer(Exception):
    """The call was allowed and brought no answer. Says what happened."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`text`: its beginning."""

    status: int
    text: str


def post(url: str, content: bytes, headers: Mapping[str, str], *, allow_private: bool = False) -> Answer:
    """Post to the address and read the answer's beginning. Raises NotAllowed or NoAnswer.

    `allow_private` is for an address that was set from the command line, never for one from a page or the API.
    """
    check(url)
    try:
        with (
            _client(allow_private=allow_private) as client,
            client.stream("POST", url, content=content, headers=dict(headers)) as response,
        ):
            return Answer(response.status_code, _beginning(response))
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        raise NoAnswer(_words(error)) from error


def client(*, private_place: str = "", seconds: float = TIME) -> httpx.AsyncClient:
    """A client that keeps its connections, for many calls of one service; each step of a call has so many seconds.

    `private_place` is a host, with its port where the address has one, that may be a private one: that of an address
    which was set from the command line. Raises NotAllowed where httpx would raise its errors. Close it on its own loop.
    """
    transport = httpx.AsyncHTTPTransport(verify=_ssl_context(), trust_env=False)
    transport._pool = httpcore.AsyncConnectionPool(
        network_backend=_GuardedAsync(private_place), ssl_context=_ssl_context(), max_connections=100
    )
    timeout = httpx.Timeout(seconds, connect=5)
    return httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, timeout=timeout)


def check(url: str) -> None:
    """Raise NotAllowed unless the address is well formed. What its name stands for is looked at with each call."""
    if len(url) > LONGEST_URL or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise NotAllowed("The address holds blanks or is too long.")
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise NotAllowed("This is not a web address: write it like https://example.org/hook.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotAllowed("The address has to begin with https:// or http:// and a host name.")
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("The address must not hold a login.")
    if port is not None and port not in (80, 443) and port < 1024:
        raise NotAllowed(f"Port {port} is not one for the web: use 80, 443 or one from 1024 on.")


def public_addresses(host: str, port: int, *, allow_private: bool = False) -> list[str]:
    """The host's numbers. Raises NotAllowed when any of them is not a public one, or when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotAllowed(f"The name {host} is not known.") from error
    numbers = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not allow_private and not all(is_public(number) for number in numbers):
        raise NotAllowed(f"{host} stands for an address inside a private network, which we do not call.")
    return numbers


def is_public(number: str) -> bool:
    """Whether the numeric address is one of the public network, by every way to write one."""
    address: Any = ipaddress.ip_address(number.split("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.version == 6 and any(address in net for net in _INDIRECT):
        return False
    return bool(address.is_global and not address.is_multicast and not address.is_reserved)


def _client(*, allow_private: bool) -> httpx.Client:
    pool = httpcore.ConnectionPool(
        network_backend=_Guarded(time.monotonic() + TIME, allow_private), ssl_context=_ssl_context()
    )
    transport = httpx.HTTPTransport(verify=_ssl_context(), trust_env=False)
    transport._pool = pool  # httpx has no public argument for it; test_outgoing holds that it still works
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=TIME)


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _beginning(response: httpx.Response) -> str:
    read = b""
    for chunk in response.iter_raw():  # raw: a small answer that unpacks to a large one stays small
        read += chunk
        if len(read) >= BYTES:
            break
    return read[:BYTES].decode("utf-8", "replace")


def _words(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"No answer within {TIME:.0f} seconds."
    return f"The call failed: {type(error).__name__}."


class _Guarded(httpcore.NetworkBackend):
    """Connects to numbers that were looked at, and to nothing after the deadline."""

    def __init__(self, deadline: float, allow_private: bool) -> None:
        self.deadline, self.allow_private = deadline, allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError("no address")
        for number in public_addresses(host, port, allow_private=self.allow_private):
            try:
                left = _left(self.deadline, httpcore.ConnectTimeout)
                stream = httpcore.SyncBackend().connect_tcp(number, port, left, local_address, socket_options)
                return _Bounded(stream, self.deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _GuardedAsync(httpcore.AsyncNetworkBackend):
    """As `_Guarded`, but without a deadline of its own."""

    def __init__(self, private_place: str) -> None:
        self.private_place, self.backend = private_place, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        may_be_private = self.private_place in (host, f"{host}:{port}")
        failed: Exception = httpcore.ConnectError("no address")
        numbers = await asyncio.to_thread(public_addresses, host, port, allow_private=may_be_private)
        for number in numbers:
            try:
                return await self.backend.connect_tcp(number, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Bounded(httpcore.NetworkStream):
    """A stream on which each step has only what is left of the whole call's time: drops of bytes do not prolong it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self.stream, self.deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _left(self.deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(self.deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self.deadline, httpcore.ConnectTimeout)
        return _Bounded(self.stream.start_tls(ssl_context, server_hostname, left), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _left(deadline: float, too_late: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise too_late
    return left
