"""A Discord of our own: its REST interface and its gateway. It shares no code with the adapter.

    async with FakeDiscord() as discord:
        await discord.says(DIRECT, "hello")                       # Ada writes: stored, and told over the gateway
        discord.script("POST /channels", Answer(429, {...}))      # the next answer to such a call

Its judge is discord.py: its whole client must get ready here and read what is said. The gateway's side is
`websockets`, which discord.py does not use.
"""

import asyncio
import contextlib
import itertools
import json
import zlib
from collections import deque
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.channels_adapters.scripted import Answer, Call

TOKEN = "MTAwMDAw.fake.token"
ME, APPLICATION, ADA, BO = "1000", "1001", "2000", "2001"
SERVER, GENERAL, DIRECT = "3000", "4000", "5000"
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)
_USERS = {
    ME: {"id": ME, "username": "shop-bot", "global_name": None, "discriminator": "0", "avatar": None, "bot": True},
    ADA: {"id": ADA, "username": "ada", "global_name": "Ada Lind", "discriminator": "0", "avatar": "a1b2"},
    BO: {"id": BO, "username": "bo", "global_name": None, "discriminator": "0", "avatar": None},
}


def new_id(at: datetime | None = None) -> str:
    """A snowflake of now, or of that time."""
    milliseconds = int(((at or datetime.now(UTC)) - _EPOCH) / timedelta(milliseconds=1))
    return str((milliseconds << 22) | (next(_numbers) % 4096))


