"""One part of a message on its way out. Viber knows no repeat: when the answer is lost, nobody knows."""

from typing import Any

from channels_adapters.adapters.viber.parsing import tracking
from channels_adapters.contract import Button, OutboundFile, OutboundPart, Refused
from conversations.text import clean, clean_line

_API_VERSION = 1  # of the customer's Viber, at least
_PICTURES, _PICTURE_LIMIT = ("image/jpeg", "image/png"), 1024 * 1024  # bytes
_VIDEO_LIMIT = 26 * 1024 * 1024
_CAPTION = 768  # characters
_NAME = 28


def message_of(part: OutboundPart, *, name: str, avatar: str, is_local: bool) -> dict[str, Any]:
    """What is posted for a part. Raises Refused."""
    said: dict[str, Any] = {
        "receiver": part.thread_id,
        "min_api_version": _API_VERSION,
        "sender": {"name": clean_line(name, _NAME) or "Support", **({"avatar": avatar} if avatar else {})},
    }
    text = clean(part.text)
    said |= {"type": "text", "text": text} if part.file is None else _file(part.file, text, is_local=is_local)
    if part.buttons:
        said |= _keyboard(part.buttons)
    return said


def _file(file: OutboundFile, text: str, *, is_local: bool) -> dict[str, Any]:
    """A picture or a film with its words, a file without; else the address under which the customer opens it."""
    if not file.url or not (is_local or file.url.startswith("https://")):
        raise Refused("Viber fetches files from us: set PUBLIC_URL to a public https address")
    size = len(file.data)
    fits = len(text) <= _CAPTION
    if file.mime in _PICTURES and size <= _PICTURE_LIMIT and fits:
        return {"type": "picture", "text": text, "media": file.url}
    if file.mime == "video/mp4" and size <= _VIDEO_LIMIT and not text:
        return {"type": "video", "media": file.url, "size": size}
    if text:
        return {"type": "text", "text": f"{text}\n{file.url}"}
    return {"type": "file", "media": file.url, "size": size, "file_name": clean_line(file.name, 256) or "file"}


def _keyboard(buttons: tuple[Button, ...]) -> dict[str, Any]:
    """Under the field they write in. `tracking_data` comes back with what they press, and tells it from typed words."""
    labels = {button.payload or button.label: button.label for button in buttons if not button.url}
    keyboard = {"Type": "keyboard", "DefaultHeight": False, "Buttons": [_button(button) for button in buttons]}
    told = tracking({clean(payload): clean(label) for payload, label in labels.items()})
    return {"keyboard": keyboard, "min_api_version": 3} | ({"tracking_data": told} if told else {})


def _button(button: Button) -> dict[str, Any]:
    label = clean(button.label)
    if button.url:
        return {"ActionType": "open-url", "ActionBody": button.url, "Text": label, "Columns": 6, "Rows": 1}
    body = clean(button.payload or button.label)
    return {"ActionType": "reply", "ActionBody": body, "Text": label, "Columns": 6, "Rows": 1}
