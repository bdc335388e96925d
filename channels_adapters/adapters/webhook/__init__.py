"""Any system of your own: signed calls both ways, as `docs/webhook-channel.md` describes them for its builders."""

import json
from typing import Any, ClassVar
from urllib.parse import urlsplit

from channels_adapters.adapters.webhook import sending
from channels_adapters.adapters.webhook.attachments import WITHIN, bytes_within
from channels_adapters.adapters.webhook.parsing import KEY_LINE, read_call, read_events, word
from channels_adapters.adapters.webhook.signing import verify
from channels_adapters.calls import Platform, repeat_key
from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    Check,
    HookAnswer,
    HookRequest,
    OutboundAct,
    OutboundPart,
    Refused,
    SendFailed,
    SendReceipt,
    Setting,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken
from conversations.normalized import Inbound
from crm.web import outgoing
from crm.workspace import clock

_KEY_LIMIT = 128  # characters


class WebhookAdapter(ChannelAdapter):
    """One system beside us."""

    channel = "webhook"
    label = "Webhook"
    capabilities = Capabilities(
        text_limit=20_000,
        takes_in=(
            *("text", "image", "video", "audio", "file", "sticker", "location", "contact", "album", "button"),
            *("reply", "forward", "reaction", "edit", "delete", "receipt", "typing", "group", "public"),
        ),
        files=True,
        file_limit=25 * 1024 * 1024,
        caption_limit=20_000,
        replies=True,
        buttons=10,
        button_limit=80,
        typing=True,
        read_marks=True,
        receipts=("delivered", "read"),
        edits=True,
        deletes=True,
        reactions=True,
        public_posts=True,
        private_answers=True,
        starts=True,
        repeatable=True,
    )
    settings_form = (
        Setting(
            "callback_url",
            "Your system's address",
            "An https address: each answer is posted there, signed. Empty: messages come in, and none can be answered.",
            required=False,
        ),
        Setting(
            "secret",
            "Secret",
            "Signs the calls of both sides. Leave it empty and one is made up; give it to your system.",
            secret=True,
            required=False,
            made=True,
        ),
        Setting(
            "old_secret",
            "Secret until now",
            "While you change the secret: calls that are still signed with this one are taken too.",
            secret=True,
            required=False,
        ),
        Setting(
            "api_key",
            "Key instead of a signature",
            "For systems that cannot sign: a long random text, which they show as “Authorization: Bearer …”.",
            secret=True,
            required=False,
        ),
        Setting(
            "api_url",
            "Another address of your system",
            "Leave it empty. Scheme, host and port that stand for those of your system's address; may be private.",
            required=False,
            by_hand=False,
        ),
    )
    accepted = HookAnswer(202, b'{"id": null}', "application/json")
    call_seconds: ClassVar[float] = 10
    calls_per_second: ClassVar[int] = 20

    _platform: Platform | None = None

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        return (("Your system posts to", f"{public_url}/hooks/{key}/"),)

    def authenticate(self, request: HookRequest) -> None:
        secrets = (self._setting("secret"), self._setting("old_secret"))
        verify(request, secrets=secrets, api_key=self._setting("api_key"))
        if request.method == "POST" and not _is_json(request.headers.get("content-type", "application/json")):
            raise WebhookRejected("the content type must be application/json", status=415)

    def answer(self, request: HookRequest) -> HookAnswer | None:
        """A signed GET tries the connection."""
        return HookAnswer(200, b'{"channel": "webhook"}', "application/json") if request.method == "GET" else None

    def keep(self, request: HookRequest) -> bytes:
        key = request.headers.get("idempotency-key", "").strip()[:_KEY_LIMIT]
        usable = key if key.isascii() and key.isprintable() else ""
        return KEY_LINE + usable.encode() + b"\n" + request.body if usable else request.body

    def delivery_id(self, body: bytes) -> str:
        try:
            said, call_id = read_call(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        return f"{word(said, 'type')[:40]}:{call_id[:_KEY_LIMIT]}" if call_id else super().delivery_id(body)

    def acknowledge(self, delivery_id: str) -> HookAnswer:
        return HookAnswer(202, json.dumps({"id": delivery_id}).encode(), "application/json")

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return read_events(*read_call(body))
        except Broken as error:
            raise Unreadable(f"webhook: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None:
            raise Refused("there is nothing to send")
        key = str(repeat_key(part))
        answer = await self._call("message.created", key, sending.data_of(part, key))
        return SendReceipt(word(answer.fields(), "id") or key)

    async def act(self, act: OutboundAct) -> None:
        event, said = sending.event_of(act)
        await self._call(event, f"act-{act.delivery_id}-{act.kind}-{act.target}"[:_KEY_LIMIT], said)

    async def typing(self, thread_id: str) -> None:
        await self._call("typing", f"typing-{clock.now().timestamp():.3f}", {"conversation": thread_id})

    async def fetch(self, external_id: str, limit: int) -> bytes:
        return await self._open().download(external_id, limit)

    def carries(self, external_id: str) -> bool:
        return external_id.startswith(WITHIN)

    def unpack(self, body: bytes, external_id: str, limit: int) -> bytes:
        try:
            data = bytes_within(read_call(body)[0], external_id)
        except Broken:
            data = b""
        if not 0 < len(data) <= limit:
            raise Refused("the file is not in the call, or larger than this inbox takes")
        return data

    async def check(self, hook_url: str) -> Check:
        facts = {"your system posts to": hook_url}
        if not self._address():
            return Check(facts=facts | {"answers": "are refused: there is no address of your system"})
        try:
            await self._call("ping", f"ping-{clock.now().timestamp():.3f}", {})
        except SendFailed as failure:
            return Check(problems=(failure.reason,), facts=facts)
        return Check(facts=facts)

    async def close(self) -> None:
        platform, self._platform = self._platform, None
        if platform is not None:
            await platform.close()

    async def _call(self, event: str, key: str, said: dict[str, Any]) -> Any:
        url = self._address()
        if not url:
            raise Refused("this inbox has no address of the other system: give it one in the settings")
        if not (url.startswith("https://") or self._setting("api_url")):
            raise Refused("the other system's address must begin with https://")
        try:
            outgoing.check(url)
        except outgoing.NotAllowed as error:
            raise Refused(str(error)) from error
        return await sending.call(self._open(), url, self._setting("secret"), event, key, said)

    def _address(self) -> str:
        """Where our calls go: at another host when it was set from the command line."""
        url, instead = self._setting("callback_url"), self._setting("api_url").rstrip("/")
        if not instead:
            return url
        parts = urlsplit(url)
        return f"{instead}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")

    def _open(self) -> Platform:
        if self._platform is None:
            self._platform = Platform(
                "The other system", api_url=self._setting("api_url"), call_seconds=self.call_seconds
            )
        return self._platform


def _is_json(content_type: str) -> bool:
    kind = content_type.split(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
