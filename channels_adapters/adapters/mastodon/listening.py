"""How messages come in: notifications are read from where we were, at once when the stream says that there is one.

The stream only wakes: what it missed while it was down is read all the same, in order and once. Who edits or deletes
a post tells nobody, so the latest posts are looked at again for a day.

The cursor is JSON: {"last": id of the newest notification, "watched": [[post, edited at, thread, until], ...]}.
"""

import asyncio
import contextlib
import json
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from channels_adapters.adapters.mastodon.client import Client
from channels_adapters.adapters.mastodon.errors import Gone
from channels_adapters.adapters.mastodon.parsing import WANTED, read_events
from channels_adapters.contract import ChannelError, Retryable, SendFailed, Store
from channels_adapters.reading import Broken, Fields
from conversations.normalized import InboundMessage
from crm.workspace import clock

logger = logging.getLogger(__name__)
_PAGE = 40
_WATCH_FOR, _WATCHED, _AT_ONCE = timedelta(hours=24), 60, 20
_SILENCE = 60.0  # seconds without a sign of life after which a stream is dead: it gives one every 15
_STREAM_PAUSE = 15.0
Update = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Cursor:
    last: str = ""
    watched: tuple[tuple[str, str, str, float], ...] = field(default=())

    @classmethod
    def read(cls, text: str) -> "Cursor":
        try:
            said = json.loads(text)
            return cls(str(said["last"]), tuple((str(a), str(b), str(c), float(d)) for a, b, c, d in said["watched"]))
        except (ValueError, TypeError, KeyError):
            return cls()

    def __str__(self) -> str:
        return json.dumps({"last": self.last, "watched": self.watched})


