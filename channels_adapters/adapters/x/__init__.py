"""X, formerly Twitter, for those who pay for its API: posts and direct messages, by webhook or by polling.

Optional: nothing of it runs, and nothing is asked of X, until an inbox is connected.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from channels_adapters.adapters.x import acting, sending, signing
from channels_adapters.adapters.x.client import Client
from channels_adapters.adapters.x.errors import BAD_TOKENS
from channels_adapters.adapters.x.listening import Listener
from channels_adapters.adapters.x.parsing import read_events
from channels_adapters.adapters.x.registering import register
from channels_adapters.answers import PAUSE
from channels_adapters.calls import nothing_to_lose
from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    Check,
    HookAnswer,
    HookRequest,
    OutboundAct,
    OutboundPart,
    Refused,
    Retryable,
    SendFailed,
    SendReceipt,
    Setting,
    Store,
    Uncertain,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken, read_object
from conversations.normalized import Inbound

_MEGABYTE = 1024 * 1024
_PORTAL = "In the developer portal, the app's page, Keys and tokens"


def _key(key: str, label: str, help_: str, *, secret: bool = True) -> Setting:
    return Setting(key, label, help_, secret=secret)


def _found(key: str, label: str) -> Setting:
    return Setting(key, label, "Leave it empty: the connection test fills it in.", required=False, by_hand=False)


class XAdapter(ChannelAdapter):
    """One account, through one app."""

    channel = "x"
    label = "X"
    capabilities = Capabilities(
        text_limit=2800,  # ten posts: a longer answer than a post is a chain of them
        takes_in=(
            *("text", "image", "video", "location", "button", "reply", "reaction", "edit", "delete"),
            *("receipt", "typing", "group", "public"),
        ),
        files=True,
        file_limit=100 * _MEGABYTE,
        media=("image/*", "video/*"),
        caption_limit=280,
        replies=True,
        receipts=("read",),
        deletes=True,
        public_posts=True,
        private_answers=True,
        hides=True,
        likes=True,
        per_second=0.1,  # 100 posts in a quarter of an hour
        looks_up=True,
    )
    answer_within = 2.5  # a challenge has three seconds
    accepted = HookAnswer(200)
    settings_form = (
        _key("consumer_key", "API key", f"{_PORTAL}: Consumer keys.", secret=False),
        _key("consumer_secret", "API key secret", f"{_PORTAL}: Consumer keys."),
        _key("access_token", "Access token", f"{_PORTAL}: Access token, made with read, write and direct messages."),
        _key("access_token_secret", "Access token secret", f"{_PORTAL}: beside the access token."),
        Setting(
            "bearer_token",
            "Bearer token",
            f"{_PORTAL}: needed only for the webhook, which the connection test registers with it.",
            secret=True,
            required=False,
        ),
        Setting(
            "mode",
            "How messages come in",
            '"webhook" needs a public https address (PUBLIC_URL) and a plan that has it. "polling" works with every '
            "plan that reads, a minute or two late.",
            required=False,
            default="webhook",
            choices=("polling", "webhook"),
        ),
        _found("user_id", "Account id"),
        _found("username", "Account name"),
        Setting(
            "api_url",
            "Address of the API",
            "Leave it empty for X itself. For a stand-in: scheme, host and port.",
            required=False,
            by_hand=False,
        ),
    )

    call_seconds: ClassVar[float] = 15
    send_seconds: ClassVar[float] = 45  # for all of a send, uploads too
    look_seconds: ClassVar[float] = 10  # for a look whether it arrived; with the send, less than a delivery's lease
    poll_seconds: ClassVar[float] = 50  # less than a poller's lease

    _client: Client | None = None
    _listener: Listener | None = None

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        username = self._setting("username")
        return (("Profile", f"https://x.com/{username}"),) if username else ()

    def authenticate(self, request: HookRequest) -> None:
        signing.verify(self._setting("consumer_secret"), request)

    def answer(self, request: HookRequest) -> HookAnswer | None:
        token = signing.challenge(request)
        return None if token is None else signing.answer(self._setting("consumer_secret"), token)

    def delivery_id(self, body: bytes) -> str:
        """X names no delivery: a repeat has the same bytes."""
        try:
            read_object(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        return super().delivery_id(body)

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return read_events(read_object(body), self._me(), self._setting("username"))
        except Broken as error:
            raise Unreadable(f"X: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        with _in_time():
            async with asyncio.timeout(self.send_seconds):
                return await sending.send(self._open(), part, self._me())

    async def look_up(self, part: OutboundPart) -> SendReceipt | None:
        with _in_time():
            async with asyncio.timeout(self.look_seconds):
                return await sending.look_up(self._open(), part, self._me())

    async def act(self, act: OutboundAct) -> None:
        with nothing_to_lose(), _in_time():
            async with asyncio.timeout(self.send_seconds):
                await acting.act(self._open(), act, self._me())

    async def fetch(self, external_id: str, limit: int) -> bytes:
        return await self._open().download(external_id, limit)

    def listens(self) -> bool:
        return self._setting("mode").lower() == "polling"

    async def listen(self, cursor: str, store: Store) -> None:
        listener = Listener(self._make(), store, self._me(), poll_seconds=self.poll_seconds)
        self._listener = listener
        try:
            await listener.run(cursor)
        finally:
            self._listener = None

    async def check(self, hook_url: str) -> Check:
        try:
            client = self._open()
            me = (await client.get("/2/users/me")).one("data")
        except SendFailed as failure:
            return Check(problems=(failure.reason,))
        facts = {"account": f"@{me.text('username')}", "user_id": me.text("id"), "username": me.text("username")}
        facts = {key: value for key, value in facts.items() if value}
        if self.listens():
            return Check(facts=facts)
        try:
            await register(client, hook_url)
        except SendFailed as failure:
            return Check(problems=(f"The webhook: {failure.reason}",), facts=facts)
        return Check(facts=facts)

    async def close(self) -> None:
        """Whoever listens ends as Retryable, and goes on with the connection's new settings."""
        client, self._client = self._client, None
        if self._listener is not None:
            self._listener.end()
        if client is not None:
            await client.close()

    def _open(self) -> Client:
        """The account's connections, made at first use on the loop that uses them."""
        if self._client is None:
            self._client = self._make()
        return self._client

    def _make(self) -> Client:
        key, secret, token, token_secret = map(
            self._setting, ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        )
        if not all(part and part.isascii() and part.isprintable() for part in (key, secret, token, token_secret)):
            raise Retryable(BAD_TOKENS, PAUSE)
        api_url = self._setting("api_url").rstrip("/")
        bearer = self._setting("bearer_token")
        return Client((key, secret, token, token_secret), bearer, api_url=api_url, seconds=self.call_seconds)

    def _me(self) -> str:
        """Our account's id, which an access token begins with."""
        return self._setting("user_id") or self._setting("access_token").partition("-")[0]


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Uncertain("X took too long") from error
