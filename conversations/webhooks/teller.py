"""The thread that tells subscribers. A hint wakes it; a look every few seconds finds what a lost hint left lying."""

import logging
import threading

from django.db import connection

from conversations.webhooks.sending import send_due
from crm.workspace.pace import Pace

logger = logging.getLogger(__name__)
SAFETY_LOOK = 5.0  # seconds
PAUSE = 0.25  # seconds: what happens meanwhile is told together


class Teller(threading.Thread):
    """Sends webhooks from `start` to `stop`."""

    def __init__(self) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self.pace = Pace()

    def wake(self) -> None:
        """There may be something to tell."""
        self._woken.set()

    def stop(self) -> None:
        """End after the calls in hand; what was not called yet is due again."""
        self._stopping.set()
        self._woken.set()
        self.join(timeout=15)

    def run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                send_due(self._go_on)
            except Exception:
                logger.exception("webhooks stumbled; what is due is sent with the next look")
                connection.close()  # it may be broken
            self.pace.rest()
            self._stopping.wait(PAUSE)
            self._woken.wait(SAFETY_LOOK)
        connection.close()

    def _go_on(self) -> bool:
        self.pace.begin()  # before each call
        return not self._stopping.is_set()
