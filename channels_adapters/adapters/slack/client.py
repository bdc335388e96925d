"""One app's requests to the Web API. Nothing is retried in here: the hub decides that, part by part."""

import asyncio
import logging
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from channels_adapters.adapters.slack.errors import BAD_TOKEN, nothing_to_lose
from channels_adapters.contract import Refused, Retryable
from channels_adapters.reading import Fields

OFFICIAL_API = "https://slack.com"
_FILE_HOSTS = ("slack.com", "files.slack.com", "slack-files.com")
_CONNECT_TIME = 5.0  # seconds
_TRANSFER_TIME = 40.0
_GOOD = 200

quiet = logging.getLogger("channels_adapters.slack.sdk")  # the SDK writes addresses and customers' words
quiet.setLevel(logging.CRITICAL)
quiet.propagate = False


class Client:
    """The connections of one app, made on the loop that uses them."""

    def __init__(self, token: str, api_url: str, read_timeout: float) -> None:
        self.api_url = api_url
        self.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=read_timeout, sock_connect=_CONNECT_TIME),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,
        )
        self.web = AsyncWebClient(
            token, base_url=f"{api_url}/api/", session=self.session, logger=quiet, retry_handlers=[]
        )
        self.web.proxy = None  # the session knows the machine's proxy, and what goes past it
        self._token = token

    async def call(self, method: str, **fields: str | int | None) -> Fields:
        """What a method of the Web API answers; raises the SDK's errors.

        The fields go into the body as a form, which every method takes; the SDK's own methods put some of them into
        the address, where proxies write them down.
        """
        told = await self.web.api_call(method, data={key: value for key, value in fields.items() if value is not None})
        if not isinstance(told.data, dict):
            raise TypeError("the answer is not an object")
        return Fields(told.data)

    async def upload(self, address: str, data: bytes) -> None:
        """Put a file's bytes where Slack said; nobody sees them yet."""
        self._trust(address)
        with nothing_to_lose():
            async with self.session.post(address, data=data, timeout=self._transfer, allow_redirects=False) as answer:
                if answer.status != _GOOD:
                    raise Retryable(f"Slack did not take the file (status {answer.status})")

    async def download(self, address: str, limit: int, *, is_page: bool) -> bytes:
        """A file's bytes; raises Refused when they are more than `limit`. Slack shows its login page to a bad token."""
        self._trust(address)
        headers = {"Authorization": f"Bearer {self._token}"}
        with nothing_to_lose():
            async with self.session.get(
                address, headers=headers, timeout=self._transfer, allow_redirects=False
            ) as answer:
                if answer.status != _GOOD or (answer.content_type == "text/html" and not is_page):
                    is_a_login = answer.status in (_GOOD, 301, 302, 303, 401, 403)
                    raise Retryable(BAD_TOKEN if is_a_login else f"Slack answered {answer.status} instead of the file")
                data = bytearray()
                async for piece in answer.content.iter_chunked(65_536):
                    data += piece
                    if len(data) > limit:
                        raise Refused("the file is larger than this inbox takes")
        return bytes(data)

    async def close(self) -> None:
        await self.session.close()
        await asyncio.sleep(0)  # lets the transports end

    @property
    def _transfer(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=_TRANSFER_TIME, sock_connect=_CONNECT_TIME)

    def _trust(self, address: str) -> None:
        """Our token, and our request, go to Slack only."""
        try:
            there, api = urlsplit(address), urlsplit(self.api_url)
            is_theirs = (there.scheme, there.hostname, there.port) == (api.scheme, api.hostname, api.port)
        except ValueError:
            is_theirs = False
        else:
            is_slack = self.api_url == OFFICIAL_API and there.port in (None, 443)
            is_theirs = is_theirs or (is_slack and there.scheme == "https" and there.hostname in _FILE_HOSTS)
        if not is_theirs:
            raise Refused("the file does not lie with Slack")
