"""Answers on their way out: in public a post or a chain of them, in private a message. X knows no key of ours for
either: what is unsure is looked up among what we said since."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from channels_adapters.adapters.x.client import Client
from channels_adapters.adapters.x.counting import LIMIT, length
from channels_adapters.adapters.x.errors import Duplicate
from channels_adapters.adapters.x.messages import DIRECT, GROUP
from channels_adapters.adapters.x.posts import PUBLIC, expanded, without_us
from channels_adapters.adapters.x.uploading import upload
from channels_adapters.contract import OutboundPart, Refused, SendFailed, SendReceipt, Uncertain
from channels_adapters.cutting import cut
from channels_adapters.reading import Fields
from conversations.text import clean

_MESSAGE_LIMIT = 10_000
_CLOCKS_APART = timedelta(minutes=2)
_LATEST = 100
_ABOUT = "created_at,entities,referenced_tweets,author_id"


async def send(client: Client, part: OutboundPart, me: str) -> SendReceipt:
    """The first id, with those of the whole chain. Raises Retryable, Refused or Uncertain: after the first post all
    trouble is unsure."""
    is_public = part.thread_id.startswith(PUBLIC)
    path = "" if is_public else _place(part.thread_id)
    texts = _texts(part)
    media = [await upload(client, part.file, is_public=is_public)] if part.file else []
    sent: list[str] = []
    for text in texts:
        try:
            if is_public:
                sent.append(await _post(client, text, sent[-1] if sent else _answered(part), media))
            else:
                sent.append(await _message(client, path, text, media))
        except Duplicate:
            found = await look_up(client, part, me)
            if found is None:
                raise
            return found
        except SendFailed as failure:
            if not sent:
                raise
            raise Uncertain(f"its beginning was sent, then: {failure.reason}") from failure
        media = []
    return SendReceipt(sent[0], {"chain": sent} if len(sent) > 1 else {})


def _texts(part: OutboundPart) -> list[str]:
    if part.thread_id.startswith(PUBLIC):
        return cut(clean(part.text), LIMIT, length) or [""]
    return cut(clean(part.text), _MESSAGE_LIMIT, len) or [""]


async def _post(client: Client, text: str, answers: str, media: Sequence[str]) -> str:
    body: dict[str, Any] = {"text": text, "reply": {"in_reply_to_tweet_id": answers}}
    body |= {"media": {"media_ids": list(media)}} if media else {}
    said = await client.ask("POST", "/2/tweets", json=body)
    return _id(said.one("data").text("id"))


async def _message(client: Client, path: str, text: str, media: Sequence[str]) -> str:
    body: dict[str, Any] = {"text": text} if text else {}
    body |= {"attachments": [{"media_id": media_id} for media_id in media]} if media else {}
    said = await client.ask("POST", f"{path}/messages", json=body)
    return _id(said.one("data").text("dm_event_id"))


def _id(identifier: str) -> str:
    if not identifier.isdecimal():
        raise Uncertain("X's answer made no sense")
    return identifier


def _answered(part: OutboundPart) -> str:
    answers = part.reply_to or str(part.answers.get("post") or part.thread_id.removeprefix(PUBLIC))
    if not answers.isdecimal():
        raise Refused("this is no conversation on X")
    return answers


def _place(thread_id: str) -> str:
    """The beginning of the address of a conversation's calls."""
    if thread_id.startswith(DIRECT) and thread_id.removeprefix(DIRECT).isdecimal():
        return f"/2/dm_conversations/with/{thread_id.removeprefix(DIRECT)}"
    if thread_id.startswith(GROUP) and thread_id.removeprefix(GROUP).isalnum():
        return f"/2/dm_conversations/{thread_id.removeprefix(GROUP)}"
    raise Refused("this is no conversation on X")


async def look_up(client: Client, part: OutboundPart, me: str) -> SendReceipt | None:
    """Whether all of the part, or none, was said since it was wanted; raises Uncertain where only some was, or where
    it has no words to know it by."""
    if part.wanted_at is None or not part.text.strip():
        raise Uncertain("X cannot be asked about this")
    since, texts = part.wanted_at - _CLOCKS_APART, _texts(part)
    said = await (_own_posts if part.thread_id.startswith(PUBLIC) else _own_messages)(client, part, me, since)
    found = [said[text] for text in texts if text in said]
    if not found:
        return None
    if len(found) < len(texts):
        raise Uncertain("only its beginning arrived")
    return SendReceipt(found[0], {"chain": found} if len(found) > 1 else {})


async def _own_posts(client: Client, part: OutboundPart, me: str, since: datetime) -> dict[str, str]:
    start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    params = {"max_results": _LATEST, "start_time": start, "tweet.fields": _ABOUT}
    answer = await client.get(f"/2/users/{me}/tweets", **params)
    chain, found = {_answered(part)}, dict[str, str]()
    for post in list(answer.many("data"))[::-1]:  # the oldest first: a chain grows downwards
        replied = next(
            (other.text("id") for other in post.many("referenced_tweets") if other.text("type") == "replied_to"), ""
        )
        if replied in chain:
            chain.add(post.text("id"))
            found[_said(post)] = post.text("id")
    return found


async def _own_messages(client: Client, part: OutboundPart, me: str, since: datetime) -> dict[str, str]:
    params = {
        "max_results": _LATEST,
        "event_types": "MessageCreate",
        "dm_event.fields": "created_at,sender_id,text,entities",
    }
    answer = await client.get(f"{_place(part.thread_id)}/dm_events", **params)
    ours = [event for event in answer.many("data") if event.text("sender_id") == me]
    return {_said(event): event.text("id") for event in ours if _at(event) >= since}


def _said(item: Fields) -> str:
    """Its words as we wrote them: X puts its own short links, and before an answer the names of those it is for."""
    text = expanded(item.text("text"), [*item.one("entities").many("urls")], [])
    for person in item.one("entities").many("mentions"):
        text = without_us(text, person.text("username")) if text.startswith("@") else text
    return text


def _at(event: Fields) -> datetime:
    try:
        return datetime.fromisoformat(event.text("created_at"))
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
