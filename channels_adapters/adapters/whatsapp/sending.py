"""One part of a message on its way out."""

import re
from collections.abc import Sequence
from typing import Any

from channels_adapters.adapters.whatsapp.people import NUMBER, USER_ID
from channels_adapters.adapters.whatsapp.templates import components
from channels_adapters.contract import Button, OutboundFile, OutboundPart, Refused, SendFailed, Template, Uncertain
from channels_adapters.meta.errors import Nonsense, plain_words
from channels_adapters.meta.graph import Graph
from channels_adapters.meta.readers import name_of
from channels_adapters.reading import Fields
from conversations.text import clean, clean_line

MEGABYTE = 1024 * 1024
BUTTON_TEXT, BUTTONS, ROWS = 1024, 3, 10
_LIST_LABEL = "☰"  # opens the list where there are too many for buttons
_GROUP = re.compile(r"[A-Za-z0-9+/=_-]{8,200}")
_LIMITS = {"image": 5, "sticker": 0.5, "audio": 16, "video": 16, "document": 100}  # megabytes
_KINDS = {
    "image": ("image/jpeg", "image/png"),
    "sticker": ("image/webp",),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "video": ("video/mp4", "video/3gpp"),
    "document": (
        "application/pdf",
        "text/plain",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
}
MEDIA = tuple(mime for kind in _KINDS.values() for mime in kind)
_WITHOUT_CAPTION = ("audio", "sticker")


class Outbox:
    """The messages of one number."""

    def __init__(self, graph: Graph, phone_number_id: str) -> None:
        self.graph, self.path = graph, phone_number_id

    async def send(self, part: OutboundPart, template: Template | None) -> str:
        """The id of the message that WhatsApp made of the part."""
        if part.template is not None:
            said = {"type": "template", "template": components(part.template, template)}
            return await self.post(part, said)
        if part.file is not None:
            return await self._send_file(part, part.file)
        return await self.post(part, _buttons(part.text, part.buttons) if part.buttons else _text(part.text))

    async def post(self, part: OutboundPart, said: dict[str, Any]) -> str:
        message = {
            "messaging_product": "whatsapp",
            **recipient(part.thread_id, part.address),
            "biz_opaque_callback_data": str(part.delivery_id),
            **said,
        }
        if part.reply_to.startswith("wamid."):
            message["context"] = {"message_id": part.reply_to}
        told = await self.graph.post(f"{self.path}/messages", message)
        message_id = name_of(next(told.many("messages"), Fields({})), "id")
        if not message_id:
            raise Nonsense("the answer names no message")
        return message_id

    async def _send_file(self, part: OutboundPart, file: OutboundFile) -> str:
        kind, caption = kind_of(file), clean(part.text).strip()
        uploaded = await self.graph.upload(
            f"{self.path}/media", "file", file, {"messaging_product": "whatsapp", "type": file.mime}
        )
        media = {"id": name_of(uploaded, "id")}
        if not media["id"]:
            raise Nonsense("the answer names no file")
        if kind == "document":
            media["filename"] = clean_line(file.name, 200) or "file"
        if caption and kind not in _WITHOUT_CAPTION:
            media["caption"] = caption
        sent = await self.post(part, {"type": kind, kind: media})
        if caption and kind in _WITHOUT_CAPTION:
            await self._send_words_after(part)
        return sent

    async def _send_words_after(self, part: OutboundPart) -> None:
        """A voice message takes no caption. The file is there by now, so nothing may be sent again."""
        try:
            with plain_words():
                await self.post(part, _text(part.text))
        except SendFailed as error:
            raise Uncertain(f"the file arrived, its text did not: {error.reason}") from error


def recipient(thread_id: str, address: str = "") -> dict[str, str]:
    """Whom a thread is with: a number, a person who hides it, or a group. Some messages need the number."""
    is_person = USER_ID.fullmatch(thread_id) is not None
    number = (address if is_person and NUMBER.fullmatch(address) else thread_id).removeprefix("+")
    if NUMBER.fullmatch(number):
        return {"recipient_type": "individual", "to": number}
    if is_person:
        return {"recipient_type": "individual", "recipient": thread_id}
    if _GROUP.fullmatch(thread_id):
        return {"recipient_type": "group", "to": thread_id}
    raise Refused("this is no WhatsApp conversation")


def kind_of(file: OutboundFile) -> str:
    """As what WhatsApp shows the file. Raises Refused when it takes none like it."""
    mime = file.mime.partition(";")[0].strip().lower()
    kind = next((kind for kind, types in _KINDS.items() if mime in types), None)
    if kind is None:
        raise Refused(f"WhatsApp takes no files of the type {clean_line(mime, 80) or 'unknown'}")
    if not file.data:
        raise Refused("the file is empty")
    if len(file.data) > _LIMITS[kind] * MEGABYTE:
        raise Refused(f"WhatsApp takes files of this type up to {_LIMITS[kind]:g} MB")
    return kind


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": clean(text), "preview_url": False}}


def _buttons(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """Up to three buttons, more as a list; one that opens a page stands alone, else its address joins the text."""
    body, links = clean(text).strip(), [button for button in buttons if button.url]
    pressed = [button for button in buttons if not button.url]
    if links and (pressed or len(links) > 1):
        body = "\n".join([body, *(f"{clean_line(link.label, 100)}: {link.url}" for link in links)])
    if not pressed and len(links) > 1:
        return _text(body)
    if not body or len(body) > BUTTON_TEXT:
        raise Refused(f"above buttons WhatsApp takes a text of 1 to {BUTTON_TEXT} characters")
    if not pressed:
        shown = {"display_text": clean_line(links[0].label, 20), "url": links[0].url}
        return _interactive("cta_url", body, {"name": "cta_url", "parameters": shown})
    if len(pressed) > ROWS:
        raise Refused(f"WhatsApp takes {ROWS} buttons at most")
    if len(pressed) <= BUTTONS:
        replies = [{"type": "reply", "reply": row} for row in _rows(pressed, 20)]
        return _interactive("button", body, {"buttons": replies})
    return _interactive("list", body, {"button": _LIST_LABEL, "sections": [{"rows": _rows(pressed, 24)}]})


def _rows(buttons: Sequence[Button], width: int) -> list[dict[str, str]]:
    return [
        {"id": (button.payload or button.label)[:200], "title": clean_line(button.label, width)} for button in buttons
    ]


def _interactive(kind: str, body: str, action: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": body}, "action": action}}
