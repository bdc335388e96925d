"""The requests of one bot. The token is part of every address: none is logged, nor an answer that shows one."""

import asyncio
import json
import logging
import math
import re
from typing import Any

import httpx
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest, RequestData

from channels_adapters.adapters.telegram.errors import Nonsense, ServerFailed, Throttled
from channels_adapters.contract import Refused, Retryable

OFFICIAL_API = "https://api.telegram.org"
_LONGEST_PAUSE = 86_400  # seconds
_DOWNLOAD_TIME = 120  # seconds
_NOT_DONE = 300
_TOO_MANY = 429
_SERVER_ERRORS = 500
# In an answer to getUpdates the third opening bracket begins an update. Strings are skipped whole.
_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_AN_UPDATE = 3

for _name in ("httpx", "httpcore", "telegram"):  # they write addresses, and our customers' words, at these levels
    logging.getLogger(_name).setLevel(logging.WARNING)


class BotRequest(HTTPXRequest):
    """PTB's way out, with the status kept where it decides what an error means."""

    def __init__(self, token: str, read_timeout: float) -> None:
        super().__init__(
            connection_pool_size=32,
            connect_timeout=5,
            pool_timeout=5,
            read_timeout=read_timeout,
            write_timeout=10,
            media_write_timeout=120,
        )
        self._token = token.encode()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        status, payload = await super().do_request(url, method, request_data, *args, **kwargs)
        if status == _TOO_MANY:
            raise Throttled(_pause(payload))
        if status >= _SERVER_ERRORS:
            raise ServerFailed(status)
        if status >= _NOT_DONE:  # a proxy's error page may show the address
            payload = payload.replace(self._token, b"TOKEN")
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise Nonsense("The answer is not JSON") from error
        if not isinstance(answer, dict) or ("result" in answer and answer.get("ok") is not True):
            raise Nonsense("The answer is not the Bot API's")
        return answer

    async def download(self, url: str, limit: int) -> bytes:
        """The bytes behind an address of the Bot API; raises Refused when they are more than `limit`."""
        try:
            async with asyncio.timeout(_DOWNLOAD_TIME), self._client.stream("GET", url) as response:
                if response.status_code >= _NOT_DONE:  # links live an hour; asking for the file again makes a new one
                    raise Retryable(f"Telegram answered {response.status_code} instead of the file")
                data = bytearray()
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > limit:
                        raise Refused("the file is larger than this inbox takes")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise Retryable("the file did not arrive") from error
        return bytes(data)


class PollRequest(BotRequest):
    """Answers getUpdates with the raw bytes of each update, also when one of them is no JSON that Python reads."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        updates = _updates(payload)
        return {"result": updates} if updates else BotRequest.parse_json_payload(payload)


class Client:
    """One bot and its connections. Never PTB's `initialize`: it is a getMe whose errors name the token."""

    def __init__(self, token: str, api_url: str, read_timeout: float) -> None:
        self.request = BotRequest(token, read_timeout)
        self.bot = Bot(
            token,
            base_url=lambda token: f"{api_url}/bot{token}",
            base_file_url=lambda token: f"{api_url}/file/bot{token}",
            request=self.request,
            get_updates_request=self.request,  # never used: see `poll`
        )


async def poll(request: PollRequest, bot: Bot, *, offset: int, wait: int, kinds: list[str]) -> list[bytes]:
    """The raw updates from `offset` on, after at most `wait` seconds. Confirms those before `offset`.

    `Bot.get_updates` builds every update before it returns any: one without a date stops the channel for good.
    """
    query = f"offset={offset}&timeout={wait}&allowed_updates={json.dumps(kinds, separators=(',', ':'))}"
    result: Any = await request.post(f"{bot.base_url}/getUpdates?{query}", read_timeout=wait + 10)
    if not isinstance(result, list) or not all(isinstance(update, bytes) for update in result):
        raise Nonsense("The answer is not a list of updates")
    return result


def _updates(payload: bytes) -> list[bytes]:
    found, depth, start = [], 0, 0
    for bracket in _BRACKETS.finditer(payload):
        if bracket[0] in (b"{", b"["):
            depth += 1
            start = bracket.start() if depth == _AN_UPDATE else start
        elif bracket[0] in (b"}", b"]"):
            if depth == _AN_UPDATE:
                found.append(payload[start : bracket.end()])
            depth -= 1
    return found


def _pause(payload: bytes) -> float | None:
    try:
        seconds = float(BotRequest.parse_json_payload(payload)["parameters"]["retry_after"])
    except (TelegramError, LookupError, TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None
