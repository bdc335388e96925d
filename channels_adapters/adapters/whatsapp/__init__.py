"""WhatsApp, through Meta's Cloud API: signed webhooks in, the Graph API out."""

import time

from channels_adapters.adapters.whatsapp import sending, templates
from channels_adapters.adapters.whatsapp.connecting import check
from channels_adapters.adapters.whatsapp.parsing import Account, read_events
from channels_adapters.contract import (
    Capabilities,
    Check,
    OutboundAct,
    OutboundPart,
    Refused,
    Retryable,
    SendReceipt,
    Setting,
    Template,
    TemplateUse,
)
from channels_adapters.meta.account import API_URL, MEGABYTE, VERIFY_TOKEN, MetaAdapter, app_secret
from channels_adapters.meta.errors import nothing_to_lose
from channels_adapters.meta.graph import Graph
from channels_adapters.reading import Fields
from conversations.normalized import Inbound
from conversations.text import clean

_LISTED_FOR = 300.0  # seconds that the list of templates is believed when one is sent
_PAGES = 20


class WhatsAppAdapter(MetaAdapter):
    """One number of a WhatsApp Business account."""

    channel = "whatsapp"
    label = "WhatsApp"
    object_kind = "whatsapp_business_account"
    capabilities = Capabilities(
        text_limit=4096,
        takes_in=(
            *("text", "image", "video", "audio", "voice", "file", "sticker", "location", "contact", "button"),
            *("reply", "forward", "reaction", "edit", "delete", "receipt", "group"),
        ),
        files=True,
        file_limit=100 * MEGABYTE,
        media=sending.MEDIA,
        caption_limit=1024,
        replies=True,
        buttons=sending.ROWS,
        button_limit=20,
        templates=True,
        window_hours=24,
        typing=True,
        read_marks=True,
        receipts=("delivered", "read"),
        reactions=True,
        starts=True,
        per_second=80,
    )
    settings_form = (
        Setting("phone_number_id", "Phone number id", "In Meta's app settings: WhatsApp, API setup. Not the number."),
        Setting("waba_id", "WhatsApp Business account id", "Beside the phone number id in Meta's app settings."),
        Setting(
            "access_token",
            "Access token",
            "Of a system user in the Business Manager, who has the rights whatsapp_business_messaging and "
            "whatsapp_business_management. The token shown on the page API setup lasts a day only.",
            secret=True,
        ),
        app_secret("In Meta's app settings: Basic."),
        VERIFY_TOKEN,
        Setting(
            "display_phone_number",
            "Number",
            "Leave it empty: the connection test fills it in.",
            required=False,
            by_hand=False,
        ),
        API_URL,
    )

    _listed: tuple[float, list[Template]] = (0.0, [])

    def identity_scope(self) -> str:
        return self._setting("waba_id")  # a person's id differs from business to business

    def places(self, public_url: str, key: str) -> tuple[tuple[str, str], ...]:
        number = self._number()
        return (("WhatsApp", f"https://wa.me/{number}"),) if number else ()

    def _read(self, delivery: Fields) -> list[Inbound]:
        ours = Account(self._setting("waba_id"), self._setting("phone_number_id"), self._number())
        return read_events(delivery, ours)

    async def _send(self, graph: Graph, part: OutboundPart) -> SendReceipt:
        template = await self._template(part.template) if part.template else None
        return SendReceipt(await self._outbox(graph).send(part, template))

    async def act(self, act: OutboundAct) -> None:
        graph = self._open()
        if act.kind == "react":
            reaction = {"message_id": act.target, "emoji": clean(act.text)}
            part = OutboundPart(act.delivery_id, act.thread_id)
            with nothing_to_lose():
                await self._outbox(graph).post(part, {"type": "reaction", "reaction": reaction})
        elif act.kind == "read":
            await self._mark_read(act.target)
        else:
            raise Refused("WhatsApp lets businesses neither change nor take back what they sent")

    async def typing_under(self, thread_id: str, message_id: str) -> None:
        await self._mark_read(message_id, typing_indicator={"type": "text"})

    async def templates(self) -> list[Template]:
        found: list[Template] = []
        graph, cursor = self._open(), ""
        with nothing_to_lose():
            for _ in range(_PAGES):
                query = {"fields": templates.FIELDS, "limit": "100"} | ({"after": cursor} if cursor else {})
                page, cursor = templates.page_of(
                    await graph.get(f"{self._setting('waba_id')}/message_templates", **query)
                )
                found += page
                if not cursor:
                    break
        self._listed = (time.monotonic(), found)
        return found

    async def fetch(self, external_id: str, limit: int) -> bytes:
        """Two steps: where the file is, which holds for five minutes; then its bytes, shown to our token only."""
        if not external_id.isalnum():
            raise Refused("this is no file of WhatsApp's")
        graph = self._open()
        with nothing_to_lose():
            told = await graph.get(external_id, phone_number_id=self._setting("phone_number_id"))
        if (size := told.size("file_size")) is not None and size > limit:
            raise Refused("the file is larger than this inbox takes")
        if not told.text("url"):
            raise Retryable("WhatsApp gave no address for the file")
        return await graph.download_with_token(told.text("url"), limit)

    async def check(self, hook_url: str) -> Check:
        return await check(self._open, self.settings, hook_url)

    async def _mark_read(self, message_id: str, **more: object) -> None:
        if not message_id.startswith("wamid."):
            raise Refused("there is no message to mark as read")
        said = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id, **more}
        graph = self._open()
        with nothing_to_lose():
            await graph.post(f"{self._setting('phone_number_id')}/messages", said)

    async def _template(self, use: TemplateUse) -> Template | None:
        """The template as WhatsApp lists it; asked for again when the list is old or does not hold it."""
        listed_at, listed = self._listed
        is_fresh = time.monotonic() - listed_at < _LISTED_FOR
        return (is_fresh and templates.find(listed, use)) or templates.find(await self.templates(), use)

    def _outbox(self, graph: Graph) -> sending.Outbox:
        return sending.Outbox(graph, self._setting("phone_number_id"))

    def _number(self) -> str:
        return "".join(filter(str.isdigit, self._setting("display_phone_number")))