class FakeDiscord:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.forms: list[dict[str, Any]] = []
        self.channels: dict[str, list[dict[str, Any]]] = {GENERAL: [], DIRECT: []}
        self.files: dict[str, bytes] = {}
        self.identified: list[dict[str, Any]] = []
        self.resumed: list[dict[str, Any]] = []
        self.flags = 1 << 19
        self.endpoint: str | None = None
        self.answered: list[dict[str, Any]] = []
        self.changed = asyncio.Condition()
        self._scripts: dict[str, deque[Answer]] = {}
        self._told: list[dict[str, Any]] = []  # what the session heard, for resuming
        self._session = ""
        self._lines: dict[ServerConnection, Any] = {}
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "FakeDiscord":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/v10/{path:.*}", self._rest)
        app.router.add_get("/{path:.*}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._gateway = await serve(self._line, "127.0.0.1", 0)
        self.gateway_url = f"ws://127.0.0.1:{self._gateway.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        self._gateway.close()
        await self._gateway.wait_closed()
        await self._runner.cleanup()

    # what a test does

    def script(self, part_of_call: str, *answers: Answer) -> None:
        """`part_of_call`: "POST /channels". Once each; then it answers by itself again."""
        self._scripts[part_of_call] = deque(answers)

    def called(self, part_of_call: str) -> list[Call]:
        return [call for call in self.calls if part_of_call in f"{call.method} {call.path}"]

    async def until(self, happened: Any) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(happened)

    def message(
        self, channel: str, text: str, *, by: str = ADA, at: datetime | None = None, **more: Any
    ) -> dict[str, Any]:
        """A message as Discord writes it, without telling anybody."""
        number = new_id(at)
        made = {
            "id": number,
            "type": 0,
            "channel_id": channel,
            "author": _USERS[by],
            "content": text,
            "timestamp": (at or datetime.now(UTC)).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            **more,
        }
        self.channels[channel].append(made)
        return made

    async def says(self, channel: str, text: str, **more: Any) -> dict[str, Any]:
        made = self.message(channel, text, **more)
        await self.tell("MESSAGE_CREATE", made | self._of_server(channel))
        return made

    async def reacts(self, channel: str, message_id: str, emoji: str, *, is_added: bool = True) -> None:
        known = {"user_id": ADA, "channel_id": channel, "message_id": message_id, "emoji": {"id": None, "name": emoji}}
        kind = "MESSAGE_REACTION_ADD" if is_added else "MESSAGE_REACTION_REMOVE"
        await self.tell(kind, known | {"type": 0, "burst": False})

    def attach(self, name: str, data: bytes, mime: str) -> dict[str, Any]:
        number = new_id()
        self.files[f"/attachments/{number}/{name}"] = data
        url = f"{self.url}/attachments/{number}/{name}?ex=1"
        known = {"id": number, "filename": name, "size": len(data), "content_type": mime}
        return {**known, "url": url, "proxy_url": url}

    async def tell(self, kind: str, what: dict[str, Any]) -> None:
        """An event for whoever listens; kept for those who resume."""
        event = {"op": 0, "t": kind, "s": len(self._told) + 1, "d": what}
        self._told.append(event)
        for line in list(self._lines):
            await self._send(line, event)

    async def says_to_lines(self, op: int, what: Any = None) -> None:
        """Op 7: come again; op 9: the session is no more."""
        for line in list(self._lines):
            await self._send(line, {"op": op, "d": what})

    async def hang_up(self, code: int) -> None:
        for line in list(self._lines):
            await line.close(code)

    def forget_session(self) -> None:
        self._session = ""

    # the gateway

    async def _line(self, line: ServerConnection) -> None:
        self._lines[line] = (
            zlib.compressobj() if "compress=zlib-stream" in (line.request.path if line.request else "") else None
        )
        await self._send(line, {"op": 10, "d": {"heartbeat_interval": 200}})
        with contextlib.suppress(ConnectionClosed):
            async for text in line:
                await self._hear(line, json.loads(text))
        self._lines.pop(line, None)

    async def _hear(self, line: ServerConnection, said: dict[str, Any]) -> None:
        match said["op"]:
            case 1:
                await self._send(line, {"op": 11})
            case 2 if said["d"]["token"] != TOKEN:
                await line.close(4004)
            case 2:
                await self._welcome(line, said["d"])
            case 6:
                await self._resume(line, said["d"])

    async def _welcome(self, line: ServerConnection, who: dict[str, Any]) -> None:
        self._session, self._told = f"session{next(_numbers)}", []
        ready = {
            "v": 10,
            "user": _USERS[ME],
            "session_id": self._session,
            "resume_gateway_url": self.gateway_url,
            "guilds": [{"id": SERVER, "unavailable": True}],
            "application": {"id": APPLICATION, "flags": self.flags},
            "private_channels": [],
            "relationships": [],
        }
        self.identified.append(who)
        await self.tell("READY", ready)
        await self.tell("GUILD_CREATE", self._server())
        async with self.changed:
            self.changed.notify_all()

    async def _resume(self, line: ServerConnection, where: dict[str, Any]) -> None:
        self.resumed.append(where)
        if where["session_id"] != self._session:
            await self._send(line, {"op": 9, "d": False})
            return
        for event in self._told[where["seq"] :]:
            await self._send(line, event)
        await self._send(line, {"op": 0, "t": "RESUMED", "s": len(self._told), "d": {}})
        async with self.changed:
            self.changed.notify_all()

    async def _send(self, line: ServerConnection, what: dict[str, Any]) -> None:
        text = json.dumps(what).encode()
        packer = self._lines.get(line)
        with contextlib.suppress(ConnectionClosed):
            if packer is None:
                await line.send(text.decode())
            else:
                await line.send(packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))

    def _server(self) -> dict[str, Any]:
        newest = {channel: said[-1]["id"] if said else None for channel, said in self.channels.items()}
        general = {"id": GENERAL, "type": 0, "name": "general", "position": 0, "permission_overwrites": []}
        everyone = {"id": SERVER, "name": "@everyone", "permissions": "0", "position": 0, "color": 0}
        everyone |= {"colors": {"primary_color": 0}, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
        bot = {"user": _USERS[ME], "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False, "mute": False}
        return {
            "id": SERVER,
            "name": "Lumen",
            "owner_id": ADA,
            "roles": [everyone],
            "emojis": [],
            "stickers": [],
            "features": [],
            "channels": [general | {"last_message_id": newest[GENERAL]}],
            "threads": [],
            "members": [bot | {"flags": 0}],
            "member_count": 3,
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "preferred_locale": "en-US",
            "afk_timeout": 300,
            "system_channel_flags": 0,
            "unavailable": False,
        }

    # the REST interface

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(
            request.method,
            request.raw_path.removeprefix("/api/v10"),
            dict(request.query),
            headers,
            await request.read(),
        )
        self.calls.append(call)
        for part, answers in self._scripts.items():
            if part in f"{call.method} {call.path}" and answers:
                return await self._scripted(request, call, answers.popleft())
        if headers.get("authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, status=401)
        return await self._do(call)

    async def _scripted(self, request: web.Request, call: Call, answer: Answer) -> web.StreamResponse:
        if answer.how == "arrives":  # carried out, and the answer is lost
            await self._do(call)
        if answer.how == "hang":
            await self._gone.wait()
        if answer.how != "answer":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(answer.body, bytes):
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        return _json(answer.body, status=answer.status, headers=answer.headers)

    async def _do(self, call: Call) -> web.StreamResponse:
        match call.method, *call.path.partition("?")[0].strip("/").split("/"):
            case "GET", "users", "@me":
                return _json(_USERS[ME])
            case "GET" | "PATCH", "applications", "@me":
                return self._application(call)
            case "GET", "oauth2", "applications", "@me":
                return self._application(call)
            case "GET", "gateway", "bot":
                limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
                return _json({"url": self.gateway_url, "shards": 1, "session_start_limit": limit})
            case "GET", "channels", channel, "messages":
                return self._page(channel, call)
            case "POST", "channels", channel, "messages":
                return await self._posted(channel, call)
            case method, "channels", channel, "messages", number:
                return self._one(method, channel, number, call)
            case method, "channels", channel, "messages", number, "reactions", emoji, "@me":
                return self._react(method, channel, number, emoji)
            case "POST", "channels", _, "typing":
                return web.Response(status=204)
            case "PATCH", "channels", channel:
                return _json({"id": channel, "type": 11})
            case "POST", "interactions", _, _, "callback":
                self.answered.append(json.loads(call.body))
                async with self.changed:
                    self.changed.notify_all()
                return web.Response(status=204)
        return _json({"message": "404: Not Found", "code": 0}, status=404)

    def _application(self, call: Call) -> web.Response:
        if call.method == "PATCH":
            self.endpoint = json.loads(call.body)["interactions_endpoint_url"]
        known = {"id": APPLICATION, "name": "Shop", "verify_key": "ab" * 32, "flags": self.flags}
        known |= {"description": "", "icon": None, "bot_public": True, "bot_require_code_grant": False}
        return _json({**known, "owner": _USERS[ADA], "summary": "", "interactions_endpoint_url": self.endpoint})

    def _page(self, channel: str, call: Call) -> web.Response:
        if channel not in self.channels:
            return _json({"message": "Missing Access", "code": 50001}, status=403)
        after = int(call.query.get("after", 0))
        later = [message for message in self.channels[channel] if int(message["id"]) > after]
        return _json(later[: int(call.query.get("limit", 50))][::-1])

    async def _posted(self, channel: str, call: Call) -> web.Response:
        if channel not in self.channels:
            return _json({"message": "Unknown Channel", "code": 10003}, status=404)
        body, attachments = self._form(call)
        self.forms.append(body)
        for message in self.channels[channel]:
            if body.get("enforce_nonce") and message.get("nonce") == body["nonce"]:
                return _json(message)
        more = {key: body[key] for key in ("nonce", "message_reference", "components") if key in body}
        made = self.message(channel, body.get("content", ""), by=ME, attachments=attachments, **more)
        await self.tell("MESSAGE_CREATE", made | self._of_server(channel))
        return _json(made)

    def _form(self, call: Call) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        kind = call.headers["content-type"]
        if not kind.startswith("multipart/"):
            return json.loads(call.body), []
        whole = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + call.body, policy=HTTP)
        parts = {part.get_param("name", header="content-disposition"): part for part in whole.iter_parts()}
        files = [part for name, part in parts.items() if str(name).startswith("files[")]
        found = [self.attach(str(part.get_filename()), part.get_content(), part.get_content_type()) for part in files]
        return json.loads(parts["payload_json"].get_content()), found

    def _one(self, method: str, channel: str, number: str, call: Call) -> web.Response:
        found = next((message for message in self.channels.get(channel, ()) if message["id"] == number), None)
        if found is None:
            return _json({"message": "Unknown Message", "code": 10008}, status=404)
        if method == "DELETE":
            self.channels[channel].remove(found)
            return web.Response(status=204)
        if method == "PATCH":
            found["content"] = json.loads(call.body)["content"]
        return _json(found)

    def _react(self, method: str, channel: str, number: str, emoji: str) -> web.Response:
        found = next(message for message in self.channels[channel] if message["id"] == number)
        reactions = [known for known in found.get("reactions", ()) if known["emoji"]["name"] != unquote(emoji)]
        made = [{"emoji": {"id": None, "name": unquote(emoji)}, "me": True, "count": 1}] if method == "PUT" else []
        found["reactions"] = reactions + made
        return web.Response(status=204)

    async def _file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.path)
        return web.Response(status=404) if data is None else web.Response(body=data)

    def _of_server(self, channel: str) -> dict[str, Any]:
        """What the gateway adds to a message of a server."""
        member: dict[str, Any] = {"nick": None, "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "flags": 0}
        return {"guild_id": SERVER, "member": member | {"deaf": False, "mute": False}} if channel == GENERAL else {}


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Without a charset: discord.py takes only the bare type for JSON."""
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json")
