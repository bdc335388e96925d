"""Telegram, through the Bot API: by long polling, or by webhook where we have a public https address."""

import asyncio
import hmac
import re
from typing import ClassVar

from telegram.constants import ChatAction

from channels_adapters.adapters.telegram import acting, polling, sending
from channels_adapters.adapters.telegram.client import OFFICIAL_API, Client, PollRequest
from channels_adapters.adapters.telegram.errors import BAD_TOKEN, TOKEN_PAUSE, nothing_to_lose, plain_words
from channels_adapters.adapters.telegram.fields import BrokenUpdate, read_update
from channels_adapters.adapters.telegram.parsing import KINDS, read_events
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
from conversations.normalized import Inbound

_MEGABYTE = 1024 * 1024
_SECRET_HEADER = "x-telegram-bot-api-secret-token"
_SECRET = re.compile("[A-Za-z0-9_-]{1,256}")
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


class TelegramAdapter(ChannelAdapter):
    """One bot."""

    channel = "telegram"
    label = "Telegram"
    capabilities = Capabilities(
        text_limit=4096,
        takes_in=(
            *("text", "image", "video", "audio", "voice", "file", "sticker", "location", "contact", "album"),
            *("button", "reply", "forward", "reaction", "edit", "group"),
        ),
        files=True,
        file_limit=50 * _MEGABYTE,
        caption_limit=1024,
        replies=True,
        buttons=8,
        button_limit=32,
        typing=True,
        edits=True,
        deletes=True,
        reactions=True,
        emojis=acting.EMOJIS,
        per_second=30,
        per_thread_second=1,
    )
    settings_form = (
        Setting("bot_token", "Bot token", "@BotFather shows it after /newbot, and again after /token.", secret=True),
        Setting(
            "mode",
            "How messages come in",
            '"polling" works everywhere. "webhook" needs a public https address (PUBLIC_URL) and is a little faster.',
            required=False,
            default="polling",
            choices=("polling", "webhook"),
        ),
        Setting(
            "secret_token",
            "Webhook secret",
            "Leave it empty: one is made up and given to Telegram, which shows it with every message.",
            secret=True,
            required=False,
            made=True,
        ),
        Setting(
            "api_url",
            "Address of the Bot API",
            "Leave it empty for Telegram itself. For a Bot API server of your own: scheme, host and port.",
            required=False,
            by_hand=False,
        ),
        Setting("bot_id", "Bot id", "Leave it empty: the connection test fills it in.", required=False, by_hand=False),
        Setting(
            "bot_username",
            "Bot name",
            "Leave it empty: the connection test fills it in.",
            required=False,
            by_hand=False,
        ),
    )

    poll_seconds: ClassVar[int] = 25  # how long Telegram holds a poll open while nothing happens
    send_seconds: ClassVar[float] = 50  # for all of a send, uploads too: less than the lease of a delivery

    _client: Client | None = None
    _polls: PollRequest | None = None

    def authenticate(self, request: HookRequest) -> None:
        expected = self._setting("secret_token").encode("utf-8", "surrogatepass")
        given = request.headers.get(_SECRET_HEADER, "").encode("utf-8", "surrogatepass")
        if not expected or not hmac.compare_digest(given, expected):
            raise WebhookRejected("the secret token is missing or wrong", status=403)

    def delivery_id(self, body: bytes) -> str:
        try:
            return read_update(body).identifier("update_id")
        except BrokenUpdate as error:
            raise WebhookRejected(str(error), status=400) from error

    def parse(self, body: bytes) -> list[Inbound]:
        bot_id = self._setting("bot_token").partition(":")[0] or self._setting("bot_id")
        try:
            return read_events(read_update(body), bot_id)
        except BrokenUpdate as error:
            raise Unreadable(f"Telegram update: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        client = self._open()
        with plain_words():
            async with asyncio.timeout(self.send_seconds):
                return SendReceipt(await sending.send(client.bot, part))

    async def act(self, act: OutboundAct) -> None:
        client = self._open()
        with nothing_to_lose():
            async with asyncio.timeout(self.send_seconds):
                await acting.do(client.bot, act)

    async def typing(self, thread_id: str) -> None:
        place = sending.Place.of(thread_id)
        with nothing_to_lose():
            await self._open().bot.send_chat_action(place.chat_id, ChatAction.TYPING, message_thread_id=place.topic_id)

    async def fetch(self, external_id: str, limit: int) -> bytes:
        client = self._open()
        with nothing_to_lose():
            file = await client.bot.get_file(external_id)
            if file.file_size is not None and file.file_size > limit:
                raise Refused("the file is larger than this inbox takes")
            if not file.file_path or not file.file_path.startswith(f"{client.bot.base_file_url}/"):
                raise Retryable("Telegram gave no address for the file")
        return await client.request.download(file.file_path, limit)

    def listens(self) -> bool:
        return self._mode() == "polling"

    async def listen(self, cursor: str, store: Store) -> None:
        client = self._open()
        async with PollRequest(self._token(), self.call_seconds) as self._polls:
            await polling.listen(client.bot, self._polls, int(cursor or 0), store, self.poll_seconds)

    async def check(self, hook_url: str) -> Check:
        try:
            with nothing_to_lose():
                me = await self._open().bot.get_me()
                facts = {"bot": f"@{me.username}", "bot_id": str(me.id), "bot_username": str(me.username)}
        except SendFailed as failure:
            return Check(problems=(failure.reason,))
        try:
            await self._register(hook_url)
        except SendFailed as failure:
            return Check(problems=(failure.reason,), facts=facts)
        return Check(facts=facts)

    async def close(self) -> None:
        """A poll that waits ends as Retryable: whoever listens goes on with the connection's new settings."""
        for request in (self._polls, self._client.request if self._client is not None else None):
            if request is not None:
                await request.shutdown()
        self._client = self._polls = None

    async def _register(self, hook_url: str) -> None:
        bot, secret = self._open().bot, self._setting("secret_token")
        if self._mode() == "polling":
            with nothing_to_lose():
                await bot.delete_webhook(drop_pending_updates=False)
            return
        if self._mode() != "webhook":
            raise Refused('mode is "polling" or "webhook"')
        if not hook_url.startswith("https://") and not self._setting("api_url"):
            raise Refused("a webhook needs a public https address: set PUBLIC_URL, or use polling")
        if not _SECRET.fullmatch(secret):
            raise Refused("secret_token is 1 to 256 of the characters A-Z a-z 0-9 _ -")
        with nothing_to_lose():
            await bot.set_webhook(hook_url, secret_token=secret, allowed_updates=KINDS, drop_pending_updates=False)

    def _open(self) -> Client:
        """The bot's connections, made at first use on the loop that uses them."""
        if self._client is None:
            api_url = self._setting("api_url").rstrip("/") or OFFICIAL_API
            self._client = Client(self._token(), api_url, self.call_seconds)
        return self._client

    def _token(self) -> str:
        if not _TOKEN.fullmatch(self._setting("bot_token")):
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)  # not Refused: what waits goes out when the token is mended
        return self._setting("bot_token")

    def _mode(self) -> str:
        return self._setting("mode").lower() or "polling"
