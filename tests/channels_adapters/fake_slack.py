"""A Slack of our own for what the emulator cannot do: failures, and Socket Mode. It shares no code with the adapter.

    async with FakeSlack() as slack:
        slack.script("chat.postMessage", Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}))
        slack.push(payload)      # over Socket Mode, to whoever is connected, until it is acknowledged

The SDK is its judge: every call here is made by it. The websocket side is `websockets`, which the SDK does not use.
"""

import asyncio
import contextlib
import itertools
import json
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

PATIENCE = 10.0


@dataclass(frozen=True)
class Answer:
    """`arrives`: the call is carried out all the same. `how`: answer, hang, drop."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    arrives: bool = False
    how: str = "answer"


def error(code: str, status: int = 200, **more: Any) -> Answer:
    return Answer(status, {"ok": False, "error": code, **more})


class FakeSlack:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[dict[str, Any]] = []
        self.files: dict[str, tuple[bytes, str]] = {}
        self.uploaded: list[bytes] = []
        self.acked: list[str] = []
        self.connected: set[ServerConnection] = set()
        self.changed = asyncio.Condition()
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._waiting: dict[str, dict[str, Any]] = {}
        self._ts, self._envelopes = itertools.count(1), itertools.count(1)
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "FakeSlack":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files-pri/{file}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._sockets = await serve(self._socket, "127.0.0.1", 0)
        self.socket_url = f"ws://127.0.0.1:{self._sockets.sockets[0].getsockname()[1]}/link?ticket=s3cret"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        self._sockets.close()
        await self._sockets.wait_closed()
        await self._runner.cleanup()

    def script(self, method: str, *answers: Answer) -> None:
        self._scripts[method].extend(answers)

    def called(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == method]

    async def push(self, payload: dict[str, Any], kind: str = "events_api") -> str:
        """Hand a payload to those connected; it comes again with each new connection until it is acknowledged."""
        envelope_id = f"envelope-{next(self._envelopes)}"
        self._waiting[envelope_id] = {"envelope_id": envelope_id, "type": kind, "payload": payload}
        for connection in list(self.connected):
            await connection.send(json.dumps(self._waiting[envelope_id]))
        return envelope_id

    async def until(self, is_so: Any) -> None:
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(is_so)

    async def cut(self, *, politely: bool) -> None:
        for connection in list(self.connected):
            if politely:
                await connection.send(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
            else:
                connection.transport.abort()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        params: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            params |= await request.json()
        else:
            params |= dict(await request.post())
        method = request.match_info["method"]
        self.calls.append((method, {**params, "_token": request.headers.get("Authorization", "")}))
        answer = self._scripts[method].popleft() if self._scripts[method] else None
        done = self._carry_out(method, params) if answer is None or answer.arrives else {}
        if answer is None:
            return web.json_response(done)
        if answer.how == "hang":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), PATIENCE)
        if answer.how != "answer" and request.transport:
            request.transport.abort()
            return web.Response()
        if isinstance(answer.body, str):
            return web.Response(
                status=answer.status, text=answer.body, headers=answer.headers, content_type="text/html"
            )
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    def _carry_out(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "auth.test":
                return {"ok": True, "user": "rapport", "team": "Open", "team_id": "T1", "user_id": "U1", "bot_id": "B1"}
            case "chat.postMessage":
                ts = f"1787219900.{next(self._ts):06}"
                mark = params.get("metadata")
                mark = json.loads(mark) if isinstance(mark, str) else mark
                self.messages.append({"type": "message", "ts": ts, "text": params["text"], "metadata": mark})
                return {"ok": True, "channel": params["channel"], "ts": ts, "message": self.messages[-1]}
            case "conversations.history" | "conversations.replies":
                return {"ok": True, "messages": self.messages[::-1], "has_more": False}
            case "chat.update":
                return {"ok": True, "channel": params["channel"], "ts": params["ts"], "text": params["text"]}
            case "chat.delete" | "reactions.add" | "reactions.remove":
                return {"ok": True}
            case "conversations.open":
                return {"ok": True, "channel": {"id": f"D{params['users'][1:]}"}}
            case "files.getUploadURLExternal":
                return {"ok": True, "upload_url": f"{self.url}/upload/F1", "file_id": "F1"}
            case "files.completeUploadExternal":
                return {"ok": True, "files": [{"id": "F1", "title": "t"}]}
            case "files.info":
                return {
                    "ok": True,
                    "file": {"id": params["file"], "url_private": f"{self.url}/files-pri/{params['file']}"},
                }
            case "apps.connections.open":
                return {"ok": True, "url": self.socket_url}
        return {"ok": False, "error": "unknown_method"}

    async def _upload(self, request: web.Request) -> web.Response:
        self.uploaded.append(await request.read())
        return web.Response(text="OK")

    async def _file(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer xoxb-fake":
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        data, mime = self.files[request.match_info["file"]]
        return web.Response(body=data, content_type=mime)

    async def _socket(self, connection: ServerConnection) -> None:
        self.connected.add(connection)
        await self._note()
        try:
            await connection.send(json.dumps({"type": "hello", "num_connections": 1}))
            for envelope in list(self._waiting.values()):
                await connection.send(json.dumps(envelope))
            async for said in connection:
                envelope_id = json.loads(said)["envelope_id"]
                self.acked.append(envelope_id)
                self._waiting.pop(envelope_id, None)
                await self._note()
        except ConnectionClosed:
            pass
        finally:
            self.connected.discard(connection)
            await self._note()

    async def _note(self) -> None:
        async with self.changed:
            self.changed.notify_all()
