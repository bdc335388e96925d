"""Facebook Messenger, and comments under a page's posts, through Meta's Graph API."""

import asyncio

from channels_adapters.contract import (
    Capabilities,
    Check,
    OutboundAct,
    OutboundPart,
    SendFailed,
    SendReceipt,
    Setting,
)
from channels_adapters.meta import replies
from channels_adapters.meta.account import API_URL, MEGABYTE, VERIFY_TOKEN, MetaAdapter, app_secret
from channels_adapters.meta.comments import read_facebook
from channels_adapters.meta.connecting import not_subscribed, other_address, wrong_secret
from channels_adapters.meta.errors import nothing_to_lose
from channels_adapters.meta.graph import Graph
from channels_adapters.meta.items import read_events
from channels_adapters.reading import Fields
from conversations.normalized import Inbound, Sender
from conversations.text import clean, clean_line

_FIELDS = (
    "messages,messaging_postbacks,messaging_referrals,messaging_optins,message_reads,message_deliveries,"
    "message_reactions,message_edits,messaging_policy_enforcement,feed"
)
_WAY = replies.Way(
    label="Messenger",
    platform="messenger",
    answers="comments",
    hides="is_hidden",
    media=(),
    image_limit=8 * MEGABYTE,
    file_limit=25 * MEGABYTE,
)


class MessengerAdapter(MetaAdapter):
    """One page."""

    channel = "messenger"
    label = "Messenger"
    object_kind = "page"
    token_key = "page_token"
    capabilities = Capabilities(
        text_limit=2000,
        takes_in=(
            *("text", "image", "video", "audio", "file", "sticker", "location", "album", "button"),
            *("reply", "reaction", "edit", "delete", "receipt", "public"),
        ),
        files=True,
        file_limit=25 * MEGABYTE,
        replies=True,
        buttons=replies.QUICK_REPLIES,
        button_limit=replies.LABEL,
        window_hours=24,
        tag_hours=7 * 24,
        typing=True,
        read_marks=True,
        receipts=("delivered", "read"),
        deletes=True,
        public_posts=True,
        private_answers=True,
        hides=True,
        likes=True,
        profiles=True,
        per_second=300,
    )
    settings_form = (
        Setting("page_id", "Page id", "On the page: About, Page transparency."),
        Setting("page_token", "Page access token", "In Meta's app settings: Messenger, API settings.", secret=True),
        Setting("app_id", "App id", "In Meta's app settings: Basic."),
        app_secret("In Meta's app settings: Basic."),
        VERIFY_TOKEN,
        API_URL,
    )

    def identity_scope(self) -> str:
        return self._setting("page_id")  # the same person has another id at another page

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        return (("Messenger", f"https://m.me/{self._setting('page_id')}"),)

    def _read(self, delivery: Fields) -> list[Inbound]:
        return read_events(delivery, self._setting("page_id"), self.channel, read_facebook)

    async def _send(self, graph: Graph, part: OutboundPart) -> SendReceipt:
        text = clean(part.text).strip()
        return SendReceipt(await replies.send(graph, _WAY, part, [text] if text else []))

    async def act(self, act: OutboundAct) -> None:
        graph = self._open()
        with nothing_to_lose():
            await replies.act(graph, _WAY, act)

    async def typing(self, thread_id: str) -> None:
        graph = self._open()
        with nothing_to_lose():
            await replies.signal(graph, thread_id, "typing_on")

    async def fetch(self, external_id: str, limit: int) -> bytes:
        return await self._open().download(external_id, limit)

    async def profile(self, address: str) -> Sender | None:
        graph, person = self._open(), replies.person_of(address)
        with nothing_to_lose():
            told = await graph.get(person, fields="first_name,last_name,profile_pic")
        name = clean_line(f"{told.text('first_name')} {told.text('last_name')}", 160)
        return Sender(address=person, name=name, picture=told.text("profile_pic")) if name else None

    async def check(self, hook_url: str) -> Check:
        try:
            graph = self._open()
            with nothing_to_lose():
                page = await graph.get("me", fields="id,name")
        except SendFailed as failure:
            return Check(problems=(failure.reason,))
        if page.text("id") != self._setting("page_id"):
            return Check(problems=(f"The token is that of another page: {clean_line(page.text('name'), 100)}",))
        token, secret = self._setting("page_token"), self._setting("app_secret")
        problems = await asyncio.gather(
            wrong_secret(graph, token, secret), not_subscribed(graph, _FIELDS), self._not_told(graph, hook_url)
        )
        facts = {"page": clean_line(page.text("name"), 200)}
        return Check(problems=tuple(filter(None, problems)), facts=facts)

    async def _not_told(self, graph: Graph, hook_url: str) -> str:
        app_id = self._setting("app_id")
        app = graph.as_app(app_id, self._setting("app_secret"))
        wanted = {"object": "page", "callback_url": hook_url, "verify_token": self._setting("verify_token")}
        try:
            return await other_address(app, app_id, {**wanted, "fields": _FIELDS})
        finally:
            await app.close()
