"""A real homeserver, Synapse, started for the tests on loopback, and people who use it over plain HTTP."""

import hashlib
import hmac
import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import quote

import httpx

PYTHON = Path(__file__).resolve().parents[2] / ".venv" / "counterparts" / "synapse" / "bin" / "python"
DOMAIN = "crm.test"
_PATIENCE = 150.0  # seconds: of a machine that does much else
_API = "/_matrix/client/v3"
_numbers = itertools.count(1)
_SECRET = "for admins"
_EVERYTHING = {"per_second": 1000, "burst_count": 1000}
_CONFIG = {
    "server_name": DOMAIN,
    "report_stats": False,
    "bcrypt_rounds": 4,
    "trusted_key_servers": [],
    "suppress_key_server_warning": True,
    "federation_domain_whitelist": [],
    "url_preview_enabled": False,
    "enable_registration": True,
    "enable_registration_without_verification": True,
    "macaroon_secret_key": "for tests",
    "form_secret": "for tests",
    "registration_shared_secret": _SECRET,
    "max_upload_size": "1M",
    "rc_message": _EVERYTHING,
    "rc_registration": _EVERYTHING,
    "rc_login": {"address": _EVERYTHING, "account": _EVERYTHING},
    "rc_joins": {"local": _EVERYTHING, "remote": _EVERYTHING},
    "rc_invites": {"per_room": _EVERYTHING, "per_user": _EVERYTHING},
}
_LOGGING = "version: 1\nhandlers: {out: {class: logging.StreamHandler}}\nroot: {level: WARNING, handlers: [out]}\n"


def missing() -> str:
    return "" if PYTHON.exists() else "Synapse is not installed: .ci/run does that"


@contextmanager
def homeserver(folder: Path) -> Iterator[str]:
    """The address of a homeserver of its own."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    listener = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "type": "http",
        "tls": False,
        "resources": [{"names": ["client"], "compress": False}],
    }
    files = {
        "signing_key_path": str(folder / "signing.key"),
        "media_store_path": str(folder / "media"),
        "pid_file": str(folder / "pid"),
        "log_config": str(folder / "logging.yaml"),
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
    }
    (folder / "logging.yaml").write_text(_LOGGING)
    config = folder / "homeserver.yaml"
    config.write_text(json.dumps({**_CONFIG, **files, "listeners": [listener], "public_baseurl": f"{url}/"}))
    command = [str(PYTHON), "-m", "synapse.app.homeserver", "--config-path", str(config)]
    subprocess.run([*command, "--generate-keys"], cwd=folder, check=True, capture_output=True)
    with (folder / "output").open("w") as output:
        running = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            _wait_for(f"{url}/health", running, folder / "output")
            yield url
        finally:
            running.terminate()
            running.wait()


def _wait_for(url: str, running: "subprocess.Popen[bytes]", output: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and running.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"Synapse did not start: {output.read_text()[-2000:]}")


class Person:
    """Somebody with an account and a program of their own."""

    def __init__(self, url: str, name: str, *, password: str = "long enough") -> None:
        self.http = httpx.Client(base_url=url, timeout=20)
        made = self._register(f"{name}{next(_numbers)}", password)
        self.id, self.token = made["user_id"], made["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def _register(self, name: str, password: str) -> Any:
        auth = {"type": "m.login.dummy"}
        return self.ask("POST", "/register", {"username": name, "password": password, "auth": auth})

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """What the homeserver answers to a call of the client-server API."""
        answer = self.http.request(method, path if path.startswith("/_") else _API + path, json=body, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def invite(self, *people: str, **more: Any) -> str:
        """A new room with an invitation for each of them."""
        is_direct = len(people) == 1
        kind = {"preset": "trusted_private_chat" if is_direct else "private_chat", "is_direct": is_direct}
        return self.ask("POST", "/createRoom", {"invite": list(people), **kind, **more})["room_id"]

    def say(self, room: str, text: str = "", *, kind: str = "m.room.message", **content: Any) -> str:
        said = {"msgtype": "m.text", "body": text, **content} if kind == "m.room.message" else content
        return self.ask("PUT", f"/rooms/{quote(room)}/send/{kind}/{next(_numbers)}", said)["event_id"]

    def state(self, room: str, kind: str, **content: Any) -> str:
        return self.ask("PUT", f"/rooms/{quote(room)}/state/{kind}", content)["event_id"]

    def take_back(self, room: str, event_id: str) -> str:
        path = f"/rooms/{quote(room)}/redact/{quote(event_id)}/{next(_numbers)}"
        return self.ask("PUT", path, {})["event_id"]

    def upload(self, data: bytes, mime: str = "application/octet-stream") -> str:
        answer = self.http.post("/_matrix/media/v3/upload", content=data, headers={"Content-Type": mime})
        return answer.json()["content_uri"]

    def download(self, mxc: str) -> bytes:
        return self.http.get(f"/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}").content

    def joined(self, room: str) -> list[str]:
        return list(self.ask("GET", f"/rooms/{quote(room)}/joined_members")["joined"])

    def history(self, room: str) -> list[dict[str, Any]]:
        """The newest events first."""
        return self.ask("GET", f"/rooms/{quote(room)}/messages", dir="b", limit="100")["chunk"]

    def event(self, room: str, event_id: str) -> dict[str, Any]:
        return self.ask("GET", f"/rooms/{quote(room)}/event/{quote(event_id)}")

    def passing(self, room: str) -> list[dict[str, Any]]:
        """Typing and read marks as this person's program sees them now."""
        seen = self.ask("GET", "/sync", timeout="0")
        return seen["rooms"]["join"][room]["ephemeral"]["events"]

    def close(self) -> None:
        self.http.close()


class Admin(Person):
    """Somebody who runs the homeserver."""

    def _register(self, name: str, password: str) -> Any:
        path = "/_synapse/admin/v1/register"
        nonce = self.ask("GET", path)["nonce"]
        signed = "\0".join((nonce, name, password, "admin")).encode()
        mac = hmac.new(_SECRET.encode(), signed, hashlib.sha1).hexdigest()
        return self.ask(
            "POST", path, {"nonce": nonce, "username": name, "password": password, "admin": True, "mac": mac}
        )

    def limit(self, user: str, *, per_second: int, burst: int) -> None:
        """How much a user may say. Synapse's own limits are off in these tests."""
        path = f"/_synapse/admin/v1/users/{quote(user)}/override_ratelimit"
        self.ask("POST", path, {"messages_per_second": per_second, "burst_count": burst})
