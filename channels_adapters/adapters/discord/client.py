"""One bot's requests to Discord's REST interface. Nothing is retried in here: the hub decides that, part by part."""

import json
import logging
import math
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from channels_adapters.adapters.discord.errors import failure, plain_words, seconds_of
from channels_adapters.contract import OutboundFile, Refused, Retryable
from channels_adapters.reading import Broken, Fields, read_object
from crm.web import outgoing

OFFICIAL_API = "https://discord.com"
OFFICIAL_FILES = "https://cdn.discordapp.com"
_FILE_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
_AGENT = "DiscordBot (https://github.com/rapport-hub/rapport, 1)"
_ANSWER_LIMIT = 16 * 1024 * 1024  # bytes
_TRANSFER_TIME = 40.0  # seconds
_GOOD, _NOTHING, _TOO_MANY = 200, 204, 429
_EVERYWHERE = "*"

for _name in ("httpx", "httpcore", "discord"):  # they write addresses, and our customers' words, at these levels
    logging.getLogger(_name).setLevel(logging.WARNING)


class Client:
    """The connections of one bot, made on the loop that uses them. `own`: the address that stands for Discord's."""

    def __init__(self, token: str, own: str, read_timeout: float) -> None:
        self.own = own
        self._base = f"{own or OFFICIAL_API}/api/v10"
        self._http = outgoing.client(private_place=urlsplit(own).netloc if own else "", seconds=read_timeout)
        self._headers = {"Authorization": f"Bot {token}", "User-Agent": _AGENT}
        self._shut_until: dict[str, float] = {}  # by channel, on the clock that only goes forward

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        file: OutboundFile | None = None,
    ) -> Any:
        """The JSON that Discord answers, None when there is none; raises SendFailed."""
        place = f"{method} {'/'.join(path.split('/')[:3])}"
        self._wait_for_room(place)
        told: dict[str, Any] = {"params": query}
        if file is not None:
            told["files"] = {
                "payload_json": (None, json.dumps(body).encode(), "application/json"),
                "files[0]": (file.name, file.data, file.mime or "application/octet-stream"),
            }
            told["timeout"] = httpx.Timeout(_TRANSFER_TIME, connect=5)
        elif body is not None:
            told["json"] = body
        with plain_words():
            async with self._http.stream(method, self._base + path, headers=self._headers, **told) as answer:
                data = await _read(answer, _ANSWER_LIMIT)
                self._note_room(place, answer, data or b"")
                if answer.status_code == _NOTHING:
                    return None
                if not _GOOD <= answer.status_code < 300:
                    raise failure(answer.status_code, _object(data), answer.headers.get("Retry-After"))
                if data is None:
                    raise Broken("the answer is larger than any of Discord's")
                return _json(data)

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **more: Any) -> Fields:
        """As `call`, where the answer is an object."""
        answer = await self.call(method, path, body, **more)
        with plain_words():
            if not isinstance(answer, dict):
                raise Broken("the answer is not an object")
        return Fields(answer)

    async def download(self, address: str, limit: int) -> bytes:
        """A file's bytes; raises Refused when they are more than `limit`, or lie elsewhere."""
        self._trust(address)
        with plain_words():
            async with self._http.stream("GET", address, timeout=_TRANSFER_TIME) as answer:
                if answer.status_code != _GOOD:
                    raise Retryable(f"Discord answered {answer.status_code} instead of the file")
                data = await _read(answer, limit)
        if data is None:
            raise Refused("the file is larger than this inbox takes")
        return data

    async def close(self) -> None:
        await self._http.aclose()

    def _trust(self, address: str) -> None:
        try:
            there, own = urlsplit(address), urlsplit(self.own)
            is_own = bool(self.own) and (there.scheme, there.hostname, there.port) == (
                own.scheme,
                own.hostname,
                own.port,
            )
            is_theirs = there.scheme == "https" and there.hostname in _FILE_HOSTS and there.port in (None, 443)
        except ValueError:
            is_own = is_theirs = False
        if not (is_own or (is_theirs and not self.own)):
            raise Refused("the file does not lie with Discord")

    def _wait_for_room(self, place: str) -> None:
        """What Discord is known to refuse now is not asked: too many refusals shut out the whole machine."""
        until = max(self._shut_until.get(place, 0.0), self._shut_until.get(_EVERYWHERE, 0.0))
        if (left := until - time.monotonic()) > 0:
            raise Retryable("Discord asks us to slow down", left)

    def _note_room(self, place: str, answer: httpx.Response, data: bytes) -> None:
        now = time.monotonic()
        self._shut_until = {key: until for key, until in self._shut_until.items() if until > now}
        if answer.status_code == _TOO_MANY:
            told = _object(data)
            is_global = told.is_true("global") or "X-RateLimit-Global" in answer.headers
            wait = seconds_of(told, answer.headers.get("Retry-After"))
            self._shut_until[_EVERYWHERE if is_global else place] = now + (wait or 0.0)
        elif answer.headers.get("X-RateLimit-Remaining") == "0":
            self._shut_until[place] = now + _seconds(answer.headers.get("X-RateLimit-Reset-After"))


async def _read(answer: httpx.Response, limit: int) -> bytes | None:
    """The body, or None when it is over the limit."""
    data = bytearray()
    async for piece in answer.aiter_bytes():
        data += piece
        if len(data) > limit:
            return None
    return bytes(data)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Broken("the answer is not JSON") from error


def _object(data: bytes | None) -> Fields:
    """What an error says; nothing when it is a proxy's page."""
    try:
        return read_object(data or b"")
    except Broken:
        return Fields({})


def _seconds(header: str | None) -> float:
    try:
        seconds = float(header or "")
    except ValueError:
        return 0.0
    return min(seconds, 60.0) if math.isfinite(seconds) else 0.0
