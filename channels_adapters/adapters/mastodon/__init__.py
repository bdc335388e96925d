"""Mastodon, and servers that speak its API: public mentions and replies, direct messages, by stream and by polling."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from channels_adapters.adapters.mastodon import acting, sending
from channels_adapters.adapters.mastodon.client import Client
from channels_adapters.adapters.mastodon.errors import BAD_TOKEN
from channels_adapters.adapters.mastodon.listening import Listener
from channels_adapters.adapters.mastodon.parsing import read_events
from channels_adapters.answers import PAUSE
from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    Check,
    HookRequest,
    OutboundAct,
    OutboundPart,
    Refused,
    Retryable,
    SendFailed,
    SendReceipt,
    Setting,
    Store,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken, read_object
from conversations.normalized import Inbound

_MEGABYTE = 1024 * 1024


def _found(key: str, label: str) -> Setting:
    return Setting(key, label, "Leave it empty: the connection test fills it in.", required=False, by_hand=False)


class MastodonAdapter(ChannelAdapter):
    """One account on one server."""

    channel = "mastodon"
    label = "Mastodon"
    capabilities = Capabilities(
        text_limit=5000,  # ten posts: a longer answer than a post is a chain of them
        takes_in=(
            *("text", "image", "video", "audio", "file", "reply", "reaction", "edit", "delete", "group", "public"),
        ),
        files=True,
        file_limit=99 * _MEGABYTE,
        media=("image/*", "video/*", "audio/*"),
        caption_limit=400,
        replies=True,
        edits=True,
        deletes=True,
        public_posts=True,
        private_answers=True,
        likes=True,
        per_second=1,  # 300 requests in five minutes
        repeatable=True,
    )
    settings_form = (
        Setting("server", "Server", "Where the account is: mastodon.social", unless="api_url"),
        Setting(
            "access_token",
            "Access token",
            "On the server: Preferences, Development, New application with the scopes read and write; then "
            '"Your access token".',
            secret=True,
        ),
        _found("account_id", "Account id"),
        _found("acct", "Account name"),
        _found("max_characters", "Characters in a post"),
        Setting(
            "api_url",
            "Address of the API",
            "Leave it empty. For a server inside your own network: scheme, host and port.",
            required=False,
            by_hand=False,
        ),
    )

    send_seconds: ClassVar[float] = 50  # for all of a send, uploads too: less than the lease of a delivery
    poll_seconds: ClassVar[float] = 25
    watch_seconds: ClassVar[float] = 120  # how often the latest posts are looked at again

    _client: Client | None = None
    _listener: Listener | None = None

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        if not self._setting("acct"):
            return ()
        return (("Profile", f"{self._server()}/@{self._setting('acct')}"),)

    def authenticate(self, request: HookRequest) -> None:
        raise WebhookRejected("Mastodon posts nothing here: its notifications are read from the server", status=403)

    def delivery_id(self, body: bytes) -> str:
        try:
            read_object(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        return super().delivery_id(body)

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return read_events(read_object(body), self._setting("account_id"))
        except Broken as error:
            raise Unreadable(f"Mastodon: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        with _in_time():
            async with asyncio.timeout(self.send_seconds):
                return await sending.send(self._open(), part, self._limit())

    async def act(self, act: OutboundAct) -> None:
        with _in_time():
            async with asyncio.timeout(self.send_seconds):
                await acting.act(self._open(), act, self._limit())

    async def fetch(self, external_id: str, limit: int) -> bytes:
        client = self._open()
        if not external_id.startswith(("https://", "http://")):
            external_id = await acting.address_of_file(client, external_id)
        return await client.calls.download(external_id, limit)

    def listens(self) -> bool:
        return True

    async def listen(self, cursor: str, store: Store) -> None:
        listener = Listener(self._make(), store, poll_seconds=self.poll_seconds, watch_seconds=self.watch_seconds)
        self._listener = listener
        try:
            await listener.run(cursor)
        finally:
            self._listener = None

    async def check(self, hook_url: str) -> Check:
        try:
            client = self._open()
            me = await client.one("GET", "/api/v1/accounts/verify_credentials")
            instance = (await client.ask("GET", "/api/v2/instance")).fields()
            await client.ask("GET", "/api/v1/notifications", params={"limit": 1})
        except SendFailed as failure:
            return Check(problems=(failure.reason,))
        limit = instance.one("configuration").one("statuses").identifier("max_characters")
        facts = {"account": f"@{me.text('acct')}", "on": instance.text("title")}
        facts |= {"account_id": me.text("id"), "acct": me.text("acct"), "max_characters": limit}
        return Check(facts={key: value for key, value in facts.items() if value}, problems=await self._lacking(client))

    async def close(self) -> None:
        """Whoever listens ends as Retryable, and goes on with the connection's new settings."""
        client, self._client = self._client, None
        if self._listener is not None:
            self._listener.end()
        if client is not None:
            await client.close()

    async def _lacking(self, client: Client) -> tuple[str, ...]:
        """Servers from 4.3 on say what a token may do."""
        try:
            app = (await client.ask("GET", "/api/v1/apps/verify_credentials")).fields()
        except SendFailed:
            return ()
        scopes = app.raw.get("scopes")
        if not isinstance(scopes, list) or "write" in scopes or "write:statuses" in scopes:
            return ()
        return ("The access token may read, but not write: give the application the scope write.",)

    def _open(self) -> Client:
        """The account's connections, made at first use on the loop that uses them."""
        if self._client is None:
            self._client = self._make()
        return self._client

    def _make(self) -> Client:
        token = self._setting("access_token")
        if not (token and token.isascii() and token.isprintable()):
            raise Retryable(BAD_TOKEN, PAUSE)
        return Client(self._server(), token, api_url=self._setting("api_url"), seconds=self.call_seconds)

    def _server(self) -> str:
        given = (self._setting("api_url") or self._setting("server")).rstrip("/")
        return given if "://" in given else f"https://{given}"

    def _limit(self) -> int:
        told = self._setting("max_characters")
        return int(told) if told.isdecimal() and int(told) > 0 else sending.LIMIT


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Retryable("Mastodon took too long") from error
