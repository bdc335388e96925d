"""Public answers on their way out: one part becomes one post, or a chain of them where it is long.

Their keys are made from the delivery, and the same record put twice is one, so that nothing is ever uncertain.
"""

from typing import Any

from channels_adapters.adapters.bluesky.client import Client
from channels_adapters.adapters.bluesky.errors import Gone
from channels_adapters.adapters.bluesky.parsing import PUBLIC
from channels_adapters.adapters.bluesky.records import POST, key_of, moment
from channels_adapters.adapters.bluesky.richtext import facets, handles
from channels_adapters.calls import nothing_to_lose
from channels_adapters.contract import OutboundFile, OutboundPart, Refused, Retryable, SendReceipt
from channels_adapters.cutting import cut, graphemes
from channels_adapters.reading import Fields
from conversations.text import clean

LIMIT = 300
PICTURE_LIMIT = 2_000_000  # bytes
_BYTES_A_GRAPHEME = 10  # 3,000 for a post, 10,000 for a direct message
_MOST_MENTIONS = 20
Ref = dict[str, str]


def length(text: str) -> int:
    """As Bluesky counts: what readers see as one, and no more than ten bytes for each."""
    return max(graphemes(text), -(-len(text.encode()) // _BYTES_A_GRAPHEME))


async def send(client: Client, part: OutboundPart) -> SendReceipt:
    """The first post's address, with those of the whole chain. Raises Retryable or Refused."""
    me = await client.sign_in()
    root, parent = await _answered(client, part)
    embed = await _embed(client, part.file) if part.file else None
    texts = cut(clean(part.text), LIMIT, length) or [""]
    chain: list[str] = []
    for number, text in enumerate(texts):
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": moment(part, number)}
        record |= {"reply": {"root": root, "parent": parent}} | await with_facets(client, text)
        record |= {"embed": embed} if embed and not number else {}
        parent = await _put(client, me, key_of(part, number), record)
        chain.append(parent["uri"])
    return SendReceipt(chain[0], {"chain": chain} if len(chain) > 1 else {})


async def _put(client: Client, me: str, key: str, record: dict[str, Any]) -> Ref:
    with nothing_to_lose():
        said = await client.post("com.atproto.repo.putRecord", repo=me, collection=POST, rkey=key, record=record)
    if not (said.text("uri") and said.text("cid")):
        raise Retryable("Bluesky's answer made no sense")
    return {"uri": said.text("uri"), "cid": said.text("cid")}


async def _answered(client: Client, part: OutboundPart) -> tuple[Ref, Ref]:
    """The thread's first post and the one that is answered, from its details; without them the server is asked."""
    said = part.answers
    uri = part.reply_to or str(said.get("uri") or part.thread_id)
    if uri == said.get("uri") and all(said.get(key) for key in ("cid", "root", "root_cid")):
        return {"uri": said["root"], "cid": said["root_cid"]}, {"uri": uri, "cid": said["cid"]}
    if not uri.startswith(PUBLIC):
        raise Refused("this is no Bluesky conversation")
    found = next((await client.get("app.bsky.feed.getPosts", uris=[uri])).many("posts"), Fields({}))
    if not (found.text("uri") and found.text("cid")):
        raise Gone("the post that this answers is gone")
    parent = {"uri": found.text("uri"), "cid": found.text("cid")}
    above = found.one("record").one("reply").one("root")
    return ({"uri": above.text("uri"), "cid": above.text("cid")} if above.text("cid") else parent), parent


async def _embed(client: Client, file: OutboundFile) -> dict[str, Any]:
    kind = file.mime.partition("/")[0]
    if kind == "image" and len(file.data) > PICTURE_LIMIT:
        raise Refused("Bluesky takes pictures of at most 2 MB: send a smaller one")
    if kind != "image" and file.mime != "video/mp4":
        raise Refused("Bluesky shows pictures and MP4 videos only")
    blob = await client.upload(file.data, file.mime)
    if kind == "image":
        return {"$type": "app.bsky.embed.images", "images": [{"alt": clean(file.alt), "image": blob}]}
    return {"$type": "app.bsky.embed.video", "video": blob, "alt": clean(file.alt)[:1000]}


async def with_facets(client: Client, text: str) -> dict[str, Any]:
    """What makes links, tags and mentions of a text work; nothing when there are none."""
    found = facets(text, await _dids(client, text))
    return {"facets": found} if found else {}


async def _dids(client: Client, text: str) -> dict[str, str]:
    """Whom the handles in a text name. One that nobody has stays plain text."""
    known = {}
    for handle in sorted(handles(text))[:_MOST_MENTIONS]:
        try:
            said = await client.get("com.atproto.identity.resolveHandle", handle=handle.lower())
        except Refused:
            continue
        known[handle] = said.text("did")
    return known
