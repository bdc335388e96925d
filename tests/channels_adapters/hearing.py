"""An adapter that listens, and what it stored: for the tests of channels that are polled."""

import asyncio
import contextlib

from channels_adapters.contract import SendFailed
from conversations.normalized import InboundMessage


class Hearing:
    def __init__(self, adapter, *, poll_seconds=30.0, watch_seconds=30.0):
        self.adapter = adapter
        self.adapter.poll_seconds, self.adapter.watch_seconds = poll_seconds, watch_seconds
        self.stored, self.cursor, self.stores, self.came = [], "", 0, asyncio.Condition()

    async def store(self, batch, cursor):
        async with self.came:
            self.stored += batch
            self.cursor = cursor
            self.stores += 1
            self.came.notify_all()

    @contextlib.asynccontextmanager
    async def on(self):
        task = asyncio.create_task(self.adapter.listen(self.cursor, self.store))
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, SendFailed):
                await task

    async def until(self, is_so):
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(is_so)

    def events(self):
        return [event for _, body in self.stored for event in self.adapter.parse(body)]

    def texts(self):
        return [event.text for event in self.events() if isinstance(event, InboundMessage)]
