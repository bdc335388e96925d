"""Slack: events over HTTP, or over Socket Mode where we have no public address; answers through the Web API."""

import asyncio
import json
from typing import ClassVar
from urllib.parse import urlsplit

from channels_adapters.adapters.slack import acting, sending
from channels_adapters.adapters.slack.client import OFFICIAL_API, Client
from channels_adapters.adapters.slack.deliveries import identify, read_delivery, verify
from channels_adapters.adapters.slack.errors import BAD_TOKEN, TOKEN_PAUSE, nothing_to_lose, plain_words
from channels_adapters.adapters.slack.listening import Listener
from channels_adapters.adapters.slack.parsing import Account, read_events
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
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken
from conversations.normalized import Inbound

_MEGABYTE = 1024 * 1024


def _found(key: str, label: str) -> Setting:
    return Setting(key, label, "Leave it empty: the connection test fills it in.", required=False, by_hand=False)


class SlackAdapter(ChannelAdapter):
    """One app in one workspace."""

    channel = "slack"
    label = "Slack"
    capabilities = Capabilities(
        text_limit=4000,
        takes_in=("text", "image", "video", "audio", "file", "button", "reply", "reaction", "edit", "delete", "group"),
        files=True,
        file_limit=50 * _MEGABYTE,
        caption_limit=4000,
        buttons=5,
        button_limit=75,
        edits=True,
        deletes=True,
        reactions=True,
        emojis=tuple(acting.NAMES),
        per_thread_second=1,
        looks_up=True,
    )
    answer_within = 2.5  # Slack gives up after three seconds
    accepted = HookAnswer(200)  # Slack would show a body to whoever typed a command
    settings_form = (
        Setting("bot_token", "Bot token", 'In the app\'s settings, "OAuth & Permissions": xoxb-…', secret=True),
        Setting(
            "signing_secret",
            "Signing secret",
            'In the app\'s settings, "Basic Information". Not needed with an app-level token.',
            secret=True,
            unless="app_token",
        ),
        Setting(
            "app_token",
            "App-level token",
            'For Socket Mode, which needs no public address: "Basic Information", "App-Level Tokens", with the scope '
            "connections:write: xapp-…",
            secret=True,
            required=False,
        ),
        _found("team_id", "Workspace id"),
        _found("api_app_id", "App id"),
        _found("bot_user_id", "The bot's user id"),
        _found("bot_id", "The bot's id"),
        Setting(
            "api_url",
            "Address of the Web API",
            "Leave it empty for Slack itself. For a Slack of your own: scheme, host and port.",
            required=False,
            by_hand=False,
        ),
    )

    call_seconds: ClassVar[float] = 15
    send_seconds: ClassVar[float] = 40  # for all of a send, uploads too
    look_seconds: ClassVar[float] = 8  # for a look whether it arrived; with the send, less than a delivery's lease
    settle_seconds: ClassVar[float] = 3  # a message that Slack was still working on is there after that
    ping_seconds: ClassVar[float] = 10  # Socket Mode: a dead line is noticed after a few of these

    _client: Client | None = None
    _listener: Listener | None = None

    def identity_scope(self) -> str:
        return self._setting("team_id")

    def authenticate(self, request: HookRequest) -> None:
        verify(self._setting("signing_secret"), request)

    def answer(self, request: HookRequest) -> HookAnswer | None:
        if b"url_verification" not in request.body:
            return None
        try:
            asked = read_delivery(request.body)
        except Broken:
            return None
        if asked.text("type") != "url_verification":
            return None
        return HookAnswer(200, json.dumps({"challenge": asked.text("challenge")}).encode(), "application/json")

    def delivery_id(self, body: bytes) -> str:
        try:
            return identify(read_delivery(body)) or super().delivery_id(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error

    def parse(self, body: bytes) -> list[Inbound]:
        keys = ("team_id", "api_app_id", "bot_user_id", "bot_id")
        try:
            return read_events(read_delivery(body), Account(*map(self._setting, keys)))
        except Broken as error:
            raise Unreadable(f"Slack delivery: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        client = self._open()
        with plain_words():
            async with asyncio.timeout(self.send_seconds):
                return SendReceipt(await sending.send(client, part))

    async def act(self, act: OutboundAct) -> None:
        client = self._open()
        with nothing_to_lose():
            async with asyncio.timeout(self.send_seconds):
                await acting.do(client, act)

    async def look_up(self, part: OutboundPart) -> SendReceipt | None:
        """Twice: what left a moment ago may not be in the history yet."""
        client = self._open()
        with nothing_to_lose():
            async with asyncio.timeout(self.look_seconds):
                found = await sending.look_up(client, part)
                if found is None:
                    await asyncio.sleep(self.settle_seconds)
                    found = await sending.look_up(client, part)
        return SendReceipt(found) if found is not None else None

    async def fetch(self, external_id: str, limit: int) -> bytes:
        client = self._open()
        with nothing_to_lose():
            file = (await client.call("files.info", file=external_id)).one("file")
        if (size := file.size("size")) is not None and size > limit:
            raise Refused("the file is larger than this inbox takes")
        address = file.text("url_private_download") or file.text("url_private")
        if not address:
            raise Refused("Slack keeps this file no longer, or shows it in Slack only")
        return await client.download(address, limit, is_page=file.text("mimetype") == "text/html")

    def listens(self) -> bool:
        return bool(self._setting("app_token"))

    async def listen(self, cursor: str, store: Store) -> None:
        if not self._setting("app_token").startswith("xapp-"):
            raise Retryable("app_token is the app-level token that begins with xapp-", TOKEN_PAUSE)
        self._listener = Listener(self._open(), self._setting("app_token"), store, self.ping_seconds)
        try:
            await self._listener.run()
        finally:
            self._listener = None

    async def check(self, hook_url: str) -> Check:
        if not (self._setting("signing_secret") or self.listens()):
            return Check(problems=("Give the signing secret, or an app-level token for Socket Mode.",))
        try:
            with nothing_to_lose():
                me = await self._open().call("auth.test")
        except SendFailed as failure:
            return Check(problems=(failure.reason,))
        facts = {"bot": f"@{me.text('user')}", "workspace": me.text("team"), "team_id": me.text("team_id")}
        facts |= {"bot_user_id": me.text("user_id"), "bot_id": me.text("bot_id"), "api_app_id": me.text("app_id")}
        facts["in Slack's app settings"] = self._what_to_set(hook_url)
        return Check(
            facts={key: value for key, value in facts.items() if value}, problems=await self._socket_problems()
        )

    async def close(self) -> None:
        """A socket that listens ends as Retryable: whoever listens goes on with the connection's new settings."""
        client, self._client = self._client, None
        if self._listener is not None:
            self._listener.end()
        if client is not None:
            await client.close()

    def _what_to_set(self, hook_url: str) -> str:
        if self.listens():
            return "switch Socket Mode on, and subscribe to the bot events"
        return f"Event Subscriptions, Interactivity and Slash Commands all take the address {hook_url}"

    async def _socket_problems(self) -> tuple[str, ...]:
        if not self.listens():
            return ()
        try:
            with nothing_to_lose():
                await self._open().web.apps_connections_open(app_token=self._setting("app_token"))
        except SendFailed as failure:
            return (f"Socket Mode: {failure.reason}",)
        return ()

    def _open(self) -> Client:
        """The app's connections, made at first use on the loop that uses them."""
        if not self._setting("bot_token").isascii() or not self._setting("bot_token").isprintable():
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)
        if not self._setting("bot_token"):
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)
        if self._client is None:
            api_url = self._setting("api_url").rstrip("/").removesuffix("/api") or OFFICIAL_API
            if urlsplit(api_url).scheme not in ("http", "https"):
                raise Retryable("api_url is an address that begins with http:// or https://")
            self._client = Client(self._setting("bot_token"), api_url, self.call_seconds)
        return self._client
