"""The visitor's socket. It pushes; visitors write over HTTP. Only typing goes up."""

import asyncio
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from channels_adapters import connections
from channels_adapters.adapters.webchat import WebChatAdapter, history, visitors
from channels_adapters.adapters.webchat.history import Place
from conversations.live import feed as live
from conversations.live import typing
from conversations.live.fragments import Frame
from conversations.metrics import SOCKETS
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
FORBIDDEN, TOO_MUCH = 4403, 4429  # after accept: a refusal before it reads as 1006
FRAME_LIMIT = 2_000  # characters a client may send
FRAMES_LIMIT = 60  # frames within FRAMES_WITHIN seconds
FRAMES_WITHIN = 10.0
TYPING_EVERY = 2.0  # seconds


class VisitorConsumer(AsyncWebsocketConsumer):
    """Pushes one visitor's thread to one page of theirs."""

    feed: live.Feed | None = None
    place: Place | None = None
    following: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        asked = parse_qs(self.scope["query_string"].decode("latin-1"))
        key, token = self.scope["url_route"]["kwargs"]["key"], asked.get("token", [""])[0]
        self.place = await in_thread(_place, key, token)
        if self.place is None:
            await self.accept()
            await self.close(code=FORBIDDEN)
            return
        self.cursor = history.read_cursor(asked.get("since", [""])[0])
        self.shown: dict[int, int] = {}  # message: hash of the HTML that the page has
        self.thread_id: int | None = None
        self.frames, self.frames_since, self.typed_at = 0, time.monotonic(), -TYPING_EVERY
        self.moved = asyncio.Event()
        self.moved.set()  # what was said while nobody listened
        self.feed = await live.join(self.place.inbox.workspace, self)  # before accept: no gap
        SOCKETS.labels("visitor").inc()
        await self.accept()
        self.following = asyncio.create_task(self._follow(self.place))

    async def disconnect(self, code: int) -> None:
        if self.following is not None:
            self.following.cancel()
        if self.feed is not None:
            SOCKETS.labels("visitor").dec()
            self.feed.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        now = time.monotonic()
        if now - self.frames_since > FRAMES_WITHIN:
            self.frames, self.frames_since = 0, now
        self.frames += 1
        if self.frames > FRAMES_LIMIT:
            await self.close(code=TOO_MUCH)
        elif self.place is not None and now - self.typed_at >= TYPING_EVERY and _is_typing(text_data):
            self.typed_at = now
            await in_thread(_tell_typing, self.place)

    async def events_moved(self, frame: Frame) -> None:
        if frame.is_reset or (frame.threads and (self.thread_id is None or self.thread_id in frame.threads)):
            self.moved.set()

    async def heartbeat(self, head: int) -> None:
        await self.send(text_data=json.dumps({"type": "heartbeat", "head": head}))

    async def typing_seen(self, typing: dict[str, Any]) -> None:
        if self.thread_id in typing["threads"] and not typing["is_customer"]:
            await self.send(text_data=json.dumps({"type": "typing", "who": typing["who"]}))

    async def _follow(self, place: Place) -> None:
        """Push in a task of its own: a slow read of ours must not hold up the other sockets of the feed."""
        while True:
            await self.moved.wait()
            self.moved.clear()
            try:
                html = await in_thread(self._news, place)
            except Exception:
                logger.exception("a visitor could not be shown what is new", extra={"inbox": place.inbox.pk})
                await asyncio.sleep(1)
                self.moved.set()
                continue
            if html:
                cursor = history.write_cursor(self.cursor or history.START)
                await self.send(text_data=json.dumps({"type": "messages", "html": html, "cursor": cursor}))

    def _news(self, place: Place) -> str:
        """What the page does not have yet, as HTML; '' when there is nothing."""
        if self.thread_id is None:
            thread = history.thread_of(place)
            if thread is None:
                return ""
            self.thread_id = thread.pk
        found = history.messages(place, self.cursor)
        rendered = dict(zip((message.pk for message in found), history.render(place, found), strict=True))
        fresh = [pk for pk, html in rendered.items() if self.shown.get(pk) != hash(html)]
        self.shown = {pk: hash(html) for pk, html in rendered.items()}
        self.cursor = max(self.cursor or history.START, history.cursor_of(found))
        history.note_arrived(place, found)
        return history.batch([rendered[pk] for pk in fresh], self.cursor) if fresh else ""


def _place(key: str, token: str) -> Place | None:
    served, visitor = connections.serving(key), visitors.read(token, key)
    if served is None or visitor is None or not isinstance(served.adapter, WebChatAdapter):
        return None
    return Place(served.inbox, visitor)


def _is_typing(text: str | None) -> bool:
    if not text or len(text) > FRAME_LIMIT:
        return False
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("typing") is True


def _tell_typing(place: Place) -> None:
    thread = history.thread_of(place)
    if thread is not None and thread.conversation is not None:
        typing.customer_types(thread, thread.conversation.customer.name)
