"""The process's one event loop for platform clients, in a thread of its own.

A client that is used from several loops fails every second call; here all of them live on one.
"""

import atexit
import threading
from contextlib import AbstractContextManager

from anyio.from_thread import BlockingPortal, start_blocking_portal

_lock = threading.Lock()
_running: tuple[AbstractContextManager[BlockingPortal], BlockingPortal] | None = None


def portal() -> BlockingPortal:
    """The way onto the loop, started on first use."""
    global _running
    with _lock:
        if _running is None:
            manager = start_blocking_portal()
            _running = (manager, manager.__enter__())
            atexit.register(stop)
        return _running[1]


def stop() -> None:
    """Cancel what runs on the loop and end its thread."""
    global _running
    with _lock:
        running, _running = _running, None
    if running is not None:
        running[1].call(running[1].stop, True)
        running[0].__exit__(None, None, None)