class Listener:
    def __init__(self, client: Client, store: Store, *, poll_seconds: float, watch_seconds: float) -> None:
        self.client, self.store = client, store
        self.poll_seconds, self.watch_seconds = poll_seconds, watch_seconds
        self.me, self._wake, self._ended = "", asyncio.Event(), False

    async def run(self, text: str) -> None:
        """Take in until cancelled or ended; raises Retryable or Refused when the server gives nothing."""
        streaming = asyncio.create_task(self._stream())
        try:
            self.me = (await self.client.one("GET", "/api/v1/accounts/verify_credentials")).text("id")
            cursor = Cursor.read(text)
            await self._go_on(cursor if cursor.last else await self._start())
        finally:
            streaming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await streaming
            await self.client.close()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    async def _go_on(self, cursor: Cursor) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time() + self.watch_seconds
        while not self._ended:
            self._wake.clear()
            cursor = await self._take(cursor)
            if loop.time() >= look_at:
                cursor = await self._look_again(cursor)
                look_at = loop.time() + self.watch_seconds
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self.poll_seconds)
        raise Retryable("the connection was changed")

    async def _start(self) -> Cursor:
        """From now on: what was said before the inbox existed is not ours to answer."""
        newest = await self._page(limit=1)
        cursor = Cursor(newest[0].text("id") if newest else "0")
        await self.store([], str(cursor))
        return cursor

    async def _take(self, cursor: Cursor) -> Cursor:
        while True:
            page = (await self._page(min_id=cursor.last, limit=_PAGE))[::-1]  # the oldest first
            page = [notification for notification in page if notification.text("id")]
            updates = [await self._envelope(notification) for notification in page]
            reached = page[-1].text("id") if page else cursor.last
            if page and reached == cursor.last:
                raise Retryable("the Mastodon server repeats notifications that are stored already")
            cursor = self._watch(replace(cursor, last=reached), updates)
            await self.store(updates, str(cursor))  # an empty one keeps the lease
            if not page:
                return cursor

    async def _page(self, **wanted: Any) -> list[Fields]:
        params = {"types[]": list(WANTED), "include_filtered": "true", **wanted}
        answer = await self.client.ask("GET", "/api/v1/notifications", params=params)
        if not isinstance(answer.json(), list):
            raise Retryable("Mastodon's answer made no sense")
        return answer.items()

    async def _envelope(self, notification: Fields) -> Update:
        status = notification.one("status")
        above, first = await self._above(status) if status.text("in_reply_to_id") else ([], "")
        told = {"event": "notification", "me": self.me, "above": above, "first": first, "payload": notification.raw}
        return f"notification:{notification.text('id')}", json.dumps(told).encode()

    async def _above(self, status: Fields) -> tuple[list[str], str]:
        """The ids of the posts that it answers, nearest first; and where our own chain that it answers begins."""
        try:
            answer = await self.client.ask("GET", f"/api/v1/statuses/{status.text('id')}/context")
        except SendFailed:
            return [status.text("in_reply_to_id")], ""
        ancestors = list(answer.fields().many("ancestors"))[::-1]
        first = ""
        for ancestor in ancestors:
            if ancestor.one("account").text("id") != self.me:
                break
            first = ancestor.text("id")
        above = [ancestor.text("id") for ancestor in ancestors if ancestor.text("id")]
        return above or [status.text("in_reply_to_id")], first

    def _watch(self, cursor: Cursor, updates: list[Update]) -> Cursor:
        until = (clock.now() + _WATCH_FOR).timestamp()
        known = {post[0] for post in cursor.watched}
        found = []
        for _, raw in updates:
            envelope = Fields(json.loads(raw))
            try:
                said = [event for event in read_events(envelope) if isinstance(event, InboundMessage)]
            except Broken:
                continue  # it is stored, and parked when it is read
            edited_at = envelope.one("payload").one("status").text("edited_at")
            found += [(e.external_id, edited_at, e.thread_id, until) for e in said if e.external_id not in known]
        kept = [post for post in cursor.watched if post[3] > clock.now().timestamp()]
        return replace(cursor, watched=tuple([*kept, *found][-_WATCHED:]))

    async def _look_again(self, cursor: Cursor) -> Cursor:
        """Whether the latest posts still say what they said."""
        updates: list[Update] = []
        watched: list[tuple[str, str, str, float]] = []
        for start in range(0, len(cursor.watched), _AT_ONCE):
            posts = cursor.watched[start : start + _AT_ONCE]
            try:
                answer = await self.client.ask("GET", "/api/v1/statuses", params={"id[]": [post[0] for post in posts]})
            except SendFailed:
                return cursor  # busy, or a server before 4.3, which cannot be asked
            now = {status.text("id"): status for status in answer.items()}
            for post in posts:
                changed = await self._changed(post, now.get(post[0]))
                updates += [changed] if changed else []
                if post[0] in now:
                    watched.append((post[0], now[post[0]].text("edited_at"), post[2], post[3]))
                elif not changed:
                    watched.append(post)
        cursor = replace(cursor, watched=tuple(watched))
        if updates:
            await self.store(updates, str(cursor))
        return cursor

    async def _changed(self, post: tuple[str, str, str, float], status: Fields | None) -> Update | None:
        target, edited_at, thread_id, _ = post
        if status is None:
            if not await self._is_gone(target):
                return None
            told: dict[str, Any] = {"event": "delete", "me": self.me, "payload": target, "thread": thread_id}
            return f"delete:{target}", json.dumps(told).encode()
        if status.text("edited_at") in ("", edited_at):
            return None
        above, first = await self._above(status) if status.text("in_reply_to_id") else ([], "")
        told = {"event": "status.update", "me": self.me, "above": above, "first": first, "payload": status.raw}
        return f"update:{target}:{status.text('edited_at')}", json.dumps(told).encode()

    async def _is_gone(self, target: str) -> bool:
        try:
            await self.client.ask("GET", f"/api/v1/statuses/{target}")
        except Gone:
            return True
        except SendFailed:
            return False
        return False

    async def _stream(self) -> None:
        """Wake the poll with each notification. Without a stream it comes around by itself."""
        while True:
            try:
                url = await self._stream_url()
                async with self.client.calls.lines(url, silence=_SILENCE, headers=self.client.headers) as lines:
                    async for line in lines:
                        if line.startswith("event:"):
                            self._wake.set()
            except ChannelError as error:
                logger.info("the stream ended", extra={"reason": error.reason})
            await asyncio.sleep(_STREAM_PAUSE)

    async def _stream_url(self) -> str:
        instance = (await self.client.ask("GET", "/api/v2/instance")).fields()
        told = instance.one("configuration").one("urls").text("streaming") or self.client.server
        place = told.replace("ws", "http", 1) if told.startswith("ws") else told
        return f"{place.rstrip('/')}/api/v1/streaming/user/notification"
