"""The part of an adapter that is the same for WhatsApp, Messenger and Instagram."""

import asyncio
from abc import abstractmethod
from typing import ClassVar
from urllib.parse import urlsplit

from channels_adapters.contract import (
    ChannelAdapter,
    HookAnswer,
    HookRequest,
    OutboundPart,
    Refused,
    Retryable,
    SendReceipt,
    Setting,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.meta.errors import BAD_TOKEN, MENDING_PAUSE, plain_words
from channels_adapters.meta.graph import FACEBOOK, Graph
from channels_adapters.meta.signing import shake_hands, verify
from channels_adapters.reading import Broken, Fields, read_object
from conversations.normalized import Inbound

MEGABYTE = 1024 * 1024
API_URL = Setting(
    "api_url",
    "Address of the Graph API",
    "Leave it empty for Meta itself. For another one: scheme, host and port.",
    required=False,
    by_hand=False,
)
VERIFY_TOKEN = Setting(
    "verify_token",
    "Verify token",
    "Leave it empty: one is made up. It goes beside the webhook's address in Meta's app settings.",
    secret=True,
    required=False,
    made=True,
)


def app_secret(where: str) -> Setting:
    return Setting("app_secret", "App secret", where, secret=True)


class MetaAdapter(ChannelAdapter):
    """One account at Meta: a number, a page, a profile."""

    body_limit = 4 * MEGABYTE  # Meta sends up to three
    answer_within = 5.0
    token_key: ClassVar[str] = "access_token"
    object_kind: ClassVar[str]  # what Meta calls the receiver of our deliveries

    send_seconds: ClassVar[float] = 50  # for all of a send, uploads too: less than the lease of a delivery

    _graph: Graph | None = None

    def authenticate(self, request: HookRequest) -> None:
        if shake_hands(self._setting("verify_token"), request) is None:
            verify(self._secrets(), request)

    def answer(self, request: HookRequest) -> HookAnswer | None:
        return shake_hands(self._setting("verify_token"), request)

    def delivery_id(self, body: bytes) -> str:
        try:
            read_object(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        return super().delivery_id(body)

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            delivery = read_object(body)
            return self._read(delivery) if delivery.text("object") == self.object_kind else []
        except Broken as error:
            raise Unreadable(f"{self.label} delivery: {error}") from error

    @abstractmethod
    def _read(self, delivery: Fields) -> list[Inbound]:
        """What a delivery for us says; raises Broken."""

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not (part.text.strip() or part.file or part.template):
            raise Refused("there is nothing to send")
        graph = self._open()
        with plain_words():
            async with asyncio.timeout(self.send_seconds):
                return await self._send(graph, part)

    @abstractmethod
    async def _send(self, graph: Graph, part: OutboundPart) -> SendReceipt: ...

    async def close(self) -> None:
        graph, self._graph = self._graph, None
        if graph is not None:
            await graph.close()

    def _open(self) -> Graph:
        """The account's connections, made at first use on the loop that uses them."""
        token = self._setting(self.token_key)
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            raise Retryable(BAD_TOKEN, MENDING_PAUSE)  # not Refused: what waits goes out when the token is mended
        if self._graph is None:
            api_url = self._setting("api_url").rstrip("/") or self._home()
            if urlsplit(api_url).scheme not in ("http", "https"):
                raise Retryable("api_url is an address that begins with http:// or https://", MENDING_PAUSE)
            self._graph = Graph(token, api_url, self.call_seconds)
        return self._graph

    def _home(self) -> str:
        """Where the Graph API is for this account."""
        return FACEBOOK

    def _secrets(self) -> tuple[str, ...]:
        return (self._setting("app_secret"),)
