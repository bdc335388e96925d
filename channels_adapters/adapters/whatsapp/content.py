"""What a WhatsApp message holds: its words, its files, what a pressed button stands for."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from channels_adapters.meta.readers import name_of, scalars
from channels_adapters.reading import Broken, Fields
from conversations.files import clean_name
from conversations.normalized import Attachment
from conversations.text import clean, clean_line

_MEDIA = {"image": "image", "video": "video", "audio": "audio", "document": "file", "sticker": "sticker"}
_KIND = re.compile("[a-z_]{1,40}")
_ANSWERS = 100  # fields of a filled-in form that are shown


@dataclass(frozen=True, slots=True)
class Content:
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    payload: str = ""
    flags: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


def read_content(message: Fields) -> Content:
    """Of a kind we do not know, or that holds nothing readable, what it was: the agent sees that something came.

    Raises Broken when a text is none.
    """
    kind = message.text("type")
    part = message.one(kind)
    match kind:
        case "text":
            return _text(part)
        case "image" | "video" | "audio" | "document" | "sticker":
            found = _media(kind, part)
        case "location":
            found = _location(part)
        case "contacts":
            found = Content(attachments=tuple(_contact(contact) for contact in message.many("contacts")))
        case "interactive":
            found = _interactive(part)
        case "button":
            found = Content(part.text("text") or part.text("payload"), payload=part.text("payload"))
        case "order":
            found = _order(part)
        case _:
            found = Content()
    return found if found.text or found.attachments else _unshown(kind, message)


def _text(text: Fields) -> Content:
    if not isinstance(text.raw.get("body"), str):
        raise Broken("the text is not text")
    return Content(text.text("body"))


def _media(kind: str, media: Fields) -> Content:
    caption = media.text("caption")
    if not name_of(media, "id"):
        return Content(caption)
    details: dict[str, Any] = {"voice": True} if media.is_true("voice") else {}
    file = Attachment(
        kind=_MEDIA[kind],
        external_id=name_of(media, "id"),
        name=clean_name(media.text("filename")),
        mime=media.text("mime_type"),
        size=media.size("file_size"),
        details=details,
    )
    return Content(caption, (file,))


def _location(place: Fields) -> Content:
    lat, lon = place.degrees("latitude", 90), place.degrees("longitude", 180)
    if lat is None or lon is None:
        return Content(clean_line(place.text("name") or place.text("address"), 400))
    named = {key: place.text(key) for key in ("name", "address", "url") if place.text(key)}
    file = Attachment(kind="location", name=named.get("name", ""), details={"lat": lat, "lon": lon} | named)
    return Content(attachments=(file,))


def _contact(contact: Fields) -> Attachment:
    named, organisation = contact.one("name"), contact.one("org")
    name = named.text("formatted_name") or f"{named.text('first_name')} {named.text('last_name')}"
    phones = [phone for each in contact.many("phones") if (phone := _phone(each))]
    emails = [email for each in contact.many("emails") if (email := each.text("email"))]
    details: dict[str, Any] = {
        "name": clean_line(name, 160),
        "phone": phones[0] if phones else "",
        "email": emails[0] if emails else "",
        "company": organisation.text("company"),
    }
    if len(phones) > 1:
        details["phones"] = phones
    return Attachment(
        kind="contact", name=details["name"], details={key: told for key, told in details.items() if told}
    )


def _phone(phone: Fields) -> str:
    digits = re.sub("[^0-9]", "", name_of(phone, "wa_id") or phone.text("phone"))[:40]
    return f"+{digits}" if 7 <= len(digits) <= 15 else phone.text("phone")


def _interactive(answer: Fields) -> Content:
    for kind in ("button_reply", "list_reply"):
        if chosen := answer.one(kind):
            return Content(chosen.text("title") or chosen.text("id"), payload=chosen.text("id"))
    if form := answer.one("nfm_reply"):
        return _form(form)
    if call := answer.one("call_permission_reply"):
        return Content(f"☎ {clean_line(call.text('response'), 40) or 'call permission'}", payload=call.text("response"))
    return Content()


def _form(form: Fields) -> Content:
    """The answers of a filled-in form, a line each. They come as JSON in a string."""
    told = form.text("response_json")
    try:
        answers = json.loads(told)
    except (ValueError, RecursionError):
        answers = {}
    answers = answers if isinstance(answers, dict) else {}
    shown = [f"{key}: {_plain(value)}" for key, value in answers.items() if key != "flow_token"][:_ANSWERS]
    return Content(clean("\n".join(shown)) or form.text("body"), payload=told, details={"form": form.text("name")})


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _order(order: Fields) -> Content:
    """A basket: the customer's words, then a line for each thing."""
    things = [
        f"{name_of(item, 'quantity') or '1'} × {name_of(item, 'product_retailer_id')}{_price(item)}"
        for item in order.many("product_items")
    ]
    items = [scalars(item) for item in order.many("product_items")]
    details = {"order": {"catalog_id": name_of(order, "catalog_id"), "items": items}}
    return Content("\n".join(filter(None, [order.text("text"), *things])), details=details if things else {})


def _price(item: Fields) -> str:
    price = item.raw.get("item_price")
    is_number = isinstance(price, int | float | str) and not isinstance(price, bool)
    return f" ({price} {item.text('currency')})" if is_number else ""


def _unshown(kind: str, message: Fields) -> Content:
    told = message.one("unsupported").text("type") if kind == "unsupported" else kind
    return Content(flags=(f"unsupported:{told if _KIND.fullmatch(told) else 'unknown'}",))
