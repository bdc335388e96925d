"""A Telegram of our own: the part of the Bot API that a channel needs, on 127.0.0.1, for tests and journeys.

It shares no code with the adapter; `test_fake_telegram.py` holds it to PTB and to the published description of the API.

    python -m tests.channels_adapters.fake_telegram --port 8081

Then connect a Telegram inbox with `api_url=http://127.0.0.1:8081` and any token of the right form, and steer it:

    POST /_fake/say     {"text": "Hi", "customer": {"id": 7, "first_name": "Ada"}, "message": {more fields}}
    POST /_fake/push    an update, as it is
    POST /_fake/script  {"method": "sendMessage", "answer": "throttled", "argument": 3, "times": 2}
    GET  /_fake/calls   what was called, oldest first
"""

import argparse
import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict, deque
from dataclasses import asdict, dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ADA = {"id": 700100200, "is_bot": False, "first_name": "Ada", "last_name": "Lind", "username": "adalind"}
PATIENCE = 10.0  # seconds that a test waits for what must happen


@dataclass
class Call:
    method: str
    params: dict[str, Any]
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    token: str = ""


@dataclass(frozen=True)
class Answer:
    """What a scripted call gets instead of its result, or before it. `arrives`: the call is carried out anyway."""

    status: int = 200
    body: bytes = b""
    arrives: bool = False
    how: str = "answer"  # answer, hang, drop
    after: float = 0.0  # seconds; then its real result


def error(status: int, description: str, **parameters: Any) -> Answer:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        body["parameters"] = parameters
    return Answer(status, json.dumps(body).encode())


