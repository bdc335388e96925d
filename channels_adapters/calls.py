"""Calls of a platform's HTTP API: one client per account that keeps its connections, and errors in our words.

No connection was made           ->  Retryable: nothing left
the address is a private one         Retryable in five minutes: someone has to mend the settings
any other failure on the way         Uncertain: it may have arrived
an answer, whatever it says          returned: the adapter knows what its statuses mean

A call follows no redirect, so what it carries is shown to nobody but the host it names. A file may lie elsewhere.
"""

import asyncio
import json as json_format
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx

from channels_adapters.answers import PAUSE, Answer
from channels_adapters.contract import OutboundPart, Refused, Retryable, Uncertain
from crm.web import outgoing

_NOTHING_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NO_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
_ANSWER_LIMIT = 16 * 1024 * 1024  # bytes
_REDIRECTS = 4
_BAD_KEY, _GONE = 401, (403, 404, 410)
_TOO_MANY = 429
_TOO_EARLY = 202  # "still being prepared"


class Platform:
    """The API of one platform. `hosts` are its own: with an `api_url` they are called there instead."""

    download_seconds: ClassVar[float] = 120

    def __init__(self, label: str, hosts: Sequence[str] = (), api_url: str = "", call_seconds: float = 30) -> None:
        self.label, self.hosts, self.api_url = label, tuple(hosts), api_url.rstrip("/")
        self.call_seconds = call_seconds  # for all of a call: less than the lease of a delivery
        self._client = outgoing.client(private_place=urlsplit(self.api_url).netloc, seconds=self.call_seconds)

    async def close(self) -> None:
        await self._client.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
        content: bytes | None = None,
        **request: Any,
    ) -> Answer:
        """The platform's answer, good or bad. Raises Retryable when nothing left, Uncertain when no answer came.

        `request` is what else httpx takes: `params`, `files` with their `data`.
        """
        sent = {"accept-encoding": "identity", **(headers or {})}
        if json is not None:
            said = json_format.dumps(json, ensure_ascii=False)  # some platforms count the bytes
            content, sent["content-type"] = said.encode("utf-8", "replace"), "application/json"
        if form is not None:
            content, sent["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        with self._words():
            async with (
                asyncio.timeout(self.call_seconds),
                self._client.stream(method, self.place_of(url), headers=sent, content=content, **request) as response,
            ):
                return Answer(
                    response.status_code, _lower(response), await _read(response.aiter_bytes(), _ANSWER_LIMIT)
                )

    @asynccontextmanager
    async def lines(self, url: str, *, silence: float, **request: Any) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of an answer that does not end; raises Retryable after `silence` seconds."""
        with nothing_to_lose(), self._words():
            timeout = httpx.Timeout(10, read=silence)
            async with self._client.stream("GET", self.place_of(url), timeout=timeout, **request) as response:
                if response.status_code != 200:
                    raise Retryable(f"{self.label} answered {response.status_code}")
                yield response.aiter_lines()

    async def download(self, url: str, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
        """The bytes behind an address; raises Retryable or Refused. Only the platform's own hosts see `headers`."""
        try:
            with nothing_to_lose(), self._words():
                async with asyncio.timeout(self.download_seconds):
                    for _ in range(_REDIRECTS):
                        found = await self._step(url, limit, headers or {})
                        if isinstance(found, bytes):
                            return found
                        url = urljoin(url, found)
        except _Forbidden as error:
            raise Refused("the file lies where we do not call") from error
        raise Refused("the file's address leads round in circles")

    async def _step(self, url: str, limit: int, headers: Mapping[str, str]) -> bytes | str:
        """The bytes, or the address where they are instead."""
        place = self.place_of(url)
        outgoing.check(place)
        if not (place.startswith("https://") or self._is_own(place)):
            raise Refused("the file lies where we do not call: its address is not an https address")
        seen = {"accept-encoding": "identity", **(headers if self._is_own(place) else {})}
        async with self._client.stream("GET", place, headers=seen) as response:
            if response.is_redirect:
                return str(response.headers.get("location", ""))
            self._look_at(response, limit)
            return await _read(response.aiter_raw(), limit, is_file=True)

    def _look_at(self, response: httpx.Response, limit: int) -> None:
        status = response.status_code
        if status in (_TOO_EARLY, _TOO_MANY, _BAD_KEY) or status >= 500:
            raise Retryable(f"{self.label} has the file not ready (status {status})")
        if status in _GONE:
            raise Refused(f"{self.label} keeps this file no longer")
        if status != 200:
            raise Refused(f"{self.label} does not give the file (status {status})")
        if int(response.headers.get("content-length", "0") or 0) > limit:
            raise Refused("the file is larger than this inbox takes")

    def place_of(self, url: str) -> str:
        """The address that is really called."""
        parts = urlsplit(url)
        if self.api_url and parts.hostname in self.hosts:
            return f"{self.api_url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return url

    def _is_own(self, url: str) -> bool:
        parts = urlsplit(url)
        if self.api_url and parts.netloc == urlsplit(self.api_url).netloc:
            return True
        return parts.scheme == "https" and parts.hostname in self.hosts

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except outgoing.NotKnown as error:
            raise Retryable(f"{self.label} could not be reached: {error}") from error
        except outgoing.NotAllowed as error:
            raise _Forbidden(str(error), PAUSE) from error
        except _NO_ADDRESS as error:
            raise _Forbidden(f"the address of {self.label} is none: it begins with https://", PAUSE) from error
        except _NOTHING_LEFT as error:
            raise Retryable(f"{self.label} could not be reached") from error
        except TimeoutError as error:
            raise Uncertain(f"{self.label} took too long") from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise Uncertain(f"the connection to {self.label} broke before it answered") from error


class _Forbidden(Retryable):
    """The address is not one that we call."""


@contextmanager
def nothing_to_lose() -> Iterator[None]:
    """For calls that may be made twice without harm: nothing is uncertain."""
    try:
        yield
    except Uncertain as error:
        raise Retryable(error.reason) from error


def repeat_key(part: OutboundPart) -> UUID:
    """The same for every try of a part, and for no other: also not after a restore, when numbers are given again."""
    return uuid5(NAMESPACE_URL, f"rapport part {part.delivery_id} of {part.wanted_at}")


def _lower(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


async def _read(pieces: AsyncIterator[bytes], limit: int, *, is_file: bool = False) -> bytes:
    """Up to `limit` bytes. A file comes as it was sent, never unpacked: what unpacks to much stays small."""
    read = bytearray()
    async for piece in pieces:
        read += piece
        if len(read) > limit:
            if is_file:
                raise Refused("the file is larger than this inbox takes")
            break
    return bytes(read)
