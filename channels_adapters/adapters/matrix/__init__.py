"""Matrix, as an account on any homeserver: by long polling of /sync; answers by the client-server API."""

import asyncio
import re
from typing import ClassVar, NoReturn
from urllib.parse import urlsplit

from channels_adapters.adapters.matrix import sending
from channels_adapters.adapters.matrix.client import API, Client
from channels_adapters.adapters.matrix.content import place_of_file
from channels_adapters.adapters.matrix.errors import BAD_TOKEN, TOKEN_PAUSE, plain_words
from channels_adapters.adapters.matrix.listening import Listener
from channels_adapters.adapters.matrix.parsing import read_events
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
_TOKEN = re.compile(r"[!-~]{1,4000}", re.ASCII)
_POLICIES = ("accept", "ignore")


class MatrixAdapter(ChannelAdapter):
    """One account."""

    channel = "matrix"
    label = "Matrix"
    capabilities = Capabilities(
        text_limit=8_000,  # an event is 65,536 bytes at most, and an edit holds its text twice
        takes_in=(
            *("text", "image", "video", "audio", "voice", "file", "sticker", "location"),
            *("reply", "reaction", "edit", "delete", "receipt", "typing", "group"),
        ),
        files=True,
        file_limit=50 * _MEGABYTE,
        caption_limit=8_000,
        replies=True,
        typing=True,
        read_marks=True,
        receipts=("read",),
        edits=True,
        deletes=True,
        reactions=True,
        repeatable=True,
    )
    settings_form = (
        Setting(
            "homeserver",
            "Address of the homeserver",
            'https://…, as Element shows it under "Settings, Help & About".',
            unless="api_url",
        ),
        Setting(
            "access_token",
            "Access token",
            'Of an account made for this inbox. Element shows it under "Settings, Help & About, Advanced". '
            "Do not sign that session out afterwards: it would take the token back.",
            secret=True,
        ),
        Setting(
            "invites",
            "Invitations",
            '"accept": whoever invites the account is answered. "ignore": it stays where it was put by hand.',
            required=False,
            default="accept",
        ),
        Setting(
            "user_id", "User id", "Leave it empty: the connection test fills it in.", required=False, by_hand=False
        ),
        Setting(
            "api_url",
            "Address of a homeserver inside your own network",
            "Scheme, host and port, in place of the public address.",
            required=False,
            by_hand=False,
        ),
    )

    poll_seconds: ClassVar[float] = 25  # how long the homeserver holds a poll open while nothing happens
    send_seconds: ClassVar[float] = 50  # for all of a send, uploads too: less than the lease of a delivery

    _client: Client | None = None

    def authenticate(self, request: HookRequest) -> NoReturn:
        raise WebhookRejected("Matrix messages are fetched: nothing is posted here", status=403)

    def delivery_id(self, body: bytes) -> str:
        try:
            delivery = read_object(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        return delivery.one("event").text("event_id") or super().delivery_id(body)

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return read_events(read_object(body))
        except Broken as error:
            raise Unreadable(f"Matrix event: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        client = self._open()
        with plain_words():
            async with asyncio.timeout(self.send_seconds):
                return SendReceipt(await sending.send(client, part))

    async def act(self, act: OutboundAct) -> None:
        client = self._open()
        with plain_words():
            async with asyncio.timeout(self.send_seconds):
                await sending.act(client, act, await self._me(client))

    async def typing(self, thread_id: str) -> None:
        client = self._open()
        await sending.typing(client, thread_id, await self._me(client))

    async def fetch(self, external_id: str, limit: int) -> bytes:
        place = place_of_file(external_id)
        if place is None:
            raise Refused("this is no file of Matrix")
        return await self._open().download(*place, limit)

    def listens(self) -> bool:
        return True

    async def listen(self, cursor: str, store: Store) -> None:
        client, joins = self._open(), self._setting("invites").lower() != "ignore"
        listener = Listener(client, await self._me(client), store, joins=joins, wait=self.poll_seconds)
        await listener.run(cursor)

    async def check(self, hook_url: str) -> Check:
        if self._setting("invites").lower() not in ("", *_POLICIES):
            return Check(problems=('Invitations are "accept" or "ignore".',))
        try:
            client = self._open()
            facts = {"user_id": await self._asked_me(client)}
            largest = (await client.call("GET", "/_matrix/client/v1/media/config")).size("m.upload.size")
        except SendFailed as failure:
            return Check(problems=(f"{failure.reason[:1].upper()}{failure.reason[1:]}.",))
        if largest:
            facts["largest file"] = f"{largest // _MEGABYTE} MB"
        return Check(facts=facts)

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        me = self._setting("user_id")
        return (("Link to a conversation", f"https://matrix.to/#/{me}"),) if me else ()

    async def close(self) -> None:
        """A poll that waits ends as Retryable: whoever listens goes on with the connection's new settings."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _me(self, client: Client) -> str:
        return self._setting("user_id") or await self._asked_me(client)

    async def _asked_me(self, client: Client) -> str:
        me = (await client.call("GET", f"{API}/account/whoami")).text("user_id")
        if not me:
            raise Retryable("the homeserver's answer made no sense")
        return me

    def _open(self) -> Client:
        """The account's connections, made at first use on the loop that uses them."""
        if not _TOKEN.fullmatch(self._setting("access_token")):
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)  # not Refused: what waits goes out when the token is mended
        if self._client is None:
            own = self._setting("api_url")
            address = (own or self._setting("homeserver")).rstrip("/")
            if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
                raise Retryable("the homeserver's address begins with https://", TOKEN_PAUSE)
            self._client = Client(
                address, self._setting("access_token"), may_be_private=bool(own), read_timeout=self.call_seconds
            )
        return self._client
