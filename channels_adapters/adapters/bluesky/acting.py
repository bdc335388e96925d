"""What is done to posts and messages that exist: ours are deleted, theirs are liked, hidden under ours, reacted to."""

from typing import Any

from channels_adapters.adapters.bluesky.chatting import convo_of
from channels_adapters.adapters.bluesky.client import Client
from channels_adapters.adapters.bluesky.errors import Gone
from channels_adapters.adapters.bluesky.parsing import PUBLIC
from channels_adapters.adapters.bluesky.records import GATE, LIKE, POST, key_for, next_key
from channels_adapters.contract import OutboundAct, Refused
from channels_adapters.reading import Fields
from crm.workspace import clock

_MOST_HIDDEN = 300
_HEARTS = ("❤", "❤️")


async def act(client: Client, act: OutboundAct) -> None:
    """Raises Retryable, Refused or Uncertain. Each may be done twice without harm."""
    is_public = act.target.startswith(PUBLIC)
    match act.kind:
        case "delete" if is_public:
            await _delete(client, act.target)
        case "delete":
            raise Refused("Bluesky deletes a direct message only for oneself, not for the customer")
        case "like" | "unlike" if is_public:
            await _like(client, act.target, is_on=act.kind == "like")
        case "hide" | "unhide" if is_public:
            await _hide(client, act, is_on=act.kind == "hide")
        case "react" if not is_public:
            await _react(client, act)
        case "react" if act.text in ("", *_HEARTS):
            await _like(client, act.target, is_on=bool(act.text))
        case "react":
            raise Refused("a post on Bluesky takes a heart only")
        case _:
            raise Refused("Bluesky cannot do this")


async def _delete(client: Client, uri: str) -> None:
    """Our post, and those that go on from it: their keys follow one another."""
    me, key = await client.sign_in(), uri.rpartition("/")[2]
    if not uri.startswith(f"{PUBLIC}{me}/"):
        raise Refused("only posts of our own can be deleted")
    while key:
        await client.post("com.atproto.repo.deleteRecord", repo=me, collection=POST, rkey=key)
        key = next_key(key)
        if key and not await _record(client, me, POST, key):
            return


async def _like(client: Client, uri: str, *, is_on: bool) -> None:
    me, key = await client.sign_in(), key_for(uri)
    if not is_on:
        await client.post("com.atproto.repo.deleteRecord", repo=me, collection=LIKE, rkey=key)
        return
    post = next((await client.get("app.bsky.feed.getPosts", uris=[uri])).many("posts"), Fields({}))
    if not post.text("cid"):
        raise Gone("the post is gone")
    record = {"$type": LIKE, "subject": {"uri": uri, "cid": post.text("cid")}, "createdAt": _now()}
    await client.post("com.atproto.repo.putRecord", repo=me, collection=LIKE, rkey=key, record=record)


async def _hide(client: Client, act: OutboundAct, *, is_on: bool) -> None:
    """Whoever began a thread may hide what stands under it."""
    me, root = await client.sign_in(), str(act.answers.get("root") or act.thread_id)
    if not root.startswith(f"{PUBLIC}{me}/"):
        raise Refused("only who began a thread may hide answers in it, and this one is not ours")
    key = root.rpartition("/")[2]
    kept = await _record(client, me, GATE, key)
    record: dict[str, Any] = {"$type": GATE, "post": root, "createdAt": _now(), **kept.one("value").raw}
    hidden = [uri for uri in record.get("hiddenReplies") or [] if uri != act.target]
    record["hiddenReplies"] = [*hidden, act.target][-_MOST_HIDDEN:] if is_on else hidden
    swap: dict[str, Any] = {"swapRecord": kept.text("cid")} if kept else {}
    await client.post("com.atproto.repo.putRecord", repo=me, collection=GATE, rkey=key, record=record, **swap)


async def _react(client: Client, act: OutboundAct) -> None:
    convo = await convo_of(client, act.thread_id)
    about = {"convoId": convo, "messageId": act.target}
    if act.text:
        await client.post("chat.bsky.convo.addReaction", chat=True, value=act.text, **about)
        return
    me, said = (
        await client.sign_in(),
        await client.get("chat.bsky.convo.getMessages", chat=True, convoId=convo, limit=100),
    )
    for message in said.many("messages"):
        for reaction in message.many("reactions") if message.text("id") == act.target else ():
            if reaction.one("sender").text("did") == me:
                value = reaction.text("value")
                await client.post("chat.bsky.convo.removeReaction", chat=True, value=value, **about)


async def _record(client: Client, me: str, collection: str, key: str) -> Fields:
    try:
        return await client.get("com.atproto.repo.getRecord", repo=me, collection=collection, rkey=key)
    except Gone:
        return Fields({})


def _now() -> str:
    return clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
