"""What leaves: parts of messages, acts, and the question whether a part arrived."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from channels_adapters.adapters.discord.client import Client
from channels_adapters.adapters.discord.content import snowflake, snowflake_of
from channels_adapters.adapters.discord.errors import ARCHIVED, Said, nothing_to_lose, plain_words
from channels_adapters.contract import Button, OutboundAct, OutboundFile, OutboundPart, Refused, Uncertain
from channels_adapters.reading import Broken, Fields
from conversations.text import clean, clean_line

_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)
_ROW, _PAYLOAD = 5, 100  # buttons in a row, characters of what one carries
_CLOCKS_APART = timedelta(minutes=1)
_PAGE = 100


def path_of_channel(thread_id: str) -> str:
    if not _NUMBER.fullmatch(thread_id):
        raise Refused("this is no Discord channel")
    return f"/channels/{thread_id}"


async def send(client: Client, part: OutboundPart) -> str:
    """The id of the message that Discord made of the part. An archived thread is opened again first."""
    channel = path_of_channel(part.thread_id)
    try:
        return await _post(client, channel, part)
    except Said as refusal:
        if refusal.code != ARCHIVED:
            raise
    await client.call("PATCH", channel, {"archived": False})
    return await _post(client, channel, part)


async def act(client: Client, act: OutboundAct) -> None:
    if not _NUMBER.fullmatch(act.target):
        raise Refused("this is no message that Discord can change")
    message = f"{path_of_channel(act.thread_id)}/messages/{act.target}"
    with nothing_to_lose():
        match act.kind:
            case "edit":
                await client.call("PATCH", message, {"content": clean(act.text), "allowed_mentions": {"parse": []}})
            case "delete":
                await client.call("DELETE", message)
            case "react" if act.text:
                await client.call("PUT", f"{message}/reactions/{quote(clean(act.text), safe='')}/@me")
            case "react":
                for emoji in _ours(await client.ask("GET", message)):
                    await client.call("DELETE", f"{message}/reactions/{quote(emoji, safe='')}/@me")
            case _:
                raise Refused("Discord cannot do this")


async def look_up(client: Client, part: OutboundPart) -> str | None:
    """The id of the part's message, or None when everything since then was read and none is it.

    Discord keeps a nonce for a few minutes only, so the words count as well: two alike stay uncertain.
    """
    if part.wanted_at is None:
        raise Uncertain("Discord cannot be asked about this message")
    channel, after = path_of_channel(part.thread_id), snowflake_of(part.wanted_at - _CLOCKS_APART)
    with nothing_to_lose():
        me = (await client.ask("GET", "/users/@me")).text("id")
        page = await client.call("GET", f"{channel}/messages", query={"after": after, "limit": str(_PAGE)})
    messages = [Fields(message) for message in page if isinstance(message, dict)] if isinstance(page, list) else []
    ours = [message for message in messages if message.one("author").text("id") == me]
    for message in ours:
        if message.text("nonce") == _nonce(part):
            return snowflake(message, "id")
    alike = [message for message in ours if not message.text("nonce") and _says_the_same(message, part)]
    if len(alike) > 1 or len(messages) >= _PAGE or not isinstance(page, list):
        raise Uncertain("there is too much in the channel to tell")
    return snowflake(alike[0], "id") if alike else None


async def _post(client: Client, channel: str, part: OutboundPart) -> str:
    body, file = _body(part), _file(part.file)
    if file is not None:
        body["attachments"] = [{"id": 0, "filename": file.name}]
    message = await client.ask("POST", f"{channel}/messages", body, file=file)
    with plain_words():
        if not snowflake(message, "id"):
            raise Broken("the message has no id")
    return snowflake(message, "id")


def _body(part: OutboundPart) -> dict[str, Any]:
    body: dict[str, Any] = {"allowed_mentions": {"parse": []}, "nonce": _nonce(part), "enforce_nonce": True}
    if part.text.strip():
        body["content"] = clean(part.text)
    if _NUMBER.fullmatch(part.reply_to):  # a pressed button is no message
        body["message_reference"] = {"message_id": part.reply_to, "fail_if_not_exists": False}
    if part.buttons:
        body["components"] = list(_rows(part.buttons))
    return body


def _file(file: OutboundFile | None) -> OutboundFile | None:
    if file is not None and not file.data:
        raise Refused("the file is empty")
    return None if file is None else OutboundFile(clean_line(file.name, 200) or "file", file.mime, file.data)


def _rows(buttons: tuple[Button, ...]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(buttons), _ROW):
        yield {"type": 1, "components": [_button(button) for button in buttons[start : start + _ROW]]}


def _button(button: Button) -> dict[str, Any]:
    label = clean_line(button.label, 80)
    if button.url:
        return {"type": 2, "style": 5, "label": label, "url": button.url}
    payload = button.payload or label
    if len(payload) > _PAYLOAD:
        raise Refused(f"a button on Discord carries at most {_PAYLOAD} characters")
    return {"type": 2, "style": 2, "label": label, "custom_id": payload}


def _nonce(part: OutboundPart) -> str:
    return f"rapport{part.delivery_id}"[:25]


def _says_the_same(message: Fields, part: OutboundPart) -> bool:
    names = [file.text("filename") for file in message.many("attachments")]
    return message.text("content") == clean(part.text).strip() and bool(names) == (part.file is not None)


def _ours(message: Fields) -> Iterator[str]:
    for reaction in message.many("reactions"):
        emoji = reaction.one("emoji")
        if reaction.is_true("me") and emoji.text("name"):
            yield f"{emoji.text('name')}:{emoji.text('id')}" if emoji.has("id") else emoji.text("name")
