"""How messages come in: notifications and the chat's log are polled; latest posts are looked at again for a day.

Notifications have no cursor, they are listed newest first: all are taken that are not known, and those known are kept
as short marks. Nothing that happened before the inbox existed is taken. The chat has a log with a cursor of its own.

The cursor is JSON: {"since": moment of the start, "newest": moment, "known": [marks], "log": the chat's cursor,
"watched": [[post, thread, until], ...]}.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

from channels_adapters.adapters.bluesky.client import Client
from channels_adapters.adapters.bluesky.errors import Gone
from channels_adapters.adapters.bluesky.parsing import PUBLIC, REASONS, read_events
from channels_adapters.answers import PAUSE
from channels_adapters.contract import Retryable, SendFailed, Store
from channels_adapters.reading import Broken, Fields
from conversations.normalized import InboundMessage
from crm.workspace import clock

logger = logging.getLogger(__name__)
_PAGE, _PAGES, _KNOWN = 100, 50, 400
_WATCH_FOR, _WATCHED, _AT_ONCE = timedelta(hours=24), 50, 25
Update = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Cursor:
    since: str = ""
    newest: str = ""
    known: tuple[str, ...] = ()
    log: str = ""
    watched: tuple[tuple[str, str, float], ...] = field(default=())

    @classmethod
    def read(cls, text: str) -> "Cursor":
        try:
            said = json.loads(text)
            watched = tuple((str(a), str(b), float(c)) for a, b, c in said["watched"])
            known = tuple(map(str, said["known"]))
            return cls(str(said["since"]), str(said["newest"]), known, str(said["log"]), watched)
        except (ValueError, TypeError, KeyError):
            return cls()

    def __str__(self) -> str:
        return json.dumps(asdict(self))


class Listener:
    def __init__(self, client: Client, store: Store, *, poll_seconds: float, watch_seconds: float) -> None:
        self.client, self.store = client, store
        self.poll_seconds, self.watch_seconds = poll_seconds, watch_seconds
        self.me, self._ended, self._chat_at = "", asyncio.Event(), 0.0
        self._convos: dict[str, Fields] = {}

    async def run(self, text: str) -> None:
        """Take in until cancelled or ended; raises Retryable or Refused when the server gives nothing."""
        try:
            self.me = await self.client.sign_in()
            cursor = Cursor.read(text)
            await self._go_on(cursor if cursor.since else await self._start())
        finally:
            await self.client.close()

    def end(self) -> None:
        self._ended.set()

    async def _go_on(self, cursor: Cursor) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time() + self.watch_seconds
        while not self._ended.is_set():
            cursor = await self._take(cursor)
            if loop.time() >= self._chat_at:
                cursor = await self._take_chat(cursor)
            if loop.time() >= look_at:
                cursor = await self._look_again(cursor)
                look_at = loop.time() + self.watch_seconds
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), self.poll_seconds)
        raise Retryable("the connection was changed")

    async def _start(self) -> Cursor:
        """From now on: what was said before the inbox existed is not ours to answer."""
        page, _ = await self._page("")
        newest = max((told.text("indexedAt") for told in page), default="")
        cursor = Cursor(since=newest or "0", newest=newest, known=tuple(map(_mark, page)))  # by the server's clock
        with contextlib.suppress(SendFailed):  # without direct messages, for now or for good
            said = await self.client.get("chat.bsky.convo.listConvos", chat=True, limit=1)
            cursor = replace(cursor, log=next((convo.text("rev") for convo in said.many("convos")), ""))
        await self.store([], str(cursor))
        return cursor

    async def _take(self, cursor: Cursor) -> Cursor:
        found, newest = await self._new(cursor), cursor.newest
        updates = [await self._envelope(told) for told in found]
        if found:
            newest = max(newest, *(told.text("indexedAt") for told in found))
        known = (*cursor.known, *map(_mark, found))[-_KNOWN:]
        cursor = self._watch(replace(cursor, newest=newest, known=known), updates)
        await self.store(updates, str(cursor))  # an empty one keeps the lease
        if found:
            with contextlib.suppress(SendFailed):  # a mark for people's eyes
                await self.client.post("app.bsky.notification.updateSeen", seenAt=newest)
        return cursor

    async def _new(self, cursor: Cursor) -> list[Fields]:
        """The notifications that are not known, the oldest first. A page that brings none ends the look."""
        found: dict[str, Fields] = {}
        at = ""
        for _ in range(_PAGES):
            page, at = await self._page(at)
            new = {_mark(told): told for told in page if told.text("indexedAt") > cursor.since}
            new = {mark: told for mark, told in new.items() if mark not in cursor.known and mark not in found}
            found |= new
            if not new or not at:
                break
        return list(found.values())[::-1]

    async def _page(self, at: str) -> tuple[list[Fields], str]:
        method = "app.bsky.notification.listNotifications"
        said = await self.client.get(method, limit=_PAGE, cursor=at or None, reasons=list(REASONS))
        if not isinstance(said.raw.get("notifications"), list):
            raise Retryable("Bluesky's answer made no sense")
        return list(said.many("notifications")), said.text("cursor")

    async def _envelope(self, told: Fields) -> Update:
        parent = told.one("record").one("reply").one("parent").text("uri")
        about = told.text("reasonSubject") if told.text("reason") in ("like", "repost") else parent
        first = await self._first(about) if about.startswith(f"{PUBLIC}{self.me}/") else ""
        envelope = {"event": "notification", "me": self.me, "first": first, "payload": told.raw}
        return f"{told.text('reason')}:{told.text('uri')}", json.dumps(envelope).encode()

    async def _first(self, uri: str) -> str:
        """Where our own chain that goes on to this post of ours begins."""
        try:
            said = await self.client.get("app.bsky.feed.getPostThread", uri=uri, depth=0, parentHeight=20)
        except SendFailed:
            return ""
        post, first = said.one("thread"), ""
        while post.one("post").one("author").text("did") == self.me:
            first, post = post.one("post").text("uri"), post.one("parent")
        return first

    async def _take_chat(self, cursor: Cursor) -> Cursor:
        """The chat is another service: while it is away, or not allowed, posts come all the same."""
        try:
            return await self._logs(cursor)
        except SendFailed as failure:
            logger.info("the chat was not read", extra={"reason": failure.reason})
            self._chat_at = asyncio.get_running_loop().time() + min(PAUSE, self.poll_seconds * 4)
            return cursor

    async def _logs(self, cursor: Cursor) -> Cursor:
        while True:
            said = await self.client.get("chat.bsky.convo.getLog", chat=True, cursor=cursor.log or None)
            logs = [log for log in said.many("logs") if log.text("rev") > cursor.log]
            reached = said.text("cursor") or max((log.text("rev") for log in logs), default="")
            if not logs or reached <= cursor.log:
                return cursor
            updates = [await self._log_envelope(log) for log in logs]
            cursor = replace(cursor, log=reached)
            await self.store(updates, str(cursor))

    async def _log_envelope(self, log: Fields) -> Update:
        convo = await self._convo(log.text("convoId")) if log.one("message") else Fields({})
        envelope = {"event": "log", "me": self.me, "convo": convo.raw, "payload": log.raw}
        return f"log:{log.text('rev')}:{log.text('convoId')}", json.dumps(envelope).encode()

    async def _convo(self, convo_id: str) -> Fields:
        if convo_id not in self._convos:
            said = await self.client.get("chat.bsky.convo.getConvo", chat=True, convoId=convo_id)
            if len(self._convos) > 1000:
                self._convos.clear()
            self._convos[convo_id] = said.one("convo")
        return self._convos[convo_id]

    def _watch(self, cursor: Cursor, updates: list[Update]) -> Cursor:
        until = (clock.now() + _WATCH_FOR).timestamp()
        found = []
        for _, raw in updates:
            try:
                said = [event for event in read_events(Fields(json.loads(raw))) if isinstance(event, InboundMessage)]
            except Broken:
                continue  # it is stored, and parked when it is read
            found += [(event.external_id, event.thread_id, until) for event in said]
        kept = [post for post in cursor.watched if post[2] > clock.now().timestamp()]
        return replace(cursor, watched=tuple([*kept, *found][-_WATCHED:]))

    async def _look_again(self, cursor: Cursor) -> Cursor:
        """Whether the latest posts are still there."""
        updates: list[Update] = []
        gone: set[str] = set()
        for start in range(0, len(cursor.watched), _AT_ONCE):
            posts = cursor.watched[start : start + _AT_ONCE]
            try:
                said = await self.client.get("app.bsky.feed.getPosts", uris=[post[0] for post in posts])
            except SendFailed:
                return cursor
            there = {post.text("uri") for post in said.many("posts")}
            for uri, thread_id, _ in posts:
                if uri not in there and uri not in gone and await self._is_gone(uri):
                    gone.add(uri)
                    told = {"event": "delete", "me": self.me, "payload": uri, "thread": thread_id}
                    updates.append((f"delete:{uri}", json.dumps(told).encode()))
        if updates:
            cursor = replace(cursor, watched=tuple(post for post in cursor.watched if post[0] not in gone))
            await self.store(updates, str(cursor))
        return cursor

    async def _is_gone(self, uri: str) -> bool:
        try:
            said = await self.client.get("app.bsky.feed.getPostThread", uri=uri, depth=0, parentHeight=0)
        except Gone:
            return True
        except SendFailed:
            return False
        return said.one("thread").is_true("notFound")


def _mark(told: Fields) -> str:
    return hashlib.sha256(f"{told.text('reason')} {told.text('uri')}".encode()).hexdigest()[:12]
