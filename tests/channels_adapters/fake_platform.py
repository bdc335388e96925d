"""A platform's API on loopback with scripted answers. What it says of itself is added by whoever derives from it.

async with FakePlatform() as platform:
    platform.script("/v2/bot/message/push", Answer(429, {"message": "slow"}, {"Retry-After": "7"}))
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PATIENCE = 10.0


@dataclass(frozen=True)
class Answer:
    """`how`: answer, hang, drop. A `body` that is text is sent as it is, bytes as a file, the rest as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    how: str = "answer"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class FakePlatform:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "FakePlatform":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._runner.cleanup()

    def script(self, path: str, *answers: Answer) -> None:
        self._scripts[path].extend(answers)

    def called(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def usual(self, call: Call) -> Answer:
        """What it answers when nothing is scripted."""
        return Answer(404, {"error": "nothing here"})

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.path, request.query_string, headers, await request.read())
        self.calls.append(call)
        answer = self._scripts[request.path].popleft() if self._scripts[request.path] else self.usual(call)
        if answer.how == "hang":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), PATIENCE)
        if answer.how != "answer" and request.transport:
            request.transport.abort()
            return web.Response()
        if isinstance(answer.body, bytes):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        if isinstance(answer.body, str):
            return web.Response(
                status=answer.status, text=answer.body, headers=answer.headers, content_type="text/html"
            )
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)
