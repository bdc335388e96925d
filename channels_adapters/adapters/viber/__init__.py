"""Viber, through the REST API for bots: callbacks in, one call for each message out."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

from channels_adapters.adapters.viber import sending
from channels_adapters.adapters.viber.errors import BAD_TOKEN, TOKEN_PAUSE, failure
from channels_adapters.adapters.viber.fields import FORM
from channels_adapters.adapters.viber.parsing import delivery_id, read_callback, read_events, token_of
from channels_adapters.calls import Platform, nothing_to_lose
from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    Check,
    HookAnswer,
    HookRequest,
    OutboundPart,
    Refused,
    Retryable,
    SendFailed,
    SendReceipt,
    Uncertain,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken, Fields
from conversations.normalized import Inbound

_API = "https://chatapi.viber.com/pa"
_EVENTS = ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"]


class ViberAdapter(ChannelAdapter):
    """One bot."""

    channel = "viber"
    label = "Viber"
    capabilities = Capabilities(
        text_limit=7_000,
        takes_in=("text", "image", "video", "file", "sticker", "location", "contact", "button", "receipt"),
        files=True,
        file_limit=50 * 1024 * 1024,
        caption_limit=768,
        buttons=24,
        button_limit=250,
        receipts=("delivered", "read"),
    )
    settings_form = FORM
    accepted = HookAnswer(200, b"", "application/json")

    _platform: Platform | None = None

    def identity_scope(self) -> str:
        """Ids are the bot's own; its token, which nobody may read, stays the same for its life."""
        token = self._setting("auth_token")
        return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:16] if token else ""

    def authenticate(self, request: HookRequest) -> None:
        token = self._setting("auth_token").encode()
        given = request.headers.get("x-viber-content-signature") or parse_qs(request.query).get("sig", [""])[0]
        made = hmac.new(token, request.body, hashlib.sha256).hexdigest()
        if not token or not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), made.encode()):
            raise WebhookRejected("the request is not signed with the bot's token", status=403)

    def answer(self, request: HookRequest) -> HookAnswer | None:
        """Viber tries the address out while it is being set."""
        try:
            is_a_try = read_callback(request.body).text("event") == "webhook"
        except Broken:
            return None
        return self.accepted if is_a_try else None

    def delivery_id(self, body: bytes) -> str:
        try:
            return delivery_id(read_callback(body)) or super().delivery_id(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error

    def acknowledge(self, delivery_id: str) -> HookAnswer:
        """Who opens the bot can be welcomed in this answer, and only in it."""
        welcome = self._setting("welcome")
        if not welcome or not delivery_id.startswith("conversation_started:"):
            return self.accepted
        said = {
            "type": "text",
            "text": welcome[:7_000],
            "sender": {"name": self._setting("bot_name")[:28] or "Support"},
        }
        return HookAnswer(200, json.dumps(said).encode(), "application/json")

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return read_events(read_callback(body))
        except Broken as error:
            raise Unreadable(f"Viber callback: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        name, avatar = self._setting("bot_name"), self._setting("bot_avatar")
        is_local = bool(self._setting("api_url"))
        said = await self._call("send_message", sending.message_of(part, name=name, avatar=avatar, is_local=is_local))
        if not token_of(said):
            raise Uncertain("Viber's answer made no sense")
        return SendReceipt(token_of(said))

    async def fetch(self, external_id: str, limit: int) -> bytes:
        return await self._open().download(external_id, limit)

    async def check(self, hook_url: str) -> Check:
        if not hook_url.startswith("https://") and not self._setting("api_url"):
            return Check(("Viber calls only https addresses: set PUBLIC_URL to a public one.",))
        try:
            with nothing_to_lose():
                me = await self._call("get_account_info", {})
                facts = {"bot": me.text("name"), "subscribers": me.identifier("subscribers_count")}
                facts = {key: value for key, value in facts.items() if value}
                wanted = {"url": hook_url, "event_types": _EVENTS, "send_name": True, "send_photo": True}
                await self._call("set_webhook", wanted)
        except SendFailed as failed:
            return Check((failed.reason,))
        return Check(facts=facts)

    async def close(self) -> None:
        platform, self._platform = self._platform, None
        if platform is not None:
            await platform.close()

    async def _call(self, method: str, said: dict[str, Any]) -> Fields:
        token = self._setting("auth_token")
        if not token or not token.isascii() or not token.isprintable():
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)
        answer = await self._open().call("POST", f"{_API}/{method}", headers={"x-viber-auth-token": token}, json=said)
        if failed := failure(answer):
            raise failed
        return answer.fields()

    def _open(self) -> Platform:
        if self._platform is None:
            self._platform = Platform("Viber", ("chatapi.viber.com",), self._setting("api_url"), self.call_seconds)
        return self._platform
