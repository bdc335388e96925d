"""Calls of a platform's HTTP API: one client per account that keeps its connections, and errors in our words."""

import asyncio
import json as json_format
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx

from channels_adapters.contract import OutboundPart, Refused, Retryable, SendFailed, Uncertain
from channels_adapters.reading import Broken, Fields, read_object
from crm.web import outgoing

_NOTHING_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_ANSWER_LIMIT = 1024 * 1024  # bytes
_LONGEST_PAUSE = 86_400  # seconds
_REDIRECTS = 4
_TOO_MANY = 429
_TOO_EARLY = 202  # "still being prepared"


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def fields(self) -> Fields:
        """The JSON object that the body is; an empty one when it is none."""
        try:
            return read_object(self.body)
        except Broken:
            return Fields({})

    def pause(self) -> float | None:
        """The seconds that Retry-After names."""
        try:
            seconds = float(self.headers.get("retry-after", ""))
        except ValueError:
            return None
        return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None


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
        content: bytes = b"",
    ) -> Answer:
        """The platform's answer, good or bad. Raises Retryable when nothing left, Uncertain when no answer came."""
        sent = {"accept-encoding": "identity", **(headers or {})}
        if json is not None:
            said = json_format.dumps(json, ensure_ascii=False)  # some platforms count the bytes
            content, sent["content-type"] = said.encode("utf-8", "replace"), "application/json"
        if form is not None:
            content, sent["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        with self._words():
            async with (
                asyncio.timeout(self.call_seconds),
                self._client.stream(method, self.place_of(url), headers=sent, content=content) as response,
            ):
                return Answer(response.status_code, _lower(response), await _read(response, _ANSWER_LIMIT))

    async def download(self, url: str, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
        """The bytes behind an address; raises Retryable or Refused. Only the platform's own hosts see `headers`."""
        with nothing_to_lose(), self._words():
            async with asyncio.timeout(self.download_seconds):
                for _ in range(_REDIRECTS):
                    found = await self._step(url, limit, headers or {})
                    if isinstance(found, bytes):
                        return found
                    url = urljoin(url, found)
        raise Refused("the file's address leads round in circles")

    async def _step(self, url: str, limit: int, headers: Mapping[str, str]) -> bytes | str:
        """The bytes, or the address where they are instead."""
        place = self.place_of(url)
        outgoing.check(place)
        if not (place.startswith("https://") or self._is_own(place)):
            raise Refused("the file's address is not an https address")
        seen = {"accept-encoding": "identity", **(headers if self._is_own(place) else {})}
        async with self._client.stream("GET", place, headers=seen) as response:
            if response.is_redirect:
                return str(response.headers.get("location", ""))
            self._look_at(response, limit)
            return await _read(response, limit, is_file=True)

    def _look_at(self, response: httpx.Response, limit: int) -> None:
        status = response.status_code
        if status in (_TOO_EARLY, _TOO_MANY) or status >= 500:
            raise Retryable(f"{self.label} has the file not ready (status {status})")
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
            raise Refused(str(error)) from error
        except _NOTHING_LEFT as error:
            raise Retryable(f"{self.label} could not be reached") from error
        except TimeoutError as error:
            raise Uncertain(f"{self.label} took too long") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Uncertain(f"the connection to {self.label} broke before it answered") from error


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


def trouble(label: str, answer: Answer, *, pause: float | None = None) -> SendFailed:
    """What a status means that says nothing about the message itself."""
    if answer.status == _TOO_MANY:
        return Retryable(f"{label} asks us to slow down", answer.pause() if pause is None else pause)
    if answer.status in (502, 504):
        return Uncertain(f"{label} has trouble (status {answer.status})")
    if answer.status >= 500:
        return Retryable(f"{label} has trouble (status {answer.status})", answer.pause())
    return Refused(f"{label} refused it (status {answer.status})")


def _lower(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


async def _read(response: httpx.Response, limit: int, *, is_file: bool = False) -> bytes:
    """As it comes, never unpacked: a small answer that unpacks to a large one stays small."""
    read = bytearray()
    async for piece in response.aiter_raw():
        read += piece
        if len(read) > limit:
            if is_file:
                raise Refused("the file is larger than this inbox takes")
            break
    return bytes(read)
