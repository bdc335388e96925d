"""The Twilio emulator of npm's `emulate`, started for a test: a Twilio that is not ours, and signs what it posts."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

from tests.channels_adapters.slack_emulator import NODE_MODULES, node

SID, TOKEN, NUMBER = "AC" + "0" * 32, "twilio_test_auth_token", "+15551234567"  # as it seeds itself
_SCRIPT = NODE_MODULES / "emulate" / "dist" / "index.js"
_PATIENCE = 60.0  # seconds


def missing() -> str:
    """What the emulator lacks on this machine; '' when it can run."""
    if not _SCRIPT.exists():
        return "npm's emulate is not installed: .ci/run does that"
    return "" if node().exists() else "there is no Node: it comes with requirements-dev.txt"


@contextmanager
def emulator() -> Iterator[str]:
    """Its address."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(node()), str(_SCRIPT), "start", "--service", "twilio", "--port", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def _wait_for(url: str, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and running.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the emulator did not start")
