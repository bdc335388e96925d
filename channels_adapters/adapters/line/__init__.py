"""LINE, through the Messaging API: webhooks in, replies and pushes out."""

import base64
import hashlib
import hmac
from urllib.parse import quote

from channels_adapters.adapters.line import sending
from channels_adapters.adapters.line.attachments import STICKER
from channels_adapters.adapters.line.errors import BAD_TOKEN, TOKEN_PAUSE, failure
from channels_adapters.adapters.line.fields import FORM
from channels_adapters.adapters.line.parsing import delivery_id, read_events, read_webhook
from channels_adapters.answers import Answer
from channels_adapters.calls import Platform, nothing_to_lose
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
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken, Fields
from conversations.normalized import Inbound, Sender

_STICKERS = "https://stickershop.line-scdn.net/stickershop/v1/sticker"


class LineAdapter(ChannelAdapter):
    """One official account."""

    channel = "line"
    label = "LINE"
    capabilities = Capabilities(
        text_limit=5_000,
        takes_in=(
            *("text", "image", "video", "audio", "file", "sticker", "location", "album", "button"),
            *("reply", "delete", "group"),
        ),
        files=True,
        file_limit=25 * 1024 * 1024,
        caption_limit=2_000,
        replies=True,
        buttons=13,
        button_limit=20,
        typing=True,
        read_marks=True,
        profiles=True,
        per_second=2_000,
    )
    settings_form = FORM
    answer_within = 1.8  # LINE waits two seconds

    _platform: Platform | None = None

    def identity_scope(self) -> str:
        return self._setting("bot_user_id")

    def authenticate(self, request: HookRequest) -> None:
        secret = self._setting("channel_secret")
        made = base64.b64encode(hmac.new(secret.encode(), request.body, hashlib.sha256).digest())
        given = request.headers.get("x-line-signature", "").encode("utf-8", "surrogatepass")
        if not secret or not hmac.compare_digest(given, made):
            raise WebhookRejected("the request is not signed with the channel secret", status=403)

    def answer(self, request: HookRequest) -> HookAnswer | None:
        """The console's Verify button posts no events."""
        try:
            is_empty = read_webhook(request.body).raw.get("events") == []
        except Broken:
            return None
        return HookAnswer(200, b"{}", "application/json") if is_empty else None

    def delivery_id(self, body: bytes) -> str:
        try:
            return delivery_id(read_webhook(body)) or super().delivery_id(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return read_events(read_webhook(body), self._setting("bot_user_id"))
        except Broken as error:
            raise Unreadable(f"LINE webhook: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        return await sending.send(self._open(), self._headers(), part)

    async def act(self, act: OutboundAct) -> None:
        token = str(act.answers.get("read_token") or "")
        if act.kind != "read":
            raise Refused("LINE cannot do this")
        if token:  # of a message without one nobody can be told
            await self._post("chat/markAsRead", {"markAsReadToken": token})

    async def typing(self, thread_id: str) -> None:
        """The loading animation, which talks of two have; it ends with our message."""
        if thread_id.startswith("U"):
            await self._post("chat/loading/start", {"chatId": thread_id, "loadingSeconds": 20})

    async def fetch(self, external_id: str, limit: int) -> bytes:
        platform = self._open()
        if external_id.startswith(STICKER):
            number = quote(external_id.removeprefix(STICKER), safe="")
            return await platform.download(f"{_STICKERS}/{number}/android/sticker.png", limit)
        if external_id.startswith("https://"):  # it lies with whoever sent it
            return await platform.download(external_id, limit)
        return await platform.download(
            f"{sending.DATA}/message/{quote(external_id, safe='')}/content", limit, self._headers()
        )

    async def profile(self, address: str) -> Sender | None:
        """Name, picture and language; None of those who are no friends of the account."""
        with nothing_to_lose():
            answer = await self._get(f"profile/{quote(address, safe='')}")
        if answer.status == 404:
            return None
        if not answer.is_good:
            raise failure(answer)
        said = answer.fields()
        name, language = said.text("displayName"), said.text("language")
        return Sender(address=address, name=name, language=language, picture=said.text("pictureUrl"))

    async def check(self, hook_url: str) -> Check:
        try:
            with nothing_to_lose():
                me = self._good(await self._get("info"))
                facts = {"bot": me.text("displayName"), "id": me.text("basicId"), "bot_user_id": me.text("userId")}
                facts["messages this month"] = await self._quota()
                problem = await self._register(hook_url)
        except SendFailed as failed:
            return Check((failed.reason,))
        return Check((problem,) if problem else (), {key: value for key, value in facts.items() if value})

    async def close(self) -> None:
        platform, self._platform = self._platform, None
        if platform is not None:
            await platform.close()

    async def _register(self, hook_url: str) -> str:
        """LINE posts to us from now on; what stands in the way, '' when nothing does."""
        if not hook_url.startswith("https://") and not self._setting("api_url"):
            return "LINE calls only https addresses: set PUBLIC_URL to a public one."
        url = f"{sending.API}/channel/webhook/endpoint"
        self._good(await self._open().call("PUT", url, headers=self._headers(), json={"endpoint": hook_url}))
        registered = self._good(await self._get("channel/webhook/endpoint"))
        is_off = registered.raw.get("active") is False
        return "Switch “Use webhook” on: LINE Developers Console, Messaging API." if is_off else ""

    async def _quota(self) -> str:
        quota = (await self._get("message/quota")).fields()
        used = (await self._get("message/quota/consumption")).fields().number("totalUsage")
        if used is None:
            return ""
        return f"{used} of {quota.number('value')}" if quota.number("value") is not None else str(used)

    async def _get(self, path: str) -> Answer:
        return await self._open().call("GET", f"{sending.API}/{path}", headers=self._headers())

    async def _post(self, path: str, said: dict[str, object]) -> None:
        with nothing_to_lose():
            self._good(await self._open().call("POST", f"{sending.API}/{path}", headers=self._headers(), json=said))

    def _good(self, answer: Answer) -> Fields:
        if not answer.is_good:
            raise failure(answer)
        return answer.fields()

    def _headers(self) -> dict[str, str]:
        token = self._setting("channel_access_token")
        if not token or not token.isascii() or not token.isprintable():
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)
        return {"authorization": f"Bearer {token}"}

    def _open(self) -> Platform:
        if self._platform is None:
            self._platform = Platform("LINE", sending.HOSTS, self._setting("api_url"), self.call_seconds)
        return self._platform
