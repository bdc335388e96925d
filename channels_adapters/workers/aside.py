"""Deliveries that take long to read (mail) are taken in beside the others, in a thread of their own: nobody waits."""

import logging
import threading

from django.db import connection

from channels_adapters.workers.taking_in import slow_ones_wait, take_in_slow

logger = logging.getLogger(__name__)


class Aside:
    """Takes in what is read slowly. Its thread lives while there is something to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None
        self._again = self._stopping = False

    def look(self) -> None:
        """Take in what waits, now or as soon as what is in hand is done."""
        if not slow_ones_wait():
            return
        with self._lock:
            self._again = True
            if self._running is None and not self._stopping:
                self._running = threading.Thread(target=self._run, name="intake-aside", daemon=True)
                self._running.start()

    def stop(self) -> None:
        """End after the batch in hand; what waits is taken in at the next start."""
        with self._lock:
            self._stopping, running = True, self._running
        if running is not None:
            running.join(timeout=10)

    def _run(self) -> None:
        try:
            while self._has_more():
                take_in_slow(lambda: not self._stopping)
        except Exception:
            logger.exception("taking in stumbled; what is stored is taken in with the next look")
        finally:
            with self._lock:
                self._running = None
            connection.close()

    def _has_more(self) -> bool:
        with self._lock:
            again, self._again = self._again and not self._stopping, False
            if not again:
                self._running = None  # whoever looks from now on starts another
            return again
