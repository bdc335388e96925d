"""Instagram's direct messages and comments, through Meta's Graph API.

A token of Instagram Login speaks to one host, that of a Facebook page to the other; it is seen by how the token begins.
"""

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
from channels_adapters.meta.comments import read_instagram
from channels_adapters.meta.connecting import not_subscribed
from channels_adapters.meta.errors import nothing_to_lose
from channels_adapters.meta.graph import FACEBOOK, INSTAGRAM, Graph
from channels_adapters.meta.items import read_events
from channels_adapters.reading import Fields
from conversations.normalized import Inbound, Sender
from conversations.parts import split
from conversations.text import clean, clean_line

_FIELDS = (
    "messages,messaging_postbacks,messaging_referral,messaging_seen,message_reactions,message_edit,comments,mentions"
)
_TEXT_BYTES = 1000  # of UTF-8
_HEART = "❤️"
_MEDIA: tuple[str, ...] = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
)
_MEDIA += ("video/x-msvideo", "audio/aac", "audio/mp4", "audio/x-m4a", "audio/wav", "audio/x-wav", "application/pdf")


class InstagramAdapter(MetaAdapter):
    """One professional account."""

    channel = "instagram"
    label = "Instagram"
    object_kind = "instagram"
    capabilities = Capabilities(
        text_limit=_TEXT_BYTES,
        takes_in=(
            *("text", "image", "video", "audio", "file", "sticker", "album", "button"),
            *("reply", "reaction", "edit", "delete", "receipt", "public"),
        ),
        files=True,
        file_limit=25 * MEGABYTE,
        media=_MEDIA,
        buttons=replies.QUICK_REPLIES,
        button_limit=replies.LABEL,
        window_hours=24,
        tag_hours=7 * 24,
        typing=True,
        read_marks=True,
        receipts=("read",),
        deletes=True,
        reactions=True,
        emojis=(_HEART,),
        public_posts=True,
        private_answers=True,
        hides=True,
        profiles=True,
        per_second=100,
    )
    settings_form = (
        Setting("ig_id", "Instagram account id", "In Meta's app settings: Instagram, API setup, beside the account."),
        Setting(
            "access_token",
            "Access token",
            "In Meta's app settings: Instagram, API setup, Generate token; or that of the page the account belongs to. "
            "It lasts 60 days.",
            secret=True,
        ),
        app_secret("In Meta's app settings: Instagram, API setup, Instagram app secret. With a page's token: Basic."),
        Setting(
            "facebook_app_secret",
            "Facebook app secret",
            "Only where deliveries come by both ways. In Meta's app settings: Basic.",
            secret=True,
            required=False,
        ),
        VERIFY_TOKEN,
        Setting("username", "Name", "Leave it empty: the connection test fills it in.", required=False, by_hand=False),
        API_URL,
    )

    def identity_scope(self) -> str:
        return self._setting("ig_id")  # the same person has another id at another account

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        name, hook = self._setting("username"), f"{public_url}/hooks/{key}/"
        found = (("Instagram", f"https://ig.me/m/{name}"),) if name else ()
        return (*found, ("Webhook: callback URL", hook), ("Webhook: verify token", self._setting("verify_token")))

    def _read(self, delivery: Fields) -> list[Inbound]:
        return read_events(delivery, self._setting("ig_id"), self.channel, read_instagram)

    async def _send(self, graph: Graph, part: OutboundPart) -> SendReceipt:
        return SendReceipt(await replies.send(graph, self._way(), part, in_bytes(clean(part.text))))

    async def act(self, act: OutboundAct) -> None:
        graph = self._open()
        with nothing_to_lose():
            if act.kind != "react":
                await replies.act(graph, self._way(), act)
            elif act.text:
                await replies.signal(graph, act.thread_id, "react", {"message_id": act.target, "reaction": "love"})
            else:
                await replies.signal(graph, act.thread_id, "unreact", {"message_id": act.target})

    async def typing(self, thread_id: str) -> None:
        graph = self._open()
        with nothing_to_lose():
            await replies.signal(graph, thread_id, "typing_on")

    async def fetch(self, external_id: str, limit: int) -> bytes:
        return await self._open().download(external_id, limit)

    async def profile(self, address: str) -> Sender | None:
        graph, person = self._open(), replies.person_of(address)
        with nothing_to_lose():
            told = await graph.get(person, fields="name,username,profile_pic")
        name, username = clean_line(told.text("name"), 160), clean_line(told.text("username"), 150)
        return (
            Sender(person, name or username, username, picture=told.text("profile_pic")) if name or username else None
        )

    async def check(self, hook_url: str) -> Check:
        try:
            graph = self._open()
            with nothing_to_lose():
                account = await graph.get(self._setting("ig_id"), fields="username,name")
        except SendFailed as failure:
            return Check(problems=(failure.reason,))
        problem = await not_subscribed(graph, _FIELDS if self._is_instagram_login() else "messages")
        facts = {"username": clean_line(account.text("username"), 150)}
        facts["in Meta's app settings"] = f"Webhooks, Instagram takes the address {hook_url} and the verify token"
        return Check(problems=(problem,) if problem else (), facts=facts)

    def _home(self) -> str:
        return INSTAGRAM if self._is_instagram_login() else FACEBOOK

    def _is_instagram_login(self) -> bool:
        return self._setting("access_token").startswith("IG")

    def _secrets(self) -> tuple[str, ...]:
        return (self._setting("app_secret"), self._setting("facebook_app_secret"))

    def _way(self) -> replies.Way:
        return replies.Way(
            label=self.label,
            platform="instagram",
            answers="replies",
            hides="hide",
            media=_MEDIA,
            image_limit=8 * MEGABYTE,
            file_limit=25 * MEGABYTE,
            by_address=self._is_instagram_login(),
        )


def in_bytes(text: str) -> list[str]:
    """The text in pieces that Instagram takes: it counts bytes, the hub counted characters."""
    width = _TEXT_BYTES
    while any(len(piece.encode()) > _TEXT_BYTES for piece in split(text, width)):
        width = width * 9 // 10
    return split(text, width)