def throttled(seconds: int = 1) -> Answer:
    return error(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def blocked() -> Answer:
    return error(403, "Forbidden: bot was blocked by the user")


def refused(description: str = "Bad Request: chat not found") -> Answer:
    return error(400, description)


def migrated(new_chat_id: int) -> Answer:
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    return error(400, text, migrate_to_chat_id=new_chat_id)


def failing(status: int = 502) -> Answer:
    return Answer(status, b"<html>Bad Gateway</html>")


def lying(body: str = '{"ok": false}') -> Answer:
    return Answer(200, body.encode(), arrives=True)


def hanging() -> Answer:
    return Answer(arrives=True, how="hang")


def slow(seconds: float = 2) -> Answer:
    return Answer(arrives=True, after=seconds)


def dropping() -> Answer:
    return Answer(arrives=True, how="drop")


ANSWERS = {
    "throttled": throttled,
    "blocked": blocked,
    "refused": refused,
    "migrated": migrated,
    "failing": failing,
    "lying": lying,
    "hanging": hanging,
    "dropping": dropping,
    "slow": slow,
}


class Refusal(Exception):
    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.answer = error(status, description)


class FakeTelegram:
    """Start it with `with FakeTelegram() as telegram`. `token`: the only one it takes; None takes any."""

    def __init__(self, port: int = 0, token: str | None = None) -> None:
        self.token = token
        self.calls: list[Call] = []
        self.webhook: dict[str, Any] = {"url": ""}
        self.pending: list[dict[str, Any] | bytes] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.allowed: list[str] = []
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._update_ids = itertools.count(51000001)
        self._message_ids = itertools.count(1001)
        self._newest_poll: Call | None = None
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = False  # so that stopping waits for all of them
        self._server.telegram = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FakeTelegram":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # What a test says and asks

    def script(self, method: str, *answers: Answer) -> None:
        """The next calls of the method get these, one each."""
        self._scripts[method].extend(answers)

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def wait_for(self, method: str, count: int = 1) -> list[Call]:
        """The calls of a method, once there are so many."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.called(method)) >= count, PATIENCE):
                raise TimeoutError(f"{method} was called {len(self.called(method))} times, not {count}")
            return self.called(method)

    def update(self, **kinds: Any) -> dict[str, Any]:
        """An update with the next id: update(message={...})."""
        return {"update_id": next(self._update_ids), **kinds}

    def written(self, text: str = "", customer: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """The update of a customer writing in private. Extra fields go into the message and replace its own."""
        person = {**ADA, **(customer or {})}
        chat = {key: person[key] for key in ("id", "first_name", "last_name", "username") if key in person}
        message = {"message_id": next(self._message_ids), "date": int(time.time()), "from": person}
        if text:
            message["text"] = text
        return self.update(message={**message, "chat": {**chat, "type": "private"}, **fields})

    def pressed(self, data: str, customer: dict[str, Any] | None = None, label: str = "A button") -> dict[str, Any]:
        """The update of a customer pressing a button under a message of ours."""
        person = {**ADA, **(customer or {})}
        markup = {"inline_keyboard": [[{"text": label, "callback_data": data}]]}
        message = self._message(person["id"], {"text": "Choose"}) | {"reply_markup": markup}
        query_id = str(next(self._message_ids))
        query = {"id": query_id, "from": person, "chat_instance": "1", "message": message, "data": data}
        return self.update(callback_query=query)

    def add_file(self, file_id: str, content: bytes) -> str:
        self.files[file_id] = (f"documents/file_{len(self.files)}.bin", content)
        return file_id

    def push(self, *updates: dict[str, Any] | bytes) -> None:
        """Put updates in the queue of getUpdates. Bytes go out as they are."""
        with self._changed:
            self.pending += [update for update in updates if self._is_wanted(update)]
            self._changed.notify_all()

    def deliver(self, *updates: dict[str, Any] | bytes, times: int = 1, url: str = "", secret: str = "") -> list[int]:
        """Post updates to the webhook in the order given, each so many times; the statuses it answered."""
        headers = {"Content-Type": "application/json"}
        headers |= {"X-Telegram-Bot-Api-Secret-Token": secret or self.webhook.get("secret_token", "")}
        bodies = [update if isinstance(update, bytes) else json.dumps(update).encode() for update in updates]
        return [_post(url or self.webhook["url"], body, headers) for body in bodies for _ in range(times)]

    # What the Bot API does

    def answer(self, call: Call) -> Answer:
        act = getattr(self, f"_api_{call.method.lower()}", None)
        if self.token not in (None, call.token):
            return error(401, "Unauthorized")
        if act is None or ":" not in call.token:
            return error(404, "Not Found")
        with self._changed:
            self.calls.append(call)
            self._newest_poll = call if call.method == "getUpdates" else self._newest_poll
            self._changed.notify_all()
            scripted = self._scripts[call.method].popleft() if self._scripts[call.method] else None
        if scripted is not None and not scripted.arrives:
            return scripted
        try:
            result = act(call)
        except Refusal as refusal:
            return refusal.answer
        if scripted is not None and scripted.after:
            self._stopped.wait(scripted.after)
            return Answer(200, _encode(result))
        return scripted or Answer(200, _encode(result))

    def wait_until_stopped(self) -> None:
        self._stopped.wait()

    def _api_getme(self, call):
        bot = {
            "id": int(call.token.split(":")[0]),
            "is_bot": True,
            "first_name": "Open demo",
            "username": "open_demo_bot",
        }
        return bot | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}

    def _api_sendmessage(self, call):
        if not call.params.get("text"):
            raise Refusal(400, "Bad Request: message text is empty")
        if len(call.params["text"]) > 4096:
            raise Refusal(400, "Bad Request: message is too long")
        return self._sent(call.params, {"text": call.params["text"]})

    def _api_sendphoto(self, call):
        name, content = self._upload(call, "photo")
        size = {"file_id": name, "file_unique_id": name, "width": 10, "height": 10, "file_size": len(content)}
        return self._sent(call.params, {"photo": [size]})

    def _api_senddocument(self, call):
        name, content = self._upload(call, "document")
        return self._sent(
            call.params, {"document": {"file_id": name, "file_unique_id": name, "file_size": len(content)}}
        )

    def _api_editmessagetext(self, call):
        if not call.params.get("text"):
            raise Refusal(400, "Bad Request: message text is empty")
        return self._sent(call.params, {"text": call.params["text"]})

    def _api_deletemessage(self, call):
        return True

    def _api_setmessagereaction(self, call):
        return True

    def _api_sendchataction(self, call):
        return True

    def _api_answercallbackquery(self, call):
        return True

    def _api_setwebhook(self, call):
        if not call.params.get("url", "").startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = {"url": call.params["url"], "secret_token": call.params.get("secret_token", "")}
        self._allow(call.params)
        return True

    def _api_deletewebhook(self, call):
        self.webhook = {"url": ""}
        return True

    def _api_getwebhookinfo(self, call):
        waiting = len(self.pending)
        return {"url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": waiting}

    def _api_getfile(self, call):
        if call.params.get("file_id") not in self.files:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        path, content = self.files[call.params["file_id"]]
        file = {"file_id": call.params["file_id"], "file_unique_id": call.params["file_id"]}
        return file | {"file_size": len(content), "file_path": path}

    def _api_getupdates(self, call):
        if self.webhook["url"]:
            text = (
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook"
            )
            raise Refusal(409, text)
        self._allow(call.params)
        offset, limit, wait = (int(call.params.get(key) or 0) for key in ("offset", "limit", "timeout"))
        with self._changed:
            self.pending = [
                update for update in self.pending if _update_id(update) >= offset
            ]  # the others are confirmed
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self.pending or self._stopped.is_set() or self._newest_poll is not call, wait
            )
            if self._newest_poll is not call:
                text = (
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
                )
                raise Refusal(409, text)
            return self.pending[: limit or 100]

    def _allow(self, params):
        if "allowed_updates" in params:
            self.allowed = json.loads(params["allowed_updates"])

    def _is_wanted(self, update):
        if isinstance(update, bytes) or not self.allowed:
            return True
        return any(kind in self.allowed for kind in update if kind != "update_id")

    def _upload(self, call, key):
        name = call.params.get(key, key).removeprefix("attach://")
        if name not in call.files:
            raise Refusal(400, f"Bad Request: there is no {key} in the request")
        _, content = call.files[name]
        return self.add_file(f"uploaded-{len(self.files)}", content), content

    def _sent(self, params, content):
        if not str(params.get("chat_id", "")).lstrip("-").isdigit():
            raise Refusal(400, "Bad Request: chat not found")
        content |= {"caption": params["caption"]} if params.get("caption") else {}
        return self._message(int(params["chat_id"]), content)

    def _message(self, chat_id, content):
        chat = {"id": chat_id, "type": "private", "first_name": "Ada"}
        if chat_id < 0:
            chat = {"id": chat_id, "type": "supergroup", "title": "A group"}
        us = {"id": 6600000001, "is_bot": True, "first_name": "Open demo", "username": "open_demo_bot"}
        return {"message_id": next(self._message_ids), "date": int(time.time()), "from": us, "chat": chat, **content}


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.0: a connection each, so that none is left open."""

    def do_GET(self):  # downloads and /_fake/calls; the API takes GET as well
        self._handle(b"")

    def do_POST(self):
        self._handle(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, *_):
        pass

    def _handle(self, body):
        telegram = self.server.telegram
        parts = urlsplit(self.path)
        steps = unquote(parts.path).strip("/").split("/")
        if steps[0] == "_fake":
            return self._give(_steer(telegram, steps[-1], body))
        if steps[0] == "file":
            path = "/".join(steps[2:])
            found = [content for name, content in telegram.files.values() if name == path]
            return self._give(Answer(200, found[0]) if found else error(404, "Not Found"))
        params, files = _read(self.headers.get("Content-Type", ""), body)
        params = dict(parse_qsl(parts.query)) | params
        answer = telegram.answer(Call(steps[-1], params, files, steps[0].removeprefix("bot")))
        if answer.how == "hang":
            telegram.wait_until_stopped()
        if answer.how == "answer":
            self._give(answer)
        return None

    def _give(self, answer):
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
        except OSError:  # they went away while we held the poll
            self.close_connection = True


def _steer(telegram, verb, body):
    wish = json.loads(body or b"{}")
    if verb == "calls":
        return Answer(200, json.dumps([asdict(call) | {"files": list(call.files)} for call in telegram.calls]).encode())
    if verb == "script":
        make, argument = ANSWERS[wish["answer"]], wish.get("argument")
        answers = [make() if argument is None else make(argument) for _ in range(wish.get("times", 1))]
        telegram.script(wish["method"], *answers)
        return Answer(200, b"true")
    if verb not in ("say", "push"):
        return error(404, "say, push, script or calls")
    said = (
        telegram.written(wish.get("text", ""), wish.get("customer"), **wish.get("message", {}))
        if verb == "say"
        else wish
    )
    if telegram.webhook["url"]:
        return Answer(200, json.dumps(telegram.deliver(said)).encode())
    telegram.push(said)
    return Answer(200, json.dumps(said).encode())


def _read(content_type, body):
    if content_type.startswith("multipart/form-data"):
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        params, files = {}, {}
        for part in message.iter_parts():
            name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
            if part.get_filename() is None:
                params[name] = content.decode()
            else:
                files[name] = (part.get_filename(), content)
        return params, files
    if content_type.startswith("application/json"):
        return json.loads(body or b"{}"), {}
    return dict(parse_qsl(body.decode(), keep_blank_values=True)), {}


def _encode(result):
    if isinstance(result, list):  # updates, of which some are bytes that no JSON library would write
        items = (item if isinstance(item, bytes) else json.dumps(item).encode() for item in result)
        return b'{"ok":true,"result":[' + b",".join(items) + b"]}"
    return json.dumps({"ok": True, "result": result}).encode()


def _update_id(update):
    if isinstance(update, dict):
        return update.get("update_id", 0)
    digits = update.partition(b'"update_id":')[2].lstrip().split(b",")[0].split(b"}")[0]
    return int(digits) if digits.isdigit() else 0


def _post(url, body, headers):
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as response:
            return response.status
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=8081)
    with FakeTelegram(options.parse_args().port) as running:
        print(running.url, flush=True)
        try:
            running.wait_until_stopped()
        except KeyboardInterrupt:
            print("stopped")
