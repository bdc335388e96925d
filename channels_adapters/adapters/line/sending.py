"""One part of a message on its way out.

An answer within a minute of the customer's message leaves by its reply token, which costs nothing and works once. All
else is pushed, counted against the month's quota, with a key by which LINE knows a repeat for a day. A reply has no
such key: when its answer is lost, nobody knows.
"""

from collections.abc import Mapping
from typing import Any

from channels_adapters.adapters.line.errors import failure, is_spent, was_accepted_before
from channels_adapters.answers import Answer
from channels_adapters.calls import Platform, nothing_to_lose, repeat_key
from channels_adapters.contract import Button, OutboundFile, OutboundPart, Refused, SendReceipt, Uncertain
from conversations import parts
from conversations.text import clean
from crm.workspace import clock

API = "https://api.line.me/v2/bot"
DATA = "https://api-data.line.me/v2/bot"
HOSTS = ("api.line.me", "api-data.line.me")
TOKEN_FOR = 40.0  # seconds after the customer's message; LINE says about a minute
TEXT_UNITS = 5_000  # of UTF-16, in one message object
_PICTURES, _PICTURE_LIMIT = ("image/jpeg", "image/png"), 1024 * 1024  # bytes, for a picture is its own preview
_OBJECTS = 5  # of one call
_LABEL = 20  # characters of a button
_PAYLOAD = 300


async def send(platform: Platform, headers: Mapping[str, str], part: OutboundPart) -> SendReceipt:
    """LINE's id of the message that it made of the part; raises SendFailed."""
    messages = _messages(part, is_local=bool(platform.api_url))
    if token := _reply_token(part):
        answer = await platform.call(
            "POST", f"{API}/message/reply", headers=headers, json={"replyToken": token, "messages": messages}
        )
        if answer.status >= 500:
            raise Uncertain(f"LINE has trouble (status {answer.status})")
        if not is_spent(answer):
            return _receipt(answer)
    key = {"x-line-retry-key": str(repeat_key(part))}
    with nothing_to_lose():
        answer = await platform.call(
            "POST",
            f"{API}/message/push",
            headers={**headers, **key},
            json={"to": part.thread_id, "messages": messages},
        )
        return _receipt(answer)


def _receipt(answer: Answer) -> SendReceipt:
    if not answer.is_good and not was_accepted_before(answer):
        raise failure(answer)
    sent = next(answer.fields().many("sentMessages"), None)
    if sent is not None and sent.text("id"):
        return SendReceipt(sent.text("id"), {"quote_token": sent.text("quoteToken")} if sent.text("quoteToken") else {})
    accepted = answer.headers.get("x-line-accepted-request-id", "")
    if not accepted:
        raise Uncertain("LINE's answer made no sense")
    return SendReceipt(accepted)


def _reply_token(part: OutboundPart) -> str:
    """Of the customer's last message, when the part was wanted, and is sent, soon after it. Else ''.

    The same for each try of a part, but for its age: so a part that was pushed once is never replied with later.
    """
    token, said_at = str(part.answers.get("reply_token") or ""), str(part.answers.get("said_at") or "")
    if not token or not said_at.isdigit() or len(said_at) > 15 or part.wanted_at is None:
        return ""
    until = int(said_at) / 1000 + TOKEN_FOR
    return token if part.wanted_at.timestamp() < until and clock.now().timestamp() < until else ""


def _messages(part: OutboundPart, *, is_local: bool) -> list[dict[str, Any]]:
    text = clean(part.text).strip()
    objects: list[dict[str, Any]] = []
    if part.file is not None:
        picture, link = _file(part.file, is_local=is_local)
        objects, text = ([picture], text) if picture else ([], f"{text}\n{link}".strip())
    limit = TEXT_UNITS if len(text.encode("utf-16-le")) // 2 <= TEXT_UNITS else TEXT_UNITS // 2
    objects += [{"type": "text", "text": piece} for piece in parts.split(text, limit)]
    if len(objects) > _OBJECTS:
        raise Refused("the text is too long for LINE")
    quoted = part.answers.get("quote_token") if part.reply_to and part.reply_to == part.answers.get("message") else None
    if quoted and objects[0]["type"] == "text":
        objects[0]["quoteToken"] = str(quoted)
    if part.buttons:
        objects[-1]["quickReply"] = {"items": [_button(button) for button in part.buttons[:13]]}
    return objects


def _file(file: OutboundFile, *, is_local: bool) -> tuple[dict[str, Any] | None, str]:
    """A picture, or the address under which the customer opens what LINE does not carry."""
    if not file.url or not (is_local or file.url.startswith("https://")):
        raise Refused("LINE fetches files from us: set PUBLIC_URL to a public https address")
    if file.mime in _PICTURES and len(file.data) <= _PICTURE_LIMIT:
        return {"type": "image", "originalContentUrl": file.url, "previewImageUrl": file.url}, ""
    return None, file.url


def _button(button: Button) -> dict[str, Any]:
    label = clean(button.label)[:_LABEL]
    if button.url:
        return {"type": "action", "action": {"type": "uri", "label": label, "uri": button.url}}
    data = clean(button.payload or button.label)[:_PAYLOAD]
    return {"type": "action", "action": {"type": "postback", "label": label, "data": data, "displayText": label}}
