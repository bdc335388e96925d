"""Discord: events over the gateway, buttons and commands there or at the hook; answers through the REST interface."""

import asyncio
import re
from typing import TYPE_CHECKING, ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels_adapters.adapters.discord import files, interactions, sending
from channels_adapters.adapters.discord.checking import check
from channels_adapters.adapters.discord.client import Client
from channels_adapters.adapters.discord.errors import BAD_TOKEN, TOKEN_PAUSE, nothing_to_lose, plain_words
from channels_adapters.adapters.discord.parsing import read_events
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
    SendReceipt,
    Setting,
    Store,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken, Fields, read_object
from conversations.normalized import Inbound

if TYPE_CHECKING:
    from channels_adapters.adapters.discord.listening import Listener

_MEGABYTE = 1024 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)
# To see channels, read what was said, write there and in threads, attach files, react.
_PERMISSIONS = (1 << 10) | (1 << 16) | (1 << 11) | (1 << 38) | (1 << 15) | (1 << 6)


def _found(key: str, label: str) -> Setting:
    return Setting(key, label, "Leave it empty: the connection test fills it in.", required=False, by_hand=False)


class DiscordAdapter(ChannelAdapter):
    """One bot."""

    channel = "discord"
    label = "Discord"
    capabilities = Capabilities(
        text_limit=2000,
        takes_in=(
            *("text", "image", "video", "audio", "voice", "file", "sticker", "album", "button"),
            *("reply", "forward", "reaction", "edit", "delete", "typing", "group"),
        ),
        files=True,
        file_limit=10 * _MEGABYTE,
        caption_limit=2000,
        replies=True,
        buttons=25,
        button_limit=80,
        typing=True,
        edits=True,
        deletes=True,
        reactions=True,
        per_second=50,
        per_thread_second=1,
        looks_up=True,
    )
    accepted = HookAnswer(204)
    answer_within = 2.5  # Discord gives up after three seconds
    settings_form = (
        Setting(
            "bot_token",
            "Bot token",
            'In the Developer Portal, under "Bot": "Reset Token" shows it once. Switch "Message Content Intent" on.',
            secret=True,
            unless="public_key",
        ),
        Setting(
            "interactions",
            "How buttons and commands come in",
            '"gateway" works everywhere. "webhook" needs a public https address (PUBLIC_URL).',
            required=False,
            default="gateway",
        ),
        _found("public_key", "Public key"),
        _found("application_id", "Application id"),
        _found("bot_user_id", "The bot's user id"),
        Setting(
            "private_key_seed",
            "Seed of a key pair of one's own",
            "To try the hook without Discord: stands for the public key.",
            secret=True,
            required=False,
            by_hand=False,
        ),
        Setting(
            "api_url",
            "Address that stands for Discord's",
            "Leave it empty for Discord itself. For a Discord of your own: scheme, host and port.",
            required=False,
            by_hand=False,
        ),
    )

    call_seconds: ClassVar[float] = 15
    send_seconds: ClassVar[float] = 45  # for all of a send, uploads too
    look_seconds: ClassVar[float] = 10  # for a look whether it arrived; with the send, less than a delivery's lease

    _client: Client | None = None
    _listener: "Listener | None" = None

    def authenticate(self, request: HookRequest) -> None:
        interactions.verify(self._public_key(), request)

    def answer(self, request: HookRequest) -> HookAnswer | None:
        try:
            return interactions.handshake(read_object(request.body))
        except Broken:
            return None

    def delivery_id(self, body: bytes) -> str:
        try:
            delivery = read_object(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        is_one = interactions.is_interaction(delivery)
        return interactions.identify(delivery) if is_one else super().delivery_id(body)

    def acknowledge(self, delivery_id: str) -> HookAnswer:
        return interactions.acknowledgement(delivery_id)

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            delivery = read_object(body)
            me = delivery.text("me") or self._setting("bot_user_id")
            return read_events(Fields({**delivery.raw, "me": me}))
        except Broken as error:
            raise Unreadable(f"Discord event: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        client = self._open()
        with plain_words():
            async with asyncio.timeout(self.send_seconds):
                return SendReceipt(await sending.send(client, part))

    async def look_up(self, part: OutboundPart) -> SendReceipt | None:
        client = self._open()
        with plain_words():
            async with asyncio.timeout(self.look_seconds):
                found = await sending.look_up(client, part)
        return SendReceipt(found) if found is not None else None

    async def act(self, act: OutboundAct) -> None:
        await sending.act(self._open(), act)

    async def typing(self, thread_id: str) -> None:
        await self._open().call("POST", f"{sending.path_of_channel(thread_id)}/typing")

    async def fetch(self, external_id: str, limit: int) -> bytes:
        with nothing_to_lose():
            return await files.fetch(self._open(), external_id, limit)

    def listens(self) -> bool:
        return bool(self._setting("bot_token"))

    async def listen(self, cursor: str, store: Store) -> None:
        # discord.py takes a second to import: only who listens pays
        from channels_adapters.adapters.discord.listening import Listener

        self._listener = Listener(self._open(), self._setting("bot_token"), store)
        try:
            await self._listener.run(cursor)
        finally:
            self._listener = None

    async def check(self, hook_url: str) -> Check:
        at_the_hook = self._setting("interactions").lower() == "webhook"
        return await check(self._open, hook_url if at_the_hook else "", may_be_http=bool(self._setting("api_url")))

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        application = self._setting("application_id")
        if not application:
            return ()
        query = f"client_id={application}&scope=bot&permissions={_PERMISSIONS}"
        return (("Link that puts the bot into a server", f"https://discord.com/oauth2/authorize?{query}"),)

    async def close(self) -> None:
        """A line that listens ends as Retryable: whoever listens goes on with the connection's new settings."""
        client, self._client = self._client, None
        if self._listener is not None:
            await self._listener.end()
        if client is not None:
            await client.close()

    def _public_key(self) -> str:
        if self._setting("public_key") or not self._setting("private_key_seed"):
            return self._setting("public_key")
        try:
            own = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._setting("private_key_seed")))
        except ValueError:
            return ""
        return own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def _open(self) -> Client:
        """The bot's connections, made at first use on the loop that uses them."""
        if not _TOKEN.fullmatch(self._setting("bot_token")):
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)  # not Refused: what waits goes out when the token is mended
        if self._client is None:
            own = self._setting("api_url").rstrip("/").removesuffix("/api/v10")
            self._client = Client(self._setting("bot_token"), own, self.call_seconds)
        return self._client
