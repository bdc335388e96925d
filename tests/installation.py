"""A real installation in a folder of its own: `manage.py serve` with a login, an inbox and a fake platform."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
EMAIL, PASSWORD = "bench@example.org", "a-long-password-for-measuring"
BOT_TOKEN, SECRET = "6600000001:AAOpenSetTokenMadeUpForTests0000000", "a_secret_for_measuring"


class Installation:
    """Start it with `with Installation() as place`; everything of it is gone afterwards."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rapport-measuring-"))
        self.port, self.platform_port = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.platform = f"http://127.0.0.1:{self.platform_port}"
        # DEBUG off and no terminal: as it runs in earnest
        self.environment = {**os.environ, "DATA_DIR": str(self.folder), "PORT": str(self.port), "PUBLIC_URL": self.base}
        for store in ("DATABASE_URL", "REDIS_URL"):
            self.environment.pop(store, None)
        self.parts = {"serve": ["--no-demo", "--port", str(self.port)]}  # name: words after `manage.py serve`
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.fake: subprocess.Popen[bytes] | None = None
        self.key = ""

    def __enter__(self) -> "Installation":
        try:
            return self._set_up()
        except BaseException:
            self.__exit__()
            raise

    def _set_up(self) -> "Installation":
        self._start_platform()
        self.manage("migrate", "--verbosity", "0")
        self.manage("create_agent", EMAIL, "--password", PASSWORD, "--role", "admin")
        settings = [f"bot_token={BOT_TOKEN}", f"secret_token={SECRET}", f"api_url={self.platform}", "mode=webhook"]
        connected = json.loads(self.manage("connect", "telegram", "--name", "Bench", "--set", *settings))
        if connected["problems"]:
            raise RuntimeError(f"the inbox does not connect: {connected['problems']}")
        self.key = connected["key"]
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        if self.fake is not None:
            self.fake.terminate()
            self.fake.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def manage(self, *words: str) -> str:
        """Run a command of manage.py; what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {words[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def _start_platform(self) -> None:
        command = [sys.executable, "-m", "tests.channels_adapters.fake_telegram", "--port", str(self.platform_port)]
        self.fake = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(f"{self.platform}/bot{BOT_TOKEN}/getMe"), 20, "the fake platform")

    @property
    def web_bases(self) -> list[str]:
        """The addresses of the processes with pages, without what stands before them."""
        return [self.base]

    def start(self, *, ready: bool = True) -> None:
        """Start every part and wait until it answers, and until triage is loaded when `ready`."""
        for part in self.parts:
            self.start_part(part)
        for part in self.parts:
            self.wait_for(part, ready=ready)

    def start_part(self, part: str) -> None:
        log = open(self.folder / "serve.log", "ab")  # noqa: SIM115  # it is the child's
        command = [sys.executable, "manage.py", "serve", *self.parts[part]]
        self.processes[part] = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        log.close()

    def wait_for(self, part: str, *, ready: bool = False) -> None:
        """Until the part answers, and is ready when asked for."""
        address = f"{self.base}/health/{'ready' if ready else 'live'}"
        wait_until(lambda: answers(address), 150, f"the part {part}")

    def kill(self) -> None:
        """End everything as a power cut would."""
        for part in self.processes:
            self.end_part(part)

    def end_part(self, part: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self.processes[part]
        if process.poll() is None:
            process.send_signal(how)
            process.wait(20)

    def faults(self) -> list[Callable[[], None]]:
        """What else may happen to it beside the end of its processes."""
        return []

    @contextlib.contextmanager
    def sign_in(self) -> Iterator[httpx.Client]:
        """A client of the signed-in agent, with the CSRF token in its headers."""
        with httpx.Client(base_url=self.base, timeout=20) as client:
            page = client.get("/sign-in/")
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
            if token is None:
                raise RuntimeError("the sign-in page has no form")
            fields = {"username": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
            answer = client.post("/sign-in/", data=fields, headers={"Referer": f"{self.base}/sign-in/"})
            if answer.status_code != 302:
                raise RuntimeError(f"signing in answered {answer.status_code}")
            client.headers.update({"X-CSRFToken": client.cookies["csrftoken"], "Referer": self.base})
            yield client

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds, read beside the server."""
        path = f"file:{self.folder / 'rapport.sqlite3'}?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True, timeout=20)) as database:
            return list(database.execute(query))

    def sent_texts(self) -> list[str]:
        """The texts that reached the fake platform, in order, each as often as it came."""
        calls = httpx.get(f"{self.platform}/_fake/calls", timeout=10).json()
        return [call["params"]["text"] for call in calls if call["method"] == "sendMessage"]


def update(number: int, chat: int, text: str, name: str = "Ada") -> dict[str, Any]:
    """A Telegram update with one private message."""
    person = {"id": chat, "is_bot": False, "first_name": name, "language_code": "en"}
    message = {"message_id": number, "from": person, "chat": {"id": chat, "first_name": name, "type": "private"}}
    return {"update_id": number, "message": {**message, "date": int(time.time()), "text": text}}


def wait_until(holds: Any, seconds: float, what: str) -> None:
    """Return when `holds()` is true; raises TimeoutError, which names `what`, after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took more than {seconds:.0f} s")
        time.sleep(0.05)


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
