"""Our calls of their address, and what they answer."""

import json
from collections.abc import Mapping
from typing import Any

from channels_adapters.adapters.webhook.signing import sign
from channels_adapters.answers import Answer, trouble
from channels_adapters.calls import Platform, nothing_to_lose
from channels_adapters.contract import OutboundAct, OutboundPart, Refused, Retryable, SendFailed
from conversations.text import clean, clean_line
from crm.workspace import clock

_LABEL = "The other system"
_LATER = (408, 425)
_GONE = 410
_EVENTS = {  # of an act
    "edit": "message.edited",
    "delete": "message.deleted",
    "react": "message.reacted",
    "read": "message.read",
}


def data_of(part: OutboundPart, key: str) -> dict[str, Any]:
    """A part of a message as the other side reads it."""
    said: dict[str, Any] = {
        "conversation": part.thread_id,
        "contact": {"id": part.address or part.thread_id},
        "text": clean(part.text),
        "attachments": [],
        "reply_to": part.reply_to or None,
        "public": part.is_public,
        "buttons": [_without_empty(label=b.label, payload=b.payload, url=b.url) for b in part.buttons],
        "metadata": {"crm_delivery": key},  # posted back to us, it is known as our own
    }
    if part.file is not None:
        file = part.file
        said["attachments"] = [{"url": file.url, "name": file.name, "mime": file.mime, "size": len(file.data)}]
    return said


def event_of(act: OutboundAct) -> tuple[str, dict[str, Any]]:
    """The name of an act's event with what it says. Raises Refused."""
    if act.kind not in _EVENTS:
        raise Refused("this cannot be said to the other system")
    said: dict[str, Any] = {"conversation": act.thread_id, "target": act.target}
    named: dict[str, dict[str, Any]] = {"edit": {"text": clean(act.text)}, "react": {"emoji": act.text or None}}
    return _EVENTS[act.kind], said | named.get(act.kind, {})


async def call(platform: Platform, url: str, secret: str, event: str, key: str, data: Mapping[str, Any]) -> Answer:
    """Post one event, signed for this moment. The same `key` is the same event: the other side tells a repeat by it."""
    now = clock.now()
    said = {"event": event, "id": key, "created_at": now.isoformat().replace("+00:00", "Z"), "data": data}
    body = json.dumps(said).encode()
    timestamp = int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "Rapport-Channel/1",
        "x-crm-timestamp": str(timestamp),
        "x-crm-signature": sign(secret, timestamp, body),
        "x-crm-delivery": key,
        "x-crm-event": event,
        "idempotency-key": key,
    }
    with nothing_to_lose():
        answer = await platform.call("POST", url, headers=headers, content=body)
        if not answer.is_good:
            raise _failure(answer)
    if answer.fields().has("error"):  # taken, they say, and yet not
        raise Refused(f"{_LABEL} refused it: {_why(answer)}")
    return answer


def _failure(answer: Answer) -> SendFailed:
    if answer.status in _LATER:
        return Retryable(f"{_LABEL} asks for it again (status {answer.status})", answer.pause())
    if answer.status == 429 or answer.status >= 500:
        return trouble(_LABEL, answer)
    if answer.status == _GONE:
        return Refused(
            f"{_LABEL} does not want to be called any more (status 410): mend its address, or pause this inbox"
        )
    if answer.status < 400:
        return Refused(f"{_LABEL} sends us elsewhere (status {answer.status}): give the address it leads to")
    return Refused(f"{_LABEL} refused it (status {answer.status}): {_why(answer)}")


def _why(answer: Answer) -> str:
    said = answer.fields()
    error = said.one("error").text("message") or said.text("error") or said.text("message") or said.text("detail")
    return clean_line(error or answer.body[:400].decode("utf-8", "replace"), 200) or "it does not say why"


def _without_empty(**facts: str) -> dict[str, str]:
    return {key: value for key, value in facts.items() if value}
