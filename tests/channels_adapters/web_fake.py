"""What the fakes of web APIs have in common: calls are kept, answers can be scripted, everything is on loopback."""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PATIENCE = 10.0


@dataclass(frozen=True)
class Answer:
    """`arrives`: the call is carried out all the same. `how`: answer, hang, drop."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    arrives: bool = False
    how: str = "answer"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, Any]
    body: Any
    headers: dict[str, str]


Carry = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


class WebFake:
    """A server of its own. Subclasses add their routes with `route` in `routes`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.changed = asyncio.Condition()
        self._scripts: dict[tuple[str, str], deque[Answer]] = defaultdict(deque)
        self._gone = asyncio.Event()
        self.app = web.Application(client_max_size=256 * 1024 * 1024)

    async def __aenter__(self):  # type: ignore[no-untyped-def]
        self.routes()
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._runner.cleanup()

    def routes(self) -> None:
        raise NotImplementedError

    def route(self, method: str, path: str, carry: Carry) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, path, carry)

        self.app.router.add_route(method, path, handle)

    def script(self, method: str, path: str, *answers: Answer) -> None:
        """What the next calls of a route are answered instead."""
        self._scripts[method, path].extend(answers)

    def called(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == (method, path)]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(is_so)

    async def note(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _handle(self, request: web.Request, path: str, carry: Carry) -> web.StreamResponse:
        body = await _body(request)
        query = {key: _one_or_all(key, request.query.getall(key)) for key in request.query}
        self.calls.append(Call(request.method, path, query, body, dict(request.headers)))
        await self.note()
        script = self._scripts[request.method, path]
        answer = script.popleft() if script else None
        done = await carry(request, body) if answer is None or answer.arrives else None
        if answer is None:
            assert done is not None
            return done
        if answer.how == "hang":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), PATIENCE)
        if answer.how != "answer" and request.transport:
            request.transport.abort()
            return web.Response()
        if isinstance(answer.body, str):
            return web.Response(status=answer.status, text=answer.body, headers=answer.headers)
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)


def _one_or_all(key: str, values: list[str]) -> Any:
    return values if key.endswith("[]") or len(values) > 1 else values[0]


async def _body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    if request.content_type == "multipart/form-data":
        return {key: await _field(value) for key, value in (await request.post()).items()}
    if request.content_type == "application/x-www-form-urlencoded":
        form = await request.post()
        return {key: form.getall(key) if key.endswith("[]") else form[key] for key in form}
    return await request.read()


async def _field(value: Any) -> Any:
    return (
        {"name": value.filename, "mime": value.content_type, "data": value.file.read()}
        if hasattr(value, "file")
        else value
    )
