"""A web server that answers what a test says, for what no real counterpart does on demand: failures and nonsense."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """`how`: answer, hang, drop."""

    status: int = 200
    body: Any = None  # JSON, or bytes as they are
    headers: dict[str, str] = field(default_factory=dict)
    how: str = "answer"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Scripted:
    """Each path answers what it was told, the last answer for ever; an unknown path is a 404."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._answers: dict[str, deque[Answer]] = {}
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "Scripted":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._runner.cleanup()

    def says(self, part_of_path: str, *answers: Answer) -> None:
        """`part_of_path` may begin with a method: "PUT /rooms"."""
        self._answers[part_of_path] = deque(answers)

    def called(self, part_of_path: str) -> list[Call]:
        return [call for call in self.calls if part_of_path in f"{call.method} {call.path}"]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.raw_path, dict(request.query), headers, await request.read())
        self.calls.append(call)
        for part, answers in reversed(self._answers.items()):
            if part in f"{call.method} {call.path}":
                answer = answers.popleft() if len(answers) > 1 else answers[0]
                return await self._give(request, answer)
        return web.json_response({}, status=404)

    async def _give(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if answer.how == "hang":
            await self._gone.wait()
        if answer.how in ("hang", "drop"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(answer.body, bytes):
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)
