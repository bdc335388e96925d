"""How messages come in where there is no webhook: mentions and direct messages are polled, seldom, as each read costs.

The cursor is JSON: {"post": id of the newest mention, "message": id of the newest message}; '0' where there was none.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from channels_adapters.adapters.x.client import Client
from channels_adapters.contract import Retryable, Store
from channels_adapters.reading import Fields

_PAGES = 10
_USERS = "id,name,username,profile_image_url"
_MEDIA = "media_key,type,url,preview_image_url,variants,alt_text"
_ABOUT = {
    "post": {
        "tweet.fields": "created_at,conversation_id,referenced_tweets,entities,lang,note_tweet,edit_history_tweet_ids,"
        "in_reply_to_user_id,attachments,author_id",
        "expansions": "author_id,attachments.media_keys",
    },
    "message": {
        "dm_event.fields": "created_at,sender_id,dm_conversation_id,attachments,entities,text,event_type",
        "event_types": "MessageCreate",
        "expansions": "sender_id,attachments.media_keys",
    },
}
Update = tuple[str, bytes]


class Listener:
    def __init__(self, client: Client, store: Store, me: str, *, poll_seconds: float) -> None:
        self.client, self.store, self.me, self.poll_seconds = client, store, me, poll_seconds
        self._ended = asyncio.Event()

    async def run(self, text: str) -> None:
        """Take in until cancelled or ended; raises Retryable or Refused when X gives nothing."""
        try:
            cursor = _read(text)
            while not self._ended.is_set():
                cursor = await self._take(cursor)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), self.poll_seconds)
        finally:
            await self.client.close()
        raise Retryable("the connection was changed")

    def end(self) -> None:
        self._ended.set()

    async def _take(self, cursor: Mapping[str, str]) -> dict[str, str]:
        """What is new of each kind, in the order it was said; on the first look nothing, only where we are."""
        reached, updates = dict(cursor), list[Update]()
        for kind, path in (("post", f"/2/users/{self.me}/mentions"), ("message", "/2/dm_events")):
            new = await self._new(kind, path, cursor.get(kind, ""))
            newest = max((int(number.removeprefix(f"{kind}:")) for number, _ in new), default=0)
            reached[kind] = str(max(newest, int(cursor.get(kind) or 0)))
            updates += new if kind in cursor else []
        await self.store(updates, json.dumps(reached))
        return reached

    async def _new(self, kind: str, path: str, since: str) -> list[Update]:
        found: dict[str, bytes] = {}
        token = ""
        for _ in range(_PAGES if since else 1):
            params = {"max_results": "100", "user.fields": _USERS, "media.fields": _MEDIA, **_ABOUT[kind]}
            params |= {"pagination_token": token} | ({"since_id": since} if kind == "post" and since != "0" else {})
            page = await self.client.get(path, **params)
            if not (page.has("data") or page.has("meta")):
                raise Retryable("X's answer made no sense")
            items = [item for item in page.many("data") if int(_number(item)) > int(since or 0)]
            found |= {f"{kind}:{_number(item)}": self._envelope(kind, item, page) for item in items}
            token = page.one("meta").text("next_token")
            if not (items and token):
                break
        return list(found.items())[::-1]

    def _envelope(self, kind: str, item: Fields, page: Fields) -> bytes:
        included = page.one("includes")
        people = {item.text("author_id"), item.text("sender_id")}
        keys = item.one("attachments").raw.get("media_keys") or []
        told: dict[str, Any] = {"poll": kind, "me": self.me, "item": item.raw}
        told["users"] = [user.raw for user in included.many("users") if user.text("id") in people]
        told["media"] = [file.raw for file in included.many("media") if file.text("media_key") in keys]
        return json.dumps(told).encode()


def _number(item: Fields) -> str:
    return item.text("id") if item.text("id").isdecimal() and len(item.text("id")) < 25 else "0"


def _read(text: str) -> dict[str, str]:
    try:
        said = json.loads(text)
        return {kind: str(int(said[kind])) for kind in ("post", "message") if kind in said}
    except (ValueError, TypeError, KeyError):
        return {}
