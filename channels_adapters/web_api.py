"""Calls of a platform's web API, for adapters that speak plain HTTP: what failed, and whether anything had left.

No connection was made           ->  Retryable: nothing left
the address is a private one         Retryable in five minutes: someone has to mend the settings
any other failure on the way         Uncertain: it may have arrived
an answer, whatever it says          returned: the adapter knows what its statuses mean

Redirects are not followed, so what a request carries is shown to nobody but the host it names.
"""

import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from channels_adapters.contract import Refused, Retryable, Uncertain
from channels_adapters.reading import Fields
from crm.web import outgoing
from crm.workspace import clock

PAUSE = 300.0  # seconds, where a person has to mend something
_LONGEST_PAUSE = 86_400.0
_LARGEST = 16 * 1024 * 1024  # bytes of an answer
_LONGEST_NUMBER = 400  # digits
_NOTHING_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NO_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
GOOD, NOT_DONE = 200, 300


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_good(self) -> bool:
        return GOOD <= self.status < NOT_DONE

    def json(self) -> Any:
        """What the body says as JSON, None when it is none. A number too long to read is 0: the rest still counts."""
        try:
            return json.loads(self.body.decode("utf-8", "replace"), parse_int=_number)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> Fields:
        said = self.json()
        return Fields(said if isinstance(said, dict) else {})

    def items(self) -> list[Fields]:
        said = self.json()
        return [Fields(item) for item in said if isinstance(item, dict)] if isinstance(said, list) else []


def _number(digits: str) -> int:
    return int(digits) if len(digits) < _LONGEST_NUMBER else 0


class Calls:
    """The connections to one platform, made on the loop that uses them. `api_url` alone may be a private address."""

    def __init__(self, label: str, *, api_url: str, seconds: float) -> None:
        self.label = label
        self._client = outgoing.client(private_place=urlsplit(api_url).netloc, seconds=seconds)

    async def ask(self, method: str, url: str, **request: Any) -> Answer:
        """The platform's answer. `request` is what httpx takes. Raises Retryable or Uncertain."""
        with self._plain_words():
            async with self._client.stream(method, url, **request) as response:
                return Answer(response.status_code, response.headers, await _read(response, _LARGEST))

    async def download(self, url: str, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
        """The bytes of a file; raises Refused when they are more than `limit` or gone, Retryable when not now."""
        try:
            with nothing_to_lose(), self._plain_words():
                async with self._client.stream("GET", url, headers=headers) as response:
                    if response.status_code != GOOD:
                        raise _no_file(self.label, response.status_code)
                    return await _read(response, limit)
        except _Forbidden as error:
            raise Refused("the file lies where we do not call") from error

    @asynccontextmanager
    async def lines(self, url: str, *, silence: float, **request: Any) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of an answer that does not end; raises Retryable after `silence` seconds."""
        with nothing_to_lose(), self._plain_words():
            timeout = httpx.Timeout(10, read=silence)
            async with self._client.stream("GET", url, timeout=timeout, **request) as response:
                if response.status_code != GOOD:
                    raise Retryable(f"{self.label} answered {response.status_code}")
                yield response.aiter_lines()

    async def close(self) -> None:
        await self._client.aclose()

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        try:
            yield
        except outgoing.NotAllowed as error:
            raise _Forbidden(str(error), PAUSE) from error
        except _NO_ADDRESS as error:
            raise _Forbidden(f"the address of {self.label} is none: it begins with https://", PAUSE) from error
        except _NOTHING_LEFT as error:
            raise Retryable(f"{self.label} could not be reached") from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise Uncertain(f"{self.label} took too long") from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise Uncertain(f"the connection to {self.label} broke before it answered") from error


class _Forbidden(Retryable):
    """The address is not one that we call."""


@contextmanager
def nothing_to_lose() -> Iterator[None]:
    """For requests that may run twice without harm: nothing is uncertain."""
    try:
        yield
    except Uncertain as error:
        raise Retryable(error.reason) from error


def _no_file(label: str, status: int) -> Refused | Retryable:
    if status in (403, 404, 410):
        return Refused(f"{label} keeps this file no longer")
    return Retryable(f"{label} answered {status} instead of the file")


async def _read(response: httpx.Response, limit: int) -> bytes:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > limit:
            raise Refused("the file is larger than this inbox takes")
    return bytes(data)


def pause(header: str | None) -> float | None:
    """The seconds that a platform asks us to wait: a number of them, a moment in unix time, or an ISO time."""
    now, said = clock.now(), (header or "").strip()
    try:
        seconds = float(said)
        seconds = seconds - now.timestamp() if seconds > _LONGEST_PAUSE else seconds
    except ValueError:
        try:
            seconds = (datetime.fromisoformat(said) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None
