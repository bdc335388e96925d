"""What leaves by Messenger and Instagram: messages to a person, answers under comments, and what is done to either."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from channels_adapters.contract import Button, OutboundAct, OutboundFile, OutboundPart, Refused, SendFailed, Uncertain
from channels_adapters.meta.comments import THREAD
from channels_adapters.meta.errors import Nonsense, plain_words
from channels_adapters.meta.graph import Graph
from channels_adapters.meta.readers import name_of
from conversations.text import clean, clean_line

MEGABYTE = 1024 * 1024
QUICK_REPLIES, LABEL, PAYLOAD = 13, 20, 1000
_CARD_BUTTONS, _CARD_TEXT = 3, 640
_KINDS = ("image", "video", "audio")
_COMMENT = re.compile("[A-Za-z0-9_]{1,100}")


@dataclass(frozen=True, slots=True)
class Way:
    """How the two differ."""

    label: str
    platform: str  # what uploads are for
    answers: str  # where answers under a comment go: comments, replies
    hides: str  # the field that hides a comment
    media: tuple[str, ...]
    image_limit: int  # bytes
    file_limit: int
    by_address: bool = False  # files go out by an address that Meta fetches, not by upload


async def send(graph: Graph, way: Way, part: OutboundPart, texts: Sequence[str]) -> str:
    """The id of the last message that became of the part; `texts` is its text as the platform takes it."""
    if part.is_public or part.thread_id.startswith(THREAD):
        return await _answer_comment(graph, way, part)
    messages = [{"text": text} for text in texts[:-1]] + [_with_buttons(text, part.buttons) for text in texts[-1:]]
    if part.file is not None:
        messages.insert(0, await _file(graph, way, part.file))
    sent = await _post(graph, part, messages[0])
    for message in messages[1:]:
        sent = await _post_after(graph, part, message)
    return sent


async def _answer_comment(graph: Graph, way: Way, part: OutboundPart) -> str:
    if part.file is not None:
        raise Refused(f"under a comment {way.label} takes text only")
    told = await graph.post(f"{comment_of(part.thread_id)}/{way.answers}", {"message": clean(part.text)})
    if not name_of(told, "id"):
        raise Nonsense("the answer names no comment")
    return name_of(told, "id")


async def _post(graph: Graph, part: OutboundPart, message: dict[str, Any]) -> str:
    if part.reply_to and not part.reply_to.startswith("callback:"):
        message = message | {"reply_to": {"mid": part.reply_to}}
    said = {"recipient": _recipient(part), "message": message} | _window(part)
    told = await graph.post("me/messages", said)
    if not name_of(told, "message_id"):
        raise Nonsense("the answer names no message")
    return name_of(told, "message_id")


async def _post_after(graph: Graph, part: OutboundPart, message: dict[str, Any]) -> str:
    """The next piece of a text. The first is there by now, so nothing may be sent again."""
    try:
        with plain_words():
            return await _post(graph, part, message)
    except SendFailed as error:
        raise Uncertain(f"the beginning arrived, the rest did not: {error.reason}") from error


def _recipient(part: OutboundPart) -> dict[str, str]:
    """The person; the first time after a comment of theirs, the comment: they have not written to us yet."""
    comment_id = part.answers.get("comment_id")
    if isinstance(comment_id, str) and comment_id:
        return {"comment_id": comment_id}
    return {"id": person_of(part.thread_id)}


def _window(part: OutboundPart) -> dict[str, str]:
    if "comment_id" in part.answers:
        return {}  # a private answer to a comment has a window of its own
    if part.late:
        return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    return {"messaging_type": "RESPONSE"}


async def _file(graph: Graph, way: Way, file: OutboundFile) -> dict[str, Any]:
    """The message that shows the file, which lies with Meta by then."""
    mime = file.mime.partition(";")[0].strip().lower()
    kind = family if (family := mime.partition("/")[0]) in _KINDS else "file"
    if not any(mime == taken or taken == f"{family}/*" for taken in way.media) and way.media:
        raise Refused(f"{way.label} takes no files of the type {clean_line(mime, 80) or 'unknown'}")
    if not file.data:
        raise Refused("the file is empty")
    limit = way.image_limit if kind == "image" else way.file_limit
    if len(file.data) > limit:
        raise Refused(f"{way.label} takes files of this type up to {limit // MEGABYTE} MB")
    if way.by_address:
        return {"attachment": {"type": kind, "payload": {"url": _address(way, file)}}}
    said = {"message": json.dumps({"attachment": {"type": kind, "payload": {}}})} | {"platform": way.platform}
    uploaded = await graph.upload("me/message_attachments", "filedata", file, said)
    if not name_of(uploaded, "attachment_id"):
        raise Nonsense("the answer names no file")
    return {"attachment": {"type": kind, "payload": {"attachment_id": name_of(uploaded, "attachment_id")}}}


def _address(way: Way, file: OutboundFile) -> str:
    if not file.url.startswith("https://"):
        raise Refused(f"{way.label} fetches files from us, which needs a public https address: set PUBLIC_URL")
    return file.url


def _with_buttons(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """Quick replies below the text; buttons that open a page stand on a card with it, or in the text."""
    if not buttons:
        return {"text": text}
    if any(button.url for button in buttons) and len(buttons) <= _CARD_BUTTONS and len(text) <= _CARD_TEXT:
        return {"attachment": {"type": "template", "payload": _card(text, buttons)}}
    links = "".join(f"\n{clean_line(button.label, 100)}: {button.url}" for button in buttons if button.url)
    pressed = [button for button in buttons if not button.url]
    if len(pressed) > QUICK_REPLIES:
        raise Refused(f"there may be {QUICK_REPLIES} buttons at most")
    replies = [
        {"content_type": "text", "title": clean_line(button.label, LABEL), "payload": _payload(button)}
        for button in pressed
    ]
    return {"text": text + links} | ({"quick_replies": replies} if replies else {})


def _card(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    shown = [
        {"type": "web_url", "title": clean_line(button.label, LABEL), "url": button.url}
        if button.url
        else {"type": "postback", "title": clean_line(button.label, LABEL), "payload": _payload(button)}
        for button in buttons
    ]
    return {"template_type": "button", "text": text, "buttons": shown}


def _payload(button: Button) -> str:
    return (button.payload or button.label)[:PAYLOAD]


async def act(graph: Graph, way: Way, act: OutboundAct) -> None:
    """Of a comment: hide, show again, like, delete. Of a conversation: mark as read."""
    if act.kind == "read":
        if not act.thread_id.startswith(THREAD):  # under comments there is no such mark
            await signal(graph, act.thread_id, "mark_seen")
    elif not act.thread_id.startswith(THREAD):
        raise Refused(f"{way.label} lets nobody change or take back what was sent")
    elif act.kind in ("hide", "unhide"):
        await graph.post(_known(act.target), {way.hides: act.kind == "hide"})
    elif act.kind == "delete":
        await graph.delete(_known(act.target))
    elif act.kind in ("like", "unlike") and way.platform == "messenger":
        path = f"{_known(act.target)}/likes"
        await (graph.post(path, {}) if act.kind == "like" else graph.delete(path))
    else:
        raise Refused(f"{way.label} cannot do this to a comment")


async def signal(graph: Graph, thread_id: str, action: str, payload: dict[str, str] | None = None) -> None:
    """Typing, seen, a reaction. Raises Refused under comments, which know none of it."""
    if thread_id.startswith(THREAD):
        raise Refused("under a comment there is no such thing")
    more = {"payload": payload} if payload else {}
    await graph.post("me/messages", {"recipient": {"id": person_of(thread_id)}, "sender_action": action} | more)


def person_of(thread_id: str) -> str:
    if not (thread_id.isascii() and thread_id.isdigit()):
        raise Refused("this is no conversation of this channel")
    return thread_id


def comment_of(thread_id: str) -> str:
    return _known(thread_id.removeprefix(THREAD))


def _known(comment_id: str) -> str:
    if not _COMMENT.fullmatch(comment_id):
        raise Refused("this is no comment")
    return comment_id
