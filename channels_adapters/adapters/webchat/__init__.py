"""Web chat, our own channel: a visitor's page posts to the hook and reads what is stored. Nothing leaves the house."""

import re
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.http.request import validate_host
from django.utils.translation import gettext as _

from channels_adapters.adapters.webchat import limits, visitors
from channels_adapters.adapters.webchat.fields import TEXT_LIMIT, Body, BrokenBody, TooLong
from channels_adapters.contract import (
    Capabilities,
    ChannelAdapter,
    Check,
    HookRequest,
    OutboundAct,
    OutboundPart,
    Refused,
    SendReceipt,
    Setting,
    Unreadable,
    WebhookRejected,
)
from conversations.normalized import Inbound

_KEY = re.compile(r"/hooks/([A-Za-z0-9_-]{1,40})/?$")
_SITE = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?")


class WebChatAdapter(ChannelAdapter):
    """The web chat of one inbox."""

    channel = "webchat"
    label = "Web chat"
    capabilities = Capabilities(
        text_limit=TEXT_LIMIT,
        takes_in=("text", "image", "video", "audio", "file", "receipt", "typing"),
        files=True,
        file_limit=django_settings.FILE_SIZE_LIMIT,
        typing=True,
        receipts=("delivered", "read"),
        edits=True,
        deletes=True,
        repeatable=True,
    )
    settings_form = (
        Setting("title", "Title", "Stands at the top of the chat. Empty: the workspace's name.", required=False),
        Setting("greeting", "Greeting", "The first words a visitor sees. Empty: a plain hello.", required=False),
        Setting(
            "allowed_sites",
            "Sites that may show the chat",
            "Their addresses with commas between, as https://shop.example. Empty: any site.",
            required=False,
        ),
        Setting(
            "new_visitors",
            "New visitors a minute",
            "From one network address, before we ask to wait. Raise it where many people share one address.",
            required=False,
            default=str(limits.NEW_VISITORS),
        ),
    )
    body_limit = 128 * 1024

    @property
    def allowed_sites(self) -> tuple[str, ...]:
        """Origins that may embed the chat; none named: any may."""
        return tuple(site for site in self._named_sites if _SITE.fullmatch(site))

    @property
    def _named_sites(self) -> list[str]:
        return [site.rstrip("/").lower() for site in re.split(r"[\s,]+", self.settings.get("allowed_sites", ""))]

    @property
    def new_visitors_a_minute(self) -> int:
        given = self.settings.get("new_visitors", "")
        return int(given) if given.isascii() and given.isdigit() and 0 < int(given) < 100_000 else limits.NEW_VISITORS

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        widget = f'<script src="{public_url}/widget.js" data-inbox="{key}" async></script>'
        return (_("Hosted page"), f"{public_url}/chat/{key}/"), (_("On your site"), widget)

    def authenticate(self, request: HookRequest) -> None:
        key = _KEY.search(request.path)
        visitor = visitors.read(request.headers.get(visitors.HEADER, ""), key[1]) if key else None
        if visitor is None:
            raise WebhookRejected("This chat does not know you: open its page again.")
        self._check_origin(request)
        body = _body(request.body)
        if body.visitor != visitor:
            raise WebhookRejected("`visitor` is somebody else.")
        may_go_on = limits.may_mark_read if body.is_read_mark else limits.may_write
        if not may_go_on(visitor):
            raise WebhookRejected(
                "That was a lot at once: wait a minute, then send it again.", status=429, retry_after=60
            )

    def delivery_id(self, body: bytes) -> str:
        posted = _body(body)
        try:
            posted.check()
        except TooLong as error:
            raise WebhookRejected(str(error), status=413) from error
        except BrokenBody as error:
            raise WebhookRejected(str(error), status=400) from error
        if posted.is_read_mark:
            return f"{posted.visitor}:read:{posted.at.timestamp():.3f}"
        return f"{posted.visitor}:{posted.cid}"

    def parse(self, body: bytes) -> list[Inbound]:
        try:
            return [Body(body).as_inbound()]
        except BrokenBody as error:
            raise Unreadable(str(error)) from error

    async def send(self, part: OutboundPart) -> SendReceipt:
        """The message is there for the visitor to read once this is written down."""
        return SendReceipt(external_id=str(part.delivery_id))

    async def act(self, act: OutboundAct) -> None:
        """The visitor's page shows a message as it stands once this is written down."""
        if act.kind not in ("edit", "delete"):
            raise Refused("the web chat cannot do this")

    async def check(self, hook_url: str) -> Check:
        wrong = [site for site in self._named_sites if site and not _SITE.fullmatch(site)]
        return Check(problems=tuple(f"{site!r} is no site: write it as https://shop.example" for site in wrong))

    def _check_origin(self, request: HookRequest) -> None:
        """A browser names the page that posts; what is no browser has no page, and the token alone counts."""
        origin = request.headers.get("origin")
        if origin is not None and not self._is_ours(origin.lower(), request.headers.get("host", "").lower()):
            raise WebhookRejected("Messages are not taken from this site.")

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin == django_settings.PUBLIC_URL.lower() or origin in self.allowed_sites:
            return True
        asked = urlsplit(f"//{host}").hostname or ""
        return origin in (f"http://{host}", f"https://{host}") and validate_host(asked, django_settings.ALLOWED_HOSTS)


def _body(raw: bytes) -> Body:
    try:
        return Body(raw)
    except BrokenBody as error:
        raise WebhookRejected(str(error), status=400) from error
