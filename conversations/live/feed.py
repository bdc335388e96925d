"""One feed per process and workspace: it hears hints, reads the new events once, and hands them to every socket here.

It lives on the server's loop. A hint that is lost, a layer that is down and a machine that slept are healed by the
heartbeat, which carries the head from the database.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from operator import methodcaller
from typing import Any, Protocol

from channels.layers import get_channel_layer

from conversations.live import layer
from conversations.live.fragments import Frame, following, head_of
from crm.workspace.models import Workspace
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
HEARTBEAT = 15.0  # seconds
LOOK_EVERY = 5.0  # seconds: a hint that was lost costs no more


class Listener(Protocol):
    """A socket of this process."""

    async def events_moved(self, frame: Frame) -> None: ...
    async def heartbeat(self, head: int) -> None: ...
    async def typing_seen(self, typing: dict[str, Any]) -> None: ...


class Feed:
    """The live events of one workspace in this process, for as long as somebody listens."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.head = 0
        self.listeners: set[Listener] = set()
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, listener: Listener) -> None:
        """Hand every later frame to `listener`."""
        if not self._tasks:
            self.head = await in_thread(head_of, self.workspace)
            steps = (self._hear(), self._follow(), self._beat())
            self._tasks = [asyncio.get_running_loop().create_task(step) for step in steps]
        self.listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        if not self.listeners:
            for task in self._tasks:
                task.cancel()
            self._tasks = []
            _feeds.pop(self.workspace.pk, None)

    async def _hear(self) -> None:
        """Listen to the layer; when it fails, try again: the heartbeat carries us meanwhile."""
        while True:
            try:
                channels = get_channel_layer()
                name = await channels.new_channel()
                await channels.group_add(layer.workspace_group(self.workspace.pk), name)
                while True:
                    await self._take(await channels.receive(name))
            except Exception:
                logger.exception("the feed does not hear the layer", extra={"workspace": self.workspace.pk})
                await asyncio.sleep(1)

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "typing":
            await self._tell(methodcaller("typing_seen", message))
        else:
            self._moved.set()

    async def _follow(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            try:
                await self._push()
            except Exception:
                logger.exception("events could not be shown", extra={"workspace": self.workspace.pk})
                await asyncio.sleep(1)

    async def _push(self) -> None:
        while True:
            frame = await in_thread(following, self.workspace, self.head)
            if frame.end == self.head and not frame.is_reset:
                return
            self.head = frame.end
            await self._tell(methodcaller("events_moved", frame))
            if frame.is_reset or not frame.is_full:
                return

    async def _beat(self) -> None:
        """Look at the head every few seconds, and tell it to everybody with each heartbeat."""
        told_at = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(min(LOOK_EVERY, HEARTBEAT))
            try:
                head = await in_thread(head_of, self.workspace)
            except Exception:
                logger.exception("no heartbeat", extra={"workspace": self.workspace.pk})
                continue
            if head != self.head:
                self._moved.set()
            now = asyncio.get_running_loop().time()
            if now - told_at >= HEARTBEAT:
                told_at = now
                await self._tell(methodcaller("heartbeat", head))

    async def _tell(self, say: Callable[[Listener], Awaitable[None]]) -> None:
        for listener in list(self.listeners):
            with contextlib.suppress(Exception):  # a socket that is closing
                await say(listener)


_feeds: dict[int, Feed] = {}


async def join(workspace: Workspace, listener: Listener) -> Feed:
    """The workspace's feed in this process, with `listener` on it."""
    layer.live_on(asyncio.get_running_loop())
    feed = _feeds.setdefault(workspace.pk, Feed(workspace))
    await feed.join(listener)
    return feed
