"""Files on their way to X: small pictures at once, the rest in pieces, then looked at until X has worked them over."""

import asyncio
from typing import Any

from channels_adapters.adapters.x.client import Client
from channels_adapters.calls import nothing_to_lose
from channels_adapters.contract import OutboundFile, Refused, Retryable
from conversations.text import clean

PICTURE_LIMIT = 5 * 1024 * 1024
_PIECE = 4 * 1024 * 1024
_LOOKS = 20
_UPLOAD = "/2/media/upload"


async def upload(client: Client, file: OutboundFile, *, is_public: bool) -> str:
    """The file's id for one post or message. Raises Retryable or Refused; nobody sees the file yet."""
    kind = file.mime.partition("/")[0]
    if kind not in ("image", "video"):
        raise Refused("X shows pictures and videos only")
    if kind == "image" and len(file.data) > PICTURE_LIMIT:
        raise Refused("X takes pictures of at most 5 MB: send a smaller one")
    shape = "gif" if file.mime == "image/gif" else kind
    category = f"{'tweet' if is_public else 'dm'}_{shape}"
    with nothing_to_lose():
        media_id = await (_at_once if shape == "image" else _in_pieces)(client, file, category)
        if file.alt:
            described = {"id": media_id, "metadata": {"alt_text": {"text": clean(file.alt)[:1000]}}}
            await client.ask("POST", "/2/media/metadata", json=described)
    return media_id


async def _at_once(client: Client, file: OutboundFile, category: str) -> str:
    files = {"media": (file.name or "file", file.data, file.mime)}
    said = await client.ask("POST", _UPLOAD, files=files, data={"media_category": category})
    return _id(said.one("data").text("id"))


async def _in_pieces(client: Client, file: OutboundFile, category: str) -> str:
    wanted: dict[str, Any] = {"media_type": file.mime, "total_bytes": len(file.data), "media_category": category}
    said = await client.ask("POST", f"{_UPLOAD}/initialize", json=wanted)
    media_id = _id(said.one("data").text("id"))
    for number, start in enumerate(range(0, len(file.data), _PIECE)):
        files = {"media": ("piece", file.data[start : start + _PIECE], "application/octet-stream")}
        await client.ask("POST", f"{_UPLOAD}/{media_id}/append", files=files, data={"segment_index": str(number)})
    state = (await client.ask("POST", f"{_UPLOAD}/{media_id}/finalize")).one("data").one("processing_info")
    for _ in range(_LOOKS):
        if state.text("state") in ("", "succeeded"):
            return media_id
        if state.text("state") == "failed":
            raise Refused(f"X cannot show this file: {state.one('error').text('message')[:200]}".rstrip(": "))
        await asyncio.sleep(min(state.number("check_after_secs") or 1, 5))
        said = await client.get(_UPLOAD, command="STATUS", media_id=media_id)
        state = said.one("data").one("processing_info")
    raise Retryable("X still works on the file")


def _id(media_id: str) -> str:
    if not media_id.isdecimal():
        raise Retryable("X's answer made no sense")
    return media_id
