"""Nudges between processes: whoever made work says so, and the processes that do it look at the rows.

A nudge that is lost costs time only: they look by themselves as well.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from channels.layers import get_channel_layer

from channels_adapters.workers.platform_loop import portal
from conversations.live import layer
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
GROUP = "work"
LOOK_EVERY = 10.0  # seconds
TO_SEND, TO_TELL, TO_LISTEN, ALL = "send", "tell", "listen", "all"


def use_platform_loop() -> None:
    """Post from the platform loop until a socket names the server's: a process may have no other."""
    layer.live_on(portal().call(asyncio.get_running_loop))


def nudge(what: str) -> None:
    """Say that there is something to send, to tell subscribers or to listen to, or that it is time to look at all."""
    layer.post(GROUP, {"type": "work.look", "what": what})


class Ear:
    """Calls `look` with each nudge, and with ALL every few seconds, in a thread."""

    def __init__(self, look: Callable[[str], None]) -> None:
        self._look = look
        self._tasks: list[Future[None]] = []

    def open(self) -> None:
        self._tasks = [portal().start_task_soon(step) for step in (self._hear, self._look_anyway)]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _hear(self) -> None:
        while True:
            await self._listen()
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        try:
            channels = get_channel_layer()
            name = await channels.new_channel()
            await channels.group_add(GROUP, name)
            while True:
                await self._take(await channels.receive(name))
        except Exception as error:  # noqa: BLE001  # whatever the layer's client raises: try again
            logger.warning("nudges are not heard", extra={"reason": type(error).__name__})

    async def _look_anyway(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._take({"what": ALL})

    async def _take(self, message: dict[str, Any]) -> None:
        try:
            await in_thread(self._look, message["what"])
        except Exception:
            logger.exception("a look for work failed; the next one comes soon")
