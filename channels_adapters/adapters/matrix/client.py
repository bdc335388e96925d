"""One account's requests to its homeserver. Nothing is retried in here: the hub decides that, part by part."""

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from channels_adapters.adapters.matrix.errors import failure, plain_words
from channels_adapters.contract import Refused, Retryable
from channels_adapters.reading import Broken, Fields, read_object
from crm.web import outgoing

API = "/_matrix/client/v3"
_ANSWER_LIMIT = 64 * 1024 * 1024  # bytes
_TRANSFER_TIME = 40.0  # seconds
_GOOD = 200

for _name in ("httpx", "httpcore"):  # they write addresses at these levels
    logging.getLogger(_name).setLevel(logging.WARNING)


class Client:
    """The connections of one account, made on the loop that uses them."""

    def __init__(self, address: str, token: str, *, may_be_private: bool, read_timeout: float) -> None:
        self._address = address
        place = urlsplit(address).netloc if may_be_private else ""
        self._http = outgoing.client(private_place=place, seconds=read_timeout)
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Fields:
        """What the homeserver answers; raises Retryable or Refused. `patience`: seconds, where it may take long."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return await self._ask(method, path, content, headers, query, patience)

    async def upload(self, name: str, mime: str, data: bytes) -> str:
        """The mxc address under which the homeserver keeps the bytes."""
        answer = await self._ask(
            "POST", "/_matrix/media/v3/upload", data, {"Content-Type": mime}, {"filename": name}, _TRANSFER_TIME
        )
        if not answer.text("content_uri").startswith("mxc://"):
            raise Retryable("the homeserver's answer made no sense")
        return answer.text("content_uri")

    async def download(self, server: str, media_id: str, limit: int) -> bytes:
        """A file's bytes; raises Refused when they are more than `limit`. Only our own homeserver is asked."""
        path = f"/_matrix/client/v1/media/download/{quote(server, safe='')}/{quote(media_id, safe='')}"
        with plain_words():
            async with self._http.stream(
                "GET", self._address + path, headers=self._headers, timeout=_TRANSFER_TIME
            ) as answer:
                if answer.status_code != _GOOD:
                    raise failure(answer.status_code, await _object(answer), answer.headers.get("Retry-After"))
                data = await _read(answer, limit)
        if data is None:
            raise Refused("the file is larger than this inbox takes")
        return data

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        patience: float | None,
    ) -> Fields:
        timeout = httpx.USE_CLIENT_DEFAULT if patience is None else httpx.Timeout(patience, connect=5)
        with plain_words():
            async with self._http.stream(
                method,
                self._address + path,
                content=content,
                headers={**self._headers, **headers},
                params=query,
                timeout=timeout,
            ) as answer:
                if answer.status_code != _GOOD:
                    raise failure(answer.status_code, await _object(answer), answer.headers.get("Retry-After"))
                data = await _read(answer, _ANSWER_LIMIT)
                if data is None:
                    raise Retryable("the homeserver's answer is larger than any it should give")
                return read_object(data)


async def _object(answer: httpx.Response) -> Fields:
    """What an error says; nothing when it is a proxy's page."""
    data = await _read(answer, 65_536)
    try:
        return read_object(data or b"")
    except Broken:
        return Fields({})


async def _read(answer: httpx.Response, limit: int) -> bytes | None:
    """The body, or None when it is over the limit."""
    data = bytearray()
    async for piece in answer.aiter_bytes():
        data += piece
        if len(data) > limit:
            return None
    return bytes(data)
