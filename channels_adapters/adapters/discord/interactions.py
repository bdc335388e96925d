"""Buttons, commands and forms: signed requests, or events of the gateway; both are the same object.

Discord waits three seconds for an answer, and shows the customer an error without one.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from channels_adapters.adapters.discord.content import (
    moment_of,
    needed,
    read_file,
    read_person,
    snowflake,
    words_of,
)
from channels_adapters.contract import HookAnswer, HookRequest, WebhookRejected
from channels_adapters.reading import Fields
from conversations.normalized import Attachment, Inbound, InboundMessage, Sender
from crm.workspace import clock

PING, COMMAND, COMPONENT, COMPLETION, FORM = 1, 2, 3, 4, 5
_PONG, _SAY, _TAKEN, _CHOICES = 1, 4, 6, 8  # kinds of answers
_ONLY_TO_THEM = 1 << 6
_TOLERANCE = timedelta(minutes=5)
_DEEP = 5


def verify(public_key: str, request: HookRequest) -> None:
    """Return when Discord signed these bytes a moment ago; raises WebhookRejected otherwise."""
    sent_at = request.headers.get("x-signature-timestamp", "")
    signature = request.headers.get("x-signature-ed25519", "")
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), sent_at.encode() + request.body)
        age = abs(clock.now().timestamp() - int(sent_at))
    except (ValueError, InvalidSignature):  # no key; not hexadecimal; not a time; not theirs
        raise WebhookRejected("the signature is missing or wrong", status=401) from None
    if age > _TOLERANCE.total_seconds():
        raise WebhookRejected("the signature is too old", status=401)


def is_interaction(body: Fields) -> bool:
    """Discord also posts its own events here, which look alike: they have an `event`."""
    return bool(snowflake(body, "id")) and body.number("type") in (COMMAND, COMPONENT, FORM) and not body.has("event")


def identify(interaction: Fields) -> str:
    return f"interaction:{interaction.number('type')}:{snowflake(interaction, 'id')}"


def handshake(body: Fields) -> HookAnswer | None:
    """The answer to what is no delivery: a ping, and the question what to propose."""
    if body.has("event"):
        return None
    match body.number("type"):
        case 0:
            return HookAnswer(204)
        case 1:
            return _answer({"type": _PONG})
        case 4:
            return _answer({"type": _CHOICES, "data": {"choices": []}})
        case _:
            return None


def answer_to(delivery_id: str) -> dict[str, Any]:
    """What is said to an interaction that is stored. Only its sender sees it."""
    if delivery_id.startswith(f"interaction:{COMPONENT}:"):
        return {"type": _TAKEN}
    return {"type": _SAY, "data": {"content": _("Thank you, we have it."), "flags": _ONLY_TO_THEM}}


def acknowledgement(delivery_id: str) -> HookAnswer:
    return _answer(answer_to(delivery_id)) if delivery_id.startswith("interaction:") else HookAnswer(204)


def read_interaction(interaction: Fields) -> list[Inbound]:
    """A pressed button is one of `callback:`; a command or form is what its sender wrote."""
    member = interaction.one("member")
    sender = read_person(member.one("user") or interaction.one("user"), member)
    number, channel = needed(interaction, "id"), _channel(interaction)
    if sender is None or not channel:
        return []
    kind, data, message = interaction.number("type"), interaction.one("data"), interaction.one("message")
    is_button = kind == COMPONENT
    payload = data.text("custom_id") or data.text("name")
    files = () if is_button else tuple(_files(data))
    text = _label(message, data) if is_button else "\n".join(_lines(data))
    name = f"/{payload}" if kind == COMMAND else payload
    return [
        InboundMessage(
            external_id=f"callback:{number}" if is_button else f"command:{number}",
            thread_id=channel,
            sender=_with_language(sender, interaction),
            text=text or ("" if files else name),
            at=moment_of(number),
            attachments=files,
            reply_to=snowflake(message, "id") if is_button else "",
            is_group=interaction.has("guild_id"),
            payload=payload,
        )
    ]


def _channel(interaction: Fields) -> str:
    return snowflake(interaction, "channel_id") or snowflake(interaction.one("channel"), "id")


def _with_language(sender: Sender, interaction: Fields) -> Sender:
    return replace(sender, language=interaction.text("locale"))


def _label(message: Fields, data: Fields) -> str:
    """What stands on the button, or the names of what was chosen from a list."""
    chosen = [value for value in data.raw.get("values") or () if isinstance(value, str)] if _is_list(data) else []
    for component in _components(message, _DEEP):
        if component.text("custom_id") == data.text("custom_id"):
            options = {option.text("value"): option.text("label") for option in component.many("options")}
            names = [options.get(value) or value for value in chosen]
            return ", ".join(names) or component.text("label") or data.text("custom_id")
    return ", ".join(chosen) or data.text("custom_id")


def _is_list(data: Fields) -> bool:
    return isinstance(data.raw.get("values"), list)


def _components(place: Fields, depth: int) -> Iterator[Fields]:
    for component in place.many("components") if depth else ():
        yield component
        yield from _components(component, depth - 1)
        yield from (inner for inner in [component.one("component")] if inner)  # a label holds one


def _lines(data: Fields) -> Iterator[str]:
    """The words of a command's options and a form's fields; those of a message on which a command was used."""
    yield from _values(data, _DEEP)
    for field in _components(data, _DEEP):
        if field.text("value"):
            yield field.text("value")
    target = data.one("resolved").one("messages").one(snowflake(data, "target_id") or "-")
    if target and words_of(target):
        yield words_of(target)


def _values(place: Fields, depth: int) -> Iterator[str]:
    for option in place.many("options") if depth else ():
        value = option.raw.get("value")
        if isinstance(value, str) and option.number("type") != 11:  # a file is named by its id
            yield option.text("value")
        elif isinstance(value, int | float):
            yield f"{option.text('name')}: {value}"
        yield from _values(option, depth - 1)


def _files(data: Fields) -> Iterator[Attachment]:
    attachments = data.one("resolved").one("attachments")
    for number in attachments.raw:
        file = attachments.one(number)
        if file.text("url").startswith("https://"):
            yield read_file(file, file.text("url"))


def _answer(said: dict[str, Any]) -> HookAnswer:
    return HookAnswer(200, json.dumps(said).encode(), "application/json")
