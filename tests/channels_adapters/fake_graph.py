"""A Graph API of our own for WhatsApp, Messenger and Instagram. It shares no code with the adapters.

    async with FakeGraph() as graph:
        graph.script("messages", Answer(429, error(4)))     # the next call whose path ends so
        graph.media["9001"] = (b"...", "image/png")          # a file that a customer sent
        await graph.deliver(hook, payload, secret)           # signed, written as Meta writes JSON

What it takes and refuses follows the published limits, in `graph_rules`. pywa is its judge for WhatsApp: pywa's client
must be content with its answers, pywa's reader with its deliveries, pywa's validator with its signatures.
"""

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.channels_adapters.graph_rules import Wrong, check_page_message, check_whatsapp_message

PATIENCE = 10.0
TOKEN = "EAAfake"


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
    path: str  # without the version
    query: dict[str, str]
    body: dict[str, Any]
    token: str


def error(code: int, subcode: int | None = None, message: str = "Sorry", **more: Any) -> dict[str, Any]:
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1", **more}
    return {"error": told | ({"error_subcode": subcode} if subcode else {})}


def as_meta_writes(payload: Any) -> bytes:
    """Letters outside ASCII and slashes escaped."""
    return json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()


def signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class FakeGraph:
    def __init__(self, *, app_secret: str = "app_secret", tokens: tuple[str, ...] = (TOKEN,)) -> None:
        self.app_secret, self.tokens = app_secret, {*tokens}
        self.calls: list[Call] = []
        self.messages: list[dict[str, Any]] = []  # what was taken, in order
        self.media: dict[str, tuple[bytes, str]] = {}  # by the id that messages name
        self.files: dict[str, tuple[bytes, str]] = {}  # on the content servers, by name
        self.moved: dict[str, str] = {}  # on the content servers: from a name to an address
        self.templates: list[dict[str, Any]] = []
        self.profiles: dict[str, dict[str, Any]] = {"me": {"name": "Open"}}
        self.webhooks: dict[str, dict[str, str]] = {}  # by what is subscribed: callback_url, verify_token
        self.handshakes: list[tuple[int, str]] = []
        self.page_size = 2
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._ids = itertools.count(1)
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "FakeGraph":
        app = web.Application(client_max_size=128 * 1024 * 1024)
        app.router.add_get("/content/{name}", self._content)
        app.router.add_route("*", "/{version:v[0-9.]+}/{path:.+}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._runner.cleanup()

    def script(self, ending: str, *answers: Answer) -> None:
        """What the next calls whose path ends so are answered."""
        self._scripts[ending].extend(answers)

    def called(self, ending: str) -> list[Call]:
        return [call for call in self.calls if call.path.endswith(ending)]

    async def deliver(self, hook: str, payload: Any, secret: str = "") -> tuple[int, str]:
        """Post a delivery to a webhook as Meta does; its answer."""
        body = as_meta_writes(payload)
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": signature(body, secret or self.app_secret),
        }
        async with aiohttp.ClientSession() as session, session.post(hook, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.method, request.match_info["path"], *await _read(request))
        self.calls.append(call)
        answer = self._scripted(call.path)
        done: Answer | None = None
        if answer is None or answer.arrives:
            done = await self._carry_out(call)
        answer = answer or done
        assert answer is not None
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

    def _scripted(self, path: str) -> Answer | None:
        for ending, answers in self._scripts.items():
            if path.endswith(ending) and answers:
                return answers.popleft()
        return None

    async def _carry_out(self, call: Call) -> Answer:
        is_app = call.token == f"401|{self.app_secret}"
        if call.token not in self.tokens and not is_app:
            return Answer(401, error(190, 463, "Error validating access token: Session has expired"))
        proof = call.query.get("appsecret_proof")
        expected = hmac.new(self.app_secret.encode(), call.token.encode(), hashlib.sha256).hexdigest()
        if proof is not None and proof != expected:
            return Answer(400, error(100, message="Invalid appsecret_proof provided in the API argument"))
        try:
            return Answer(body=await self._does(call)(call))
        except Wrong as wrong:
            return Answer(400, error(wrong.code, wrong.subcode, str(wrong)))

    def _does(self, call: Call) -> Callable[[Call], Any]:
        ending = call.path.rpartition("/")[2]
        by_ending: dict[tuple[str, str], Callable[[Call], Any]] = {
            ("POST", "messages"): self._take_message,
            ("POST", "media"): self._take_media,
            ("POST", "message_attachments"): self._take_attachment,
            ("GET", "message_templates"): self._list_templates,
            ("POST", "subscribed_apps"): self._subscribe,
            ("POST", "subscriptions"): self._subscribe_app,
            ("GET", "subscriptions"): self._list_subscriptions,
            ("POST", "comments"): self._comment,
            ("POST", "replies"): self._comment,
            ("POST", "likes"): self._yes,
            ("DELETE", "likes"): self._yes,
        }
        by_method = {"GET": self._show, "POST": self._yes, "DELETE": self._yes}
        return by_ending.get((call.method, ending)) or by_method[call.method]

    async def _yes(self, call: Call) -> dict[str, Any]:
        return {"success": True}

    async def _take_message(self, call: Call) -> dict[str, Any]:
        said = call.body
        if said.get("messaging_product") != "whatsapp":
            return self._take_page_message(call)
        if said.get("status") == "read":
            return {"success": True}
        check_whatsapp_message(said, self.media, self.templates)
        self.messages.append(said)
        person = said.get("to") or said.get("recipient")
        contact = {"input": person, "wa_id": person, "user_id": "SE.1349"}
        return {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [{"id": f"wamid.FAKE{next(self._ids)}", "message_status": "accepted"}],
        }

    def _take_page_message(self, call: Call) -> dict[str, Any]:
        check_page_message(call.body, self.media)
        person = call.body["recipient"].get("id", "PSID-OF-A-COMMENT")
        if "sender_action" in call.body:
            return {"recipient_id": person}
        self.messages.append(call.body)
        return {"recipient_id": person, "message_id": f"m_fake{next(self._ids)}"}

    async def _take_media(self, call: Call) -> dict[str, Any]:
        return {"id": self._keep(*call.body["file"])}

    async def _take_attachment(self, call: Call) -> dict[str, Any]:
        kind = json.loads(call.body["message"])["attachment"]["type"]
        if kind not in ("image", "video", "audio", "file"):
            raise Wrong("Invalid attachment type")
        return {"attachment_id": self._keep(*call.body["filedata"])}

    def _keep(self, name: str, mime: str, data: bytes) -> str:
        media_id = f"70{next(self._ids)}"
        self.media[media_id] = (data, mime)
        return media_id

    async def _show(self, call: Call) -> dict[str, Any]:
        if call.path in self.media:
            data, mime = self.media[call.path]
            self.files[call.path] = (data, mime)
            digest = hashlib.sha256(data).hexdigest()
            told = {"url": f"{self.url}/content/{call.path}?token=needed", "mime_type": mime, "sha256": digest}
            return told | {"file_size": len(data), "id": call.path, "messaging_product": "whatsapp"}
        if call.path in self.profiles:
            return {"id": call.path, **self.profiles[call.path]}
        if call.path == "301":
            return {
                "id": "301",
                "display_phone_number": "+46 70-000 00 00",
                "verified_name": "Open",
                "quality_rating": "GREEN",
            }
        raise Wrong("Unsupported get request. Object does not exist", 100, 33)

    async def _list_templates(self, call: Call) -> dict[str, Any]:
        start = int(call.query.get("after", 0))
        end = start + self.page_size
        more = {"next": f"{self.url}/v25.0/x"} if end < len(self.templates) else {}
        return {
            "data": self.templates[start:end],
            "paging": {"cursors": {"before": str(start), "after": str(end)}, **more},
        }

    async def _subscribe(self, call: Call) -> dict[str, Any]:
        said = {**call.query, **call.body}
        if "override_callback_uri" in said:
            await self._shake_hands(said["override_callback_uri"], said["verify_token"])
        self.webhooks[call.path] = said
        return {"success": True}

    async def _subscribe_app(self, call: Call) -> dict[str, Any]:
        said = {**call.query, **call.body}
        await self._shake_hands(said["callback_url"], said["verify_token"])
        self.webhooks[said["object"]] = said
        return {"success": True}

    async def _list_subscriptions(self, call: Call) -> dict[str, Any]:
        kinds = [kind for kind in ("page", "instagram") if kind in self.webhooks]
        return {"data": [{"object": kind, "callback_url": self.webhooks[kind]["callback_url"]} for kind in kinds]}

    async def _shake_hands(self, hook: str, token: str) -> None:
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
        try:
            async with aiohttp.ClientSession() as session, session.get(hook, params=query) as answer:
                self.handshakes.append((answer.status, await answer.text()))
        except aiohttp.ClientError as away:
            raise Wrong("Callback verification failed: the URL could not be reached", 2200) from away
        if self.handshakes[-1] != (200, "1158201444"):
            raise Wrong("Callback verification failed", 2200)

    async def _comment(self, call: Call) -> dict[str, Any]:
        if not call.body.get("message"):
            raise Wrong("message is required")
        self.messages.append({"comment": call.path, **call.body})
        return {"id": f"{call.path.split('/')[0]}_c{next(self._ids)}"}

    async def _content(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in self.moved:
            return web.Response(status=302, headers={"Location": self.moved[name]})
        if name not in self.files:
            return web.Response(status=404, text="gone")
        if request.query.get("token") and _token(request) not in self.tokens:
            return web.Response(status=401, text="who are you?")
        data, mime = self.files[name]
        return web.Response(body=data, content_type=mime.partition(";")[0])


async def _read(request: web.Request) -> tuple[dict[str, str], dict[str, Any], str]:
    """Query, body and token. Of an uploaded file: its name, its type and its bytes."""
    body: dict[str, Any] = {}
    if request.content_type == "application/json":
        body = await request.json()
    elif request.method == "POST":
        for key, value in (await request.post()).items():
            body[key] = (
                (value.filename, value.content_type, value.file.read()) if isinstance(value, web.FileField) else value
            )
    return dict(request.query), body, _token(request) or request.query.get("access_token", "")


def _token(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")
