"""One part of a message on its way out, and the question whether it arrived."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels_adapters.adapters.slack.client import Client
from channels_adapters.adapters.slack.errors import nothing_to_lose, plain_words
from channels_adapters.adapters.slack.markup import escaped
from channels_adapters.contract import Button, OutboundFile, OutboundPart, Refused, Retryable, Uncertain
from channels_adapters.reading import Fields
from conversations.text import clean, clean_line

_PLACE = re.compile(r"([A-Z][A-Z0-9]{1,30})(?::([0-9]{1,12}\.[0-9]{1,9}))?", re.ASCII)
_EVENT = "rapport_part"  # our mark on a message: Slack keeps it, shows it to nobody, and gives it back to us
_CLOCKS_APART = timedelta(minutes=10)
_PAGES, _PAGE = 5, 200
SECTION = 3000  # characters


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, a direct message or a person, and the thread in it."""

    channel: str
    thread_ts: str | None = None

    @classmethod
    def of(cls, thread_id: str) -> "Place":
        found = _PLACE.fullmatch(thread_id)
        if found is None:
            raise Refused("this is no Slack conversation")
        return cls(found[1], found[2])


async def send(client: Client, part: OutboundPart) -> str:
    """The ts of the message that Slack made of the part, or the id of its file."""
    place = Place.of(part.thread_id)
    if part.file is not None:
        return await _share(client, part, part.file, place)
    with plain_words():
        said = await client.web.chat_postMessage(
            channel=place.channel,
            text=escaped(clean(part.text)),
            thread_ts=place.thread_ts,
            blocks=blocks(part),
            metadata={"event_type": _EVENT, "event_payload": {"part": str(part.delivery_id)}},
        )
        if not isinstance(said["ts"], str):
            raise TypeError("the message has no ts")
        return said["ts"]


def blocks(part: OutboundPart) -> list[dict[str, Any]] | None:
    """The text with its buttons below, as Slack's blocks; None without buttons. A section takes fewer characters."""
    if not part.buttons:
        return None
    text = escaped(clean(part.text))
    if len(text) > SECTION:
        raise Refused(f"a message with buttons has at most {SECTION} characters in Slack")
    buttons = [_button(button, number) for number, button in enumerate(part.buttons)]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return [section, {"type": "actions", "elements": buttons}]


def _button(button: Button, number: int) -> dict[str, Any]:
    shown = {"type": "button", "action_id": f"rapport-{number}", "text": {"type": "plain_text", "text": button.label}}
    return {**shown, "url": button.url} if button.url else {**shown, "value": button.payload or button.label}


async def _share(client: Client, part: OutboundPart, file: OutboundFile, place: Place) -> str:
    """The three steps of the SDK's files_upload_v2. The customer sees nothing before the last, so only it is unsure."""
    name = clean_line(file.name, 200) or "file"
    if not file.data:
        raise Refused("the file is empty")
    channel = await channel_of(client, place)
    with nothing_to_lose():
        slot = await client.call("files.getUploadURLExternal", filename=name, length=len(file.data))
    file_id = slot.text("file_id")
    await client.upload(slot.text("upload_url"), file.data)
    with plain_words():
        shared = await client.call(
            "files.completeUploadExternal",
            files=json.dumps([{"id": file_id, "title": name}]),
            channel_id=channel,
            thread_ts=place.thread_ts,
            initial_comment=escaped(clean(part.text)) or None,
        )
    return _ts_of_share(shared, channel) or file_id


def _ts_of_share(answer: Fields, channel: str) -> str:
    for file in answer.many("files"):
        for where in ("public", "private"):
            for share in file.one("shares").one(where).many(channel):
                return share.text("ts")
    return ""


async def channel_of(client: Client, place: Place) -> str:
    """Files go to channels only: a person's is opened."""
    if not place.channel.startswith(("U", "W")):
        return place.channel
    with nothing_to_lose():
        opened = await client.call("conversations.open", users=place.channel)
    return opened.one("channel").text("id")


async def look_up(client: Client, part: OutboundPart) -> str | None:
    """The ts of the message with our mark, or None when everything since then was read and none had it."""
    if part.file is not None or part.wanted_at is None:
        raise Uncertain("Slack cannot be asked about a file")
    place, cursor = Place.of(part.thread_id), ""
    channel = await channel_of(client, place)
    oldest = f"{(part.wanted_at - _CLOCKS_APART).timestamp():.6f}"
    method = "conversations.replies" if place.thread_ts else "conversations.history"
    for _ in range(_PAGES):
        with nothing_to_lose():
            answer = await client.call(
                method,
                channel=channel,
                ts=place.thread_ts,
                oldest=oldest,
                limit=_PAGE,
                cursor=cursor or None,
                include_all_metadata="true",
            )
        if found := _ours(answer, part.delivery_id):
            return found
        cursor = answer.one("response_metadata").text("next_cursor")
        if not isinstance(answer.raw.get("messages"), list):
            raise Retryable("Slack's answer made no sense")
        if not cursor and not answer.is_true("has_more"):
            return None
    raise Uncertain("there is too much to look through")


def _ours(answer: Fields, delivery_id: int) -> str:
    for message in answer.many("messages"):
        mark = message.one("metadata")
        if mark.text("event_type") == _EVENT and mark.one("event_payload").text("part") == str(delivery_id):
            return message.text("ts")
    return ""
