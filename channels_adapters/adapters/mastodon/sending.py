"""Posts on their way out: one part becomes one post, or a chain of them where it is long.

Each has an Idempotency-Key made from the delivery: for an hour the server answers a repeat with the first post. After
that a repeat looks first whether the post is there.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels_adapters.adapters.mastodon.client import Client
from channels_adapters.adapters.mastodon.errors import Gone
from channels_adapters.adapters.mastodon.markup import plain
from channels_adapters.adapters.mastodon.parsing import DIRECT, PUBLIC
from channels_adapters.contract import OutboundFile, OutboundPart, Refused, Retryable, SendReceipt
from channels_adapters.cutting import LINK, cut, graphemes
from channels_adapters.reading import Fields
from conversations.text import clean, clean_line
from crm.workspace import clock

LIMIT = 500  # characters of a post, where the server says nothing else
_KEYS_LAST = timedelta(minutes=50)  # an hour, in truth
_LINK_PRICE = "x" * 23
_READY = 200  # 202 and 206: still worked on
_LOOK_AGAIN, _LOOKS = 1.0, 30  # seconds between looks whether a file is ready
_LATEST = 40  # posts


@dataclass(frozen=True, slots=True)
class Draft:
    """What all posts of a part have in common, and where its chain begins."""

    part: OutboundPart
    mentions: str
    visibility: str
    subject: str
    answers: str  # the post that it answers; '' for none


def length(text: str) -> int:
    """As Mastodon counts: a link is 23 characters, of a mention the name alone counts, an emoji is one."""
    words = (_name_alone(word) for word in LINK.sub(_LINK_PRICE, text).split(" "))
    return graphemes(" ".join(words))


def _name_alone(word: str) -> str:
    return word.rpartition("@")[0] if word.startswith("@") and word.count("@") == 2 else word


async def send(client: Client, part: OutboundPart, limit: int) -> SendReceipt:
    """The first post's id, with those of the whole chain. Raises Retryable or Refused."""
    draft = await _draft(client, part)
    room = limit - length(draft.subject) - length(draft.mentions)
    if room < 1:
        raise Refused("the people to be mentioned leave no room for words")
    texts = [f"{draft.mentions}{piece}" for piece in cut(clean(part.text), room, length)] or [draft.mentions.strip()]
    media = [await upload(client, part.file)] if part.file else []
    chain = await _those_there(client, part, texts)
    for number in range(len(chain), len(texts)):
        chain.append(await _post(client, draft, texts[number], number, chain[-1:] or [draft.answers], media))
        media = []
    return SendReceipt(chain[0], {"chain": chain} if len(chain) > 1 else {})


async def _draft(client: Client, part: OutboundPart) -> Draft:
    """From the details of the message that it answers; without them the server is asked."""
    said: Mapping[str, Any] = part.answers
    kept = part.reply_to or str(said.get("status") or "")
    is_direct = part.thread_id.startswith(DIRECT)
    answers = kept or ("" if is_direct else part.thread_id.removeprefix(PUBLIC))
    if is_direct:
        to: Sequence[str] = part.thread_id.removeprefix(DIRECT).split(",")
        visibility, subject = "direct", str(said.get("subject") or "")
    elif part.thread_id.startswith(PUBLIC):
        if not (said.get("to") and said.get("visibility")):
            said = await _asked(client, answers)
        to, visibility, subject = said["to"], str(said["visibility"]), str(said.get("subject") or "")
    else:
        raise Refused("this is no Mastodon conversation")
    words = clean(part.text).split()
    mentions = "".join(f"@{handle} " for handle in to if handle and f"@{handle}" not in words)
    return Draft(part, mentions, visibility, subject, answers)


async def _asked(client: Client, status_id: str) -> dict[str, Any]:
    status = await client.one("GET", f"/api/v1/statuses/{safe(status_id)}")
    if status.text("visibility") == "direct":
        raise Refused("this is a direct message: it is never answered in public")
    said = {"to": [status.one("account").text("acct")], "subject": status.text("spoiler_text")}
    return said | {"visibility": status.text("visibility") or "public"}


async def _post(
    client: Client, draft: Draft, text: str, number: int, answers: Sequence[str], media: Sequence[str]
) -> str:
    """Put one post up. A direct one goes also when what it answers is gone; a public one would be nobody's."""
    part, key = draft.part, _key(draft.part, number)
    wanted = {
        "status": text,
        "visibility": draft.visibility,
        "in_reply_to_id": answers[0],
        "spoiler_text": draft.subject,
        "media_ids": list(media),
    }
    fields = {name: value for name, value in wanted.items() if value}
    try:
        return (await client.one("POST", "/api/v1/statuses", json=fields, headers={"Idempotency-Key": key})).text("id")
    except Gone:
        if not part.thread_id.startswith(DIRECT) or "in_reply_to_id" not in fields:
            raise
        del fields["in_reply_to_id"]
        return (await client.one("POST", "/api/v1/statuses", json=fields, headers={"Idempotency-Key": key})).text("id")


def _key(part: OutboundPart, number: int) -> str:
    wanted_at = part.wanted_at.isoformat() if part.wanted_at else ""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"rapport part {part.delivery_id} of {wanted_at}: {number}"))


async def upload(client: Client, file: OutboundFile) -> str:
    """The id of the file on the server, when it is ready to be shown. Raises Retryable or Refused."""
    name, mime = clean_line(file.name, 200) or "file", file.mime or "application/octet-stream"
    described = {"description": clean(file.alt)[:1500]} if file.alt else {}
    answer = await client.ask("POST", "/api/v2/media", files={"file": (name, file.data, mime)}, data=described)
    media_id, status = answer.fields().text("id"), answer.status
    for _ in range(_LOOKS):
        if status == _READY and media_id:
            return media_id
        await asyncio.sleep(_LOOK_AGAIN)
        answer = await client.ask("GET", f"/api/v1/media/{safe(media_id)}")
        status = answer.status
    raise Retryable("Mastodon still works on the file")


async def _those_there(client: Client, part: OutboundPart, texts: Sequence[str]) -> list[str]:
    """Of a part older than its keys: the posts of its chain that are up already."""
    if part.wanted_at is None or clock.now() - part.wanted_at < _KEYS_LAST:
        return []
    me = await client.one("GET", "/api/v1/accounts/verify_credentials")
    answer = await client.ask("GET", f"/api/v1/accounts/{safe(me.text('id'))}/statuses", params={"limit": _LATEST})
    since, found = part.wanted_at.isoformat()[:19], list[str]()
    for status in answer.items()[::-1]:  # the oldest first
        is_next = len(found) < len(texts) and _seen(status) == _squeezed(texts[len(found)])
        if is_next and status.text("created_at")[:19] >= since:
            found += [status.text("id")] if not found or status.text("in_reply_to_id") == found[-1] else []
    return found


def _seen(status: Fields) -> str:
    return _squeezed(plain(status.text("content")))


def _squeezed(text: str) -> str:
    """As it can be compared: the server shows a mention without its host."""
    return "".join(
        word.rpartition("@")[0] if word.startswith("@") and word.count("@") > 1 else word for word in text.split()
    )


def safe(identifier: str) -> str:
    """An id as part of an address: servers have numbers and letters of their own, never a slash."""
    if not identifier or not all(letter.isalnum() or letter in "-_" for letter in identifier):
        raise Refused("this is no Mastodon post")
    return identifier
