"""What leaves: parts of messages, and acts. Every request carries an id of ours, so that a repeat changes nothing."""

import re
from typing import Any
from urllib.parse import quote

from channels_adapters.adapters.matrix.client import API, Client
from channels_adapters.contract import OutboundAct, OutboundFile, OutboundPart, Refused, Retryable
from channels_adapters.reading import Fields
from conversations.text import clean, clean_line

_ROOM = re.compile(r"![^\s/]{1,254}")
_PIECES = {"image": "m.image", "video": "m.video", "audio": "m.audio"}
_TYPING_TIME = 8_000  # milliseconds
_PAGES = 10


def path_of_room(thread_id: str) -> str:
    if not _ROOM.fullmatch(thread_id):
        raise Refused("this is no Matrix room")
    return f"{API}/rooms/{quote(thread_id, safe='')}"


async def send(client: Client, part: OutboundPart) -> str:
    """The id of the event that the homeserver made of the part."""
    room = path_of_room(part.thread_id)
    content = await _content(client, part)
    content |= _relation(part)
    return await _put(client, f"{room}/send/m.room.message/{_ours(part.delivery_id)}", content)


async def act(client: Client, act: OutboundAct, me: str) -> None:
    room, key = path_of_room(act.thread_id), _ours(act.delivery_id)
    target = quote(act.target, safe="")
    match act.kind:
        case "edit":
            await _put(client, f"{room}/send/m.room.message/{key}", _edited(act))
        case "delete":
            await _put(client, f"{room}/redact/{target}/{key}", {})
        case "read":
            await client.call("POST", f"{room}/receipt/m.read/{target}", {})
        case "react" if act.text:
            relation = {"rel_type": "m.annotation", "event_id": act.target, "key": clean(act.text)}
            await _put(client, f"{room}/send/m.reaction/{key}", {"m.relates_to": relation})
        case "react":
            for number, event_id in enumerate(await _our_reactions(client, act, me)):
                await _put(client, f"{room}/redact/{quote(event_id, safe='')}/{key}.{number}", {})
        case _:
            raise Refused("Matrix cannot do this")


async def typing(client: Client, thread_id: str, me: str) -> None:
    path = f"{path_of_room(thread_id)}/typing/{quote(me, safe='')}"
    await client.call("PUT", path, {"typing": True, "timeout": _TYPING_TIME})


async def _put(client: Client, path: str, content: dict[str, Any]) -> str:
    event_id = (await client.call("PUT", path, content)).text("event_id")
    if not event_id:
        raise Retryable("the homeserver's answer made no sense")
    return event_id


def _ours(delivery_id: int) -> str:
    return f"rapport.{delivery_id}"


async def _content(client: Client, part: OutboundPart) -> dict[str, Any]:
    text = clean(part.text)
    if part.file is None:
        return {"msgtype": "m.text", "body": text}
    return await _file(client, part.file, text)


async def _file(client: Client, file: OutboundFile, caption: str) -> dict[str, Any]:
    if not file.data:
        raise Refused("the file is empty")
    name, kind = clean_line(file.name, 200) or "file", file.mime.partition("/")[0]
    address = await client.upload(name, file.mime or "application/octet-stream", file.data)
    return {
        "msgtype": _PIECES.get(kind, "m.file"),
        "body": caption or name,
        "filename": name,
        "url": address,
        "info": {"mimetype": file.mime, "size": len(file.data)},
    }


def _relation(part: OutboundPart) -> dict[str, Any]:
    """An answer goes into the thread of what it answers, and names it."""
    reply = part.reply_to if part.reply_to.startswith("$") else ""
    root = Fields(part.answers).text("thread")
    if root:
        answered = {"m.in_reply_to": {"event_id": reply or root}}
        return {"m.relates_to": {"rel_type": "m.thread", "event_id": root, "is_falling_back": not reply, **answered}}
    return {"m.relates_to": {"m.in_reply_to": {"event_id": reply}}} if reply else {}


def _edited(act: OutboundAct) -> dict[str, Any]:
    new = {"msgtype": "m.text", "body": clean(act.text)}
    relation = {"rel_type": "m.replace", "event_id": act.target}
    return {**new, "body": f"* {new['body']}", "m.new_content": new, "m.relates_to": relation}


async def _our_reactions(client: Client, act: OutboundAct, me: str) -> list[str]:
    room, target = quote(act.thread_id, safe=""), quote(act.target, safe="")
    path = f"/_matrix/client/v1/rooms/{room}/relations/{target}/m.annotation/m.reaction"
    found: list[str] = []
    query: dict[str, str] = {"limit": "100"}
    for _page in range(_PAGES):
        answer = await client.call("GET", path, query=query)
        ours = (event for event in answer.many("chunk") if event.text("sender") == me)
        found += [event.text("event_id") for event in ours if event.text("event_id")]
        if not answer.text("next_batch"):
            break
        query["from"] = answer.text("next_batch")
    return found
