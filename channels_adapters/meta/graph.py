"""Requests to the Graph API. Nothing is retried in here: the hub decides that, part by part."""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from channels_adapters.contract import OutboundFile, Refused, Retryable
from channels_adapters.meta.errors import Nonsense, nothing_to_lose, translate
from channels_adapters.reading import Broken, Fields, read_object
from conversations.text import clean_line
from crm.web import outgoing

FACEBOOK, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"
VERSION = "v25.0"
_MEDIA_HOSTS = ("fbsbx.com", "fbcdn.net", "cdninstagram.com", "whatsapp.net", "facebook.com", "instagram.com")
_TRANSFER_TIME = httpx.Timeout(60.0, connect=5.0)  # seconds
_HOPS = 3
_MOVED = (301, 302, 303, 307, 308)
_NOT_DONE = 300
_GONE = (403, 404, 410)

for _name in ("httpx", "httpcore"):  # they write addresses at these levels
    logging.getLogger(_name).setLevel(logging.WARNING)


class Graph:
    """The connections of one account, made on the loop that uses them. The token stands in a header, in no address."""

    def __init__(self, token: str, api_url: str, read_timeout: float) -> None:
        self.api_url = api_url
        self._base, self._read_timeout = f"{api_url}/{VERSION}", read_timeout
        self._token = {"Authorization": f"Bearer {token}"}
        self._http = outgoing.client(private_place=_private_place(api_url), seconds=read_timeout)

    async def get(self, path: str, **query: str) -> Fields:
        """What the API answers; raises SendFailed, or httpx's errors for `plain_words`. So do the next three."""
        return _read(await self._http.get(f"{self._base}/{path}", params=query, headers=self._token))

    async def post(self, path: str, said: Mapping[str, Any], **query: str) -> Fields:
        return _read(await self._http.post(f"{self._base}/{path}", json=said, params=query, headers=self._token))

    async def delete(self, path: str) -> Fields:
        return _read(await self._http.delete(f"{self._base}/{path}", headers=self._token))

    async def upload(self, path: str, field: str, file: OutboundFile, said: Mapping[str, str]) -> Fields:
        """Leave a file with Meta; nobody sees it yet, so that it may run twice."""
        named = {field: (_ascii(file.name), file.data, file.mime)}
        with nothing_to_lose():
            return _read(
                await self._http.post(
                    f"{self._base}/{path}", data=dict(said), files=named, headers=self._token, timeout=_TRANSFER_TIME
                )
            )

    def as_app(self, app_id: str, app_secret: str) -> "Graph":
        """The same API, spoken to in the name of the app instead of the account. Close it."""
        return Graph(f"{app_id}|{app_secret}", self.api_url, self._read_timeout)

    async def download(self, address: str, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
        """A file's bytes, from Meta's own hosts only; raises Refused when they are more than `limit`."""
        with nothing_to_lose():
            for _ in range(_HOPS):
                self._trust(address)
                async with self._http.stream("GET", address, headers=headers, timeout=_TRANSFER_TIME) as answer:
                    if answer.status_code not in _MOVED:
                        return await _bytes(answer, limit)
                    address = urljoin(address, answer.headers.get("location", ""))
        raise Retryable("Meta sends us round in circles instead of the file")

    async def download_with_token(self, address: str, limit: int) -> bytes:
        return await self.download(address, limit, self._token)

    async def close(self) -> None:
        await self._http.aclose()

    def _trust(self, address: str) -> None:
        """Our token, and our request, go to Meta only."""
        try:
            there, api = urlsplit(address), urlsplit(self.api_url)
            is_theirs = (there.scheme, there.hostname, there.port) == (api.scheme, api.hostname, api.port)
            is_official = self.api_url in (FACEBOOK, INSTAGRAM) and there.port in (None, 443)
        except ValueError:
            raise Refused("the file does not lie with Meta") from None
        host = there.hostname or ""
        is_media_host = any(host == name or host.endswith(f".{name}") for name in _MEDIA_HOSTS)
        if not is_theirs and not (is_official and there.scheme == "https" and is_media_host):
            raise Refused("the file does not lie with Meta")


def _private_place(api_url: str) -> str:
    """The host that may be a private one: of an address given on the command line, never Meta's own."""
    place = urlsplit(api_url)
    if api_url in (FACEBOOK, INSTAGRAM) or not place.hostname:
        return ""
    return f"{place.hostname}:{place.port}" if place.port else place.hostname


def _read(answer: httpx.Response) -> Fields:
    """The object that the answer holds. An `error` in it counts whatever the status says."""
    try:
        told = read_object(answer.content)
    except Broken as broken:
        if answer.status_code >= _NOT_DONE:
            raise translate(answer.status_code, Fields({}), answer.headers) from broken
        raise Nonsense(str(broken)) from broken
    if told.has("error") or answer.status_code >= _NOT_DONE:
        raise translate(answer.status_code, told.one("error"), answer.headers)
    return told


async def _bytes(answer: httpx.Response, limit: int) -> bytes:
    if answer.status_code in _GONE:
        raise Refused("Meta keeps this file no longer")
    if answer.status_code >= _NOT_DONE:
        raise Retryable(f"Meta answered {answer.status_code} instead of the file")
    data = bytearray()
    async for piece in answer.aiter_bytes():
        data += piece
        if len(data) > limit:
            raise Refused("the file is larger than this inbox takes")
    return bytes(data)


def _ascii(name: str) -> str:
    """Meta refuses other letters in the names of uploads; what the customer sees is named elsewhere."""
    plain = clean_line(name, 200).encode("ascii", "ignore").decode().replace('"', "").strip()
    return plain if plain.strip(".") else "file"
