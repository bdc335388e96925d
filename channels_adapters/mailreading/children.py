"""The pool of children that take mails apart. Each is used again and again; one that overruns is killed and replaced.

A child costs a third of a second to start and some milliseconds a mail, so the first mails pay and the rest do not.
"""

import atexit
import json
import os
import queue
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from channels_adapters.mailreading.letter import Letter

CHILDREN = 2
TIME = 8.0  # seconds for one mail, and as many more as it has tens of megabytes
MEMORY = 1_200 * 1024 * 1024  # bytes of address space of one child
START = 60.0  # seconds until a new child is ready, on a machine that is busy
USED = 500  # mails, then it is replaced: what a library leaks ends with it
_ROOT = Path(__file__).resolve().parents[2]
_CHUNK = 65_536


class Overrun(Exception):
    """The mail cannot be taken apart within the limits. Says why, in a few words."""


def read(raw: bytes) -> Letter:
    """What the mail says; only what its head says when the rest cannot be read. Raises Overrun when not even that."""
    try:
        answer = _ask({"do": "read"}, raw)
    except Overrun:
        answer = _ask({"do": "head"}, raw)
    return Letter.from_json(json.loads(answer))


def part(raw: bytes, path: str) -> bytes:
    """The bytes of one file of the mail. Raises Overrun."""
    return _ask({"do": "part", "path": path}, raw)


class Gone(Overrun):
    """The child ended in the middle."""


class _Child:
    def __init__(self) -> None:
        command = [sys.executable, "-m", "channels_adapters.mailreading.child", str(MEMORY)]
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT), "LC_ALL": "C.UTF-8"}
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self._running = subprocess.Popen(  # noqa: S603  our own program
            command, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment, bufsize=0
        )
        self.asked = 0
        self._streams = [stream for stream in (self._running.stdin, self._running.stdout) if stream is not None]
        self._to, self._from = (stream.fileno() for stream in self._streams)
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._read_answer(time.monotonic() + START)

    def ask(self, request: dict[str, Any], raw: bytes) -> tuple[str, bytes]:
        """The problem, or '', and the answer. Raises Overrun when the time is up or the child is gone."""
        self.asked += 1
        until = time.monotonic() + TIME * (1 + len(raw) / 10_000_000)
        self._write(json.dumps({**request, "size": len(raw)}).encode() + b"\n" + raw, until)
        return self._read_answer(until)

    def end(self) -> None:
        self._running.kill()
        self._running.wait()
        for stream in self._streams:
            stream.close()

    def _write(self, data: bytes, until: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(until, writing=True)
            try:
                view = view[os.write(self._to, view[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Gone("its reader ended") from error

    def _read_answer(self, until: float) -> tuple[str, bytes]:
        data = bytearray()
        while b"\n" not in data:
            data += self._some(until)
        line, _, rest = bytes(data).partition(b"\n")
        head, data = json.loads(line), bytearray(rest)
        while len(data) < head["size"]:
            data += self._some(until)
        return head["problem"], bytes(data)

    def _some(self, until: float) -> bytes:
        self._wait(until, writing=False)
        try:
            found = os.read(self._from, _CHUNK)
        except BlockingIOError:
            return b""
        if not found:
            raise Gone("its reader ended")
        return found

    def _wait(self, until: float, *, writing: bool) -> None:
        poll = select.poll()
        poll.register(self._to if writing else self._from, select.POLLOUT if writing else select.POLLIN)
        left = until - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Overrun("it takes too long to read")


_idle: "queue.LifoQueue[_Child | None]" = queue.LifoQueue()
_made = 0
_lock = threading.Lock()


def _ask(request: dict[str, Any], raw: bytes) -> bytes:
    child = _take()
    keep: _Child | None = None
    try:
        try:
            problem, answer = child.ask(request, raw)
        except Gone:
            if child.asked == 1:
                raise
            child.end()  # it may have ended while it was free: a new one tries
            child = _Child()
            problem, answer = child.ask(request, raw)
        keep = child if not problem.startswith("it needs") and child.asked < USED else None
    finally:
        if keep is None:
            child.end()
        _idle.put(keep)
    if problem:
        raise Overrun(problem)
    return answer


def _take() -> _Child:
    """A child that is free; a new one while there are few."""
    global _made
    with _lock:
        if _idle.empty() and _made < CHILDREN:
            _made += 1
            return _Child()
    return _idle.get() or _Child()


def end() -> None:
    """End the children that are free; the next mail starts one anew."""
    global _made
    with _lock:
        while not _idle.empty():
            child = _idle.get()
            _made -= 1
            if child is not None:
                child.end()


atexit.register(end)
