"""Bluesky: public mentions, replies and quotes, and direct messages, by polling."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from channels_adapters.adapters.bluesky import acting, chatting, sending
from channels_adapters.adapters.bluesky.client import Client
from channels_adapters.adapters.bluesky.errors import BAD_PASSWORD
from channels_adapters.adapters.bluesky.listening import Listener
from channels_adapters.adapters.bluesky.parsing import PUBLIC, read_events
from channels_adapters.answers import PAUSE
from channels_adapters.calls import nothing_to_lose
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
    Uncertain,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken, read_object
from conversations.normalized import Inbound

_MEGABYTE = 1024 * 1024


def _found(key: str, label: str) -> Setting:
    return Setting(key, label, "Leave it empty: the connection test fills it in.", required=False, by_hand=False)


class BlueskyAdapter(ChannelAdapter):
    """One account."""

    channel = "bluesky"
    label = "Bluesky"
    capabilities = Capabilities(
        text_limit=3000,  # ten posts: a longer answer than a post is a chain of them
        takes_in=("text", "image", "video", "reply", "reaction", "delete", "group", "public"),
        files=True,
        file_limit=50 * _MEGABYTE,
        media=("image/*", "video/mp4"),
        caption_limit=300,
        replies=True,
        deletes=True,
        reactions=True,
        public_posts=True,
        private_answers=True,
        hides=True,
        likes=True,
        per_second=0.4,  # 5,000 points an hour, three for a post
        looks_up=True,
    )
    settings_form = (
        Setting("identifier", "Handle", "The account's name: shop.bsky.social"),
        Setting(
            "app_password",
            "App password",
            "Settings, Privacy and security, App passwords, Add. Tick the box for direct messages if they shall come.",
            secret=True,
        ),
        Setting(
            "service",
            "Server",
            "Where the account is, if not on Bluesky's own servers.",
            required=False,
            default="https://bsky.social",
        ),
        _found("did", "Account id"),
        _found("handle", "Account name"),
        Setting(
            "api_url",
            "Address of the server",
            "Leave it empty. For a server inside your own network: scheme, host and port.",
            required=False,
            by_hand=False,
        ),
        Setting(
            "plc_url",
            "Address of the directory of accounts",
            "Leave it empty for plc.directory.",
            required=False,
            by_hand=False,
        ),
    )

    send_seconds: ClassVar[float] = 45  # for all of a send, uploads too
    look_seconds: ClassVar[float] = 10  # for a look whether it arrived; with the send, less than a delivery's lease
    poll_seconds: ClassVar[float] = 15
    watch_seconds: ClassVar[float] = 120  # how often the latest posts are looked at again

    _client: Client | None = None
    _listener: Listener | None = None

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        handle = self._setting("handle")
        return (("Profile", f"https://bsky.app/profile/{handle}"),) if handle else ()

    def authenticate(self, request: HookRequest) -> None:
        raise WebhookRejected("Bluesky posts nothing here: it is read from the server", status=403)

    def delivery_id(self, body: bytes) -> str:
        try:
            read_object(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        return super().delivery_id(body)

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return read_events(read_object(body), self._setting("did"))
        except Broken as error:
            raise Unreadable(f"Bluesky: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        way = sending if part.thread_id.startswith(PUBLIC) else chatting
        with _in_time():
            async with asyncio.timeout(self.send_seconds):
                return await way.send(self._open(), part)

    async def look_up(self, part: OutboundPart) -> SendReceipt | None:
        """A post has a key of its own, so sending it again is how to see: it is there once, whatever happened."""
        if part.thread_id.startswith(PUBLIC):
            return None
        with _in_time():
            async with asyncio.timeout(self.look_seconds):
                return await chatting.look_up(self._open(), part)

    async def act(self, act: OutboundAct) -> None:
        with _in_time(), nothing_to_lose():
            async with asyncio.timeout(self.send_seconds):
                await acting.act(self._open(), act)

    async def fetch(self, external_id: str, limit: int) -> bytes:
        client = self._open()
        if external_id.startswith(("https://", "http://")):
            return await client.calls.download(external_id, limit)
        did, _, cid = external_id.partition("/")
        if not (did.startswith("did:") and cid.isalnum()):
            raise Refused("this is no file of Bluesky")
        return await client.blob(did, cid, limit)

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
            did = await client.sign_in()
            profile = await client.get("app.bsky.actor.getProfile", actor=did)
        except SendFailed as failure:
            return Check(problems=(failure.reason,))
        handle = profile.text("handle")
        facts = {"account": f"@{handle}", "did": did, "handle": handle}
        try:
            await client.get("chat.bsky.convo.listConvos", chat=True, limit=1)
        except SendFailed as failure:
            return Check(problems=(f"Direct messages do not come: {failure.reason}",), facts=facts)
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
        identifier, password = self._setting("identifier").removeprefix("@"), self._setting("app_password")
        if not (identifier and password):
            raise Retryable(BAD_PASSWORD, PAUSE)
        api_url = self._setting("api_url").rstrip("/")
        service = api_url or self._setting("service").rstrip("/") or "https://bsky.social"
        service = service if "://" in service else f"https://{service}"
        plc_url = self._setting("plc_url").rstrip("/")
        return Client(service, identifier, password, api_url=api_url, plc_url=plc_url, seconds=self.call_seconds)


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Uncertain("Bluesky took too long") from error
