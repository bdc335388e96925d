"""SMS, MMS and WhatsApp through Twilio: a number alone is an SMS thread, `whatsapp:+46...` one of WhatsApp."""

import base64
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import quote, urlsplit

from django.conf import settings as django_settings

from channels_adapters.adapters.twilio import sending
from channels_adapters.adapters.twilio.addresses import WHATSAPP, thread_of
from channels_adapters.adapters.twilio.errors import BAD_TOKEN, TOKEN_PAUSE, failure
from channels_adapters.adapters.twilio.fields import FORM
from channels_adapters.adapters.twilio.parsing import read_events, read_webhook, sid_of, status_of
from channels_adapters.adapters.twilio.signing import verify
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
    Template,
    Unreadable,
    WebhookRejected,
)
from channels_adapters.reading import Broken
from conversations.normalized import Inbound

_TYPING = "https://messaging.twilio.com/v2/Indicators/Typing.json"
_SERVICES = "https://messaging.twilio.com/v1/Services"


class TwilioAdapter(ChannelAdapter):
    """One account, with a number for SMS, for WhatsApp, or for both."""

    channel = "twilio"
    label = "Twilio"
    capabilities = Capabilities(
        text_limit=1_600,
        takes_in=(
            *("text", "image", "video", "audio", "voice", "file", "sticker", "location", "album", "button"),
            *("reply", "forward", "receipt"),
        ),
        files=True,
        file_limit=16 * 1024 * 1024,
        caption_limit=1_600,
        templates=True,
        window_hours=24,
        window_on=WHATSAPP,
        typing=True,
        receipts=("delivered", "read"),
        starts=True,
    )
    settings_form = FORM
    answer_within = 10.0
    accepted = HookAnswer(200, b"<Response/>", "text/xml")  # any word in it would be sent to the customer
    call_seconds: ClassVar[float] = 30

    _platform: Platform | None = None

    def authenticate(self, request: HookRequest) -> None:
        verify(request, self._setting("auth_token"), self._addresses(request.path))

    def keep(self, request: HookRequest) -> bytes:
        """The form, and what stood in the address: our number of the part, or all of a GET."""
        if request.method != "POST" or not request.body:
            return request.query.encode("utf-8", "surrogateescape")
        is_form = bool(request.query) and not request.body.lstrip().startswith((b"{", b"["))
        return request.body + b"&" + request.query.encode("utf-8", "surrogateescape") if is_form else request.body

    def delivery_id(self, body: bytes) -> str:
        try:
            said = read_webhook(body)
        except Broken as error:
            raise WebhookRejected(str(error), status=400) from error
        name = ":".join(word[:60] for word in (sid_of(said), status_of(said)) if word)
        return name or super().delivery_id(body)

    def parse(self, body: bytes) -> list[Inbound]:
        own = (thread_of(self._setting("sms_number")), thread_of(WHATSAPP + self._setting("whatsapp_number")))
        try:
            return read_events(read_webhook(body), {place for place in own if place})
        except (Broken, WebhookRejected) as error:
            raise Unreadable(f"Twilio webhook: {error}") from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        if not part.text.strip() and part.file is None and part.template is None:
            raise Refused("there is nothing to send")
        return await sending.send(self._open(), self._account(), part)

    async def templates(self) -> list[Template]:
        return await sending.list_templates(self._open(), self._account())

    async def typing_under(self, thread_id: str, message_id: str) -> None:
        """On WhatsApp, which shows it under the customer's message and marks that as read."""
        if not thread_id.startswith(WHATSAPP) or not message_id:
            return
        form = [("messageId", message_id), ("channel", "whatsapp")]
        with nothing_to_lose():
            answer = await self._open().call("POST", _TYPING, headers=self._account().headers, form=form)
            if not answer.is_good:
                raise failure(answer)

    async def fetch(self, external_id: str, limit: int) -> bytes:
        if not self._is_twilio(external_id):
            raise Refused("the file does not lie with Twilio")
        return await self._open().download(external_id, limit, self._account().headers)

    async def check(self, hook_url: str) -> Check:
        facts = {"hook_url": hook_url, "in Twilio's console": f"the WhatsApp sender posts to {hook_url}"}
        number = self._setting("sms_number")
        try:
            with nothing_to_lose():
                found = await self._number(number)
                if number and not found:
                    return Check((f"The account has no number {number}.",), facts)
                if not self._is_reached(hook_url):
                    return Check(("Twilio cannot call us: set PUBLIC_URL to a public https address.",), facts)
                if found:
                    await self._register(found, hook_url)
        except SendFailed as failed:
            return Check((failed.reason,), facts)
        return Check(facts=facts)

    async def close(self) -> None:
        platform, self._platform = self._platform, None
        if platform is not None:
            await platform.close()

    async def _number(self, number: str) -> str:
        """Twilio's id of our number; '' when it is not ours. Also tells whether the token is good."""
        path = f"IncomingPhoneNumbers.json?PhoneNumber={quote(number, safe='')}&PageSize=1"
        answer = await self._open().call("GET", self._account().address(path), headers=self._account().headers)
        if not answer.is_good:
            raise failure(answer)
        listed = answer.fields().many("incoming_phone_numbers")
        return next((found.text("sid") for found in listed if number), "")

    async def _register(self, sid: str, hook_url: str) -> None:
        """Messages to the number, or to the service that it belongs to, are posted to us."""
        account, service = self._account(), self._setting("messaging_service_sid")
        url, form = (
            account.address(f"IncomingPhoneNumbers/{quote(sid, safe='')}.json"),
            {"SmsUrl": hook_url, "SmsMethod": "POST"},
        )
        if service:
            url, form = (
                f"{_SERVICES}/{quote(service, safe='')}",
                {"InboundRequestUrl": hook_url, "InboundMethod": "POST"},
            )
        answer = await self._open().call("POST", url, headers=account.headers, form=list(form.items()))
        if not answer.is_good:
            raise failure(answer)

    def _addresses(self, path: str) -> Iterator[str]:
        """What Twilio may have called us by: our own address, or that of a proxy in front."""
        yield f"{django_settings.PUBLIC_URL}{path}"
        if self._setting("hook_url"):
            yield self._setting("hook_url")
        base = self._setting("webhook_base").rstrip("/")
        if base:
            after_key = "/" + "/".join(path.split("/")[3:])  # /hooks/<key>/...
            yield from (base, f"{base}{path}", f"{base}{after_key}", f"{base}{self._setting('webhook_path')}")

    def _account(self) -> sending.Account:
        sid, token = self._setting("account_sid"), self._setting("auth_token")
        if not sid or not token or not f"{sid}{token}".isascii():
            raise Retryable(BAD_TOKEN, TOKEN_PAUSE)
        proof = base64.b64encode(f"{sid}:{token}".encode()).decode()
        hook_url = self._setting("hook_url")
        return sending.Account(
            sid=sid,
            headers={"authorization": f"Basic {proof}"},
            sms_number=self._setting("sms_number"),
            whatsapp_number=self._setting("whatsapp_number").removeprefix(WHATSAPP),
            messaging_service_sid=self._setting("messaging_service_sid"),
            status_url=hook_url if self._is_reached(hook_url) else "",
        )

    def _is_reached(self, hook_url: str) -> bool:
        return hook_url.startswith("https://") or bool(hook_url and self._setting("api_url"))

    def _is_twilio(self, url: str) -> bool:
        parts = urlsplit(url)
        own = urlsplit(self._setting("api_url")).netloc
        host = parts.hostname or ""
        is_theirs = host.endswith((".twilio.com", ".twiliocdn.com")) and parts.scheme == "https"
        return is_theirs or (bool(own) and parts.netloc == own)

    def _open(self) -> Platform:
        if self._platform is None:
            self._platform = Platform("Twilio", sending.HOSTS, self._setting("api_url"), self.call_seconds)
        return self._platform
