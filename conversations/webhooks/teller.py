"""The thread that tells subscribers. A hint wakes it; a look every few seconds finds what a lost hint left lying."""

import logging
import threading

from django.db import connection

from conversations.webhooks.sending import send_due

logger = logging.getLogger(__name__)
SAFETY_LOOK = 5.0  # seconds
PAUSE = 0.25  # seconds: what happens meanwhile is told together


class Teller:
    """Sends webhooks from `start` to `stop`."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There may be something to tell."""
        self._woken.set()

    def stop(self) -> None:
        """End after the calls in hand; what was not called yet is due again."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout=15)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                send_due(lambda: not self._stopping.is_set())
            except Exception:
                logger.exception("webhooks stumbled; what is due is sent with the next look")
                connection.close()  # it may be broken
            self._stopping.wait(PAUSE)
            self._woken.wait(SAFETY_LOOK)
        connection.close()
