"""The breaks of a chaos run: how far the load may be ahead of them, and how soon the tabs have healed."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

from tests.installation import Installation
from tests.tab import Tab

CURRENT_WITHIN = 20.0  # seconds


class Breaks:
    """Counts breaks, and times the tabs after each until they have caught up or the next one comes."""

    def __init__(self, place: Installation, tabs: Sequence[Tab], total: int) -> None:
        self.total, self.done = total, 0
        self.healed: list[float] = []  # seconds until every tab was current, by break
        self.cut_short = 0  # breaks that were followed by the next one before that
        self._place, self._tabs = place, tabs
        self._lock = threading.Lock()
        self._mark: tuple[float, int] | None = None  # since when, and the head to reach
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._watch_tabs, daemon=True)
        self._watch.start()

    def wait_for_turn(self, share: float) -> None:
        """Hold the load back so that it lasts as long as the breaks: `share` of it, 0..1, may be out."""
        while self.done < int(share * (self.total + 1)):
            time.sleep(0.02)

    def make(self, happens: Callable[[], str | None]) -> str:
        """Let it happen, and time what follows; the word for it."""
        with self._lock:
            if self._mark is not None:
                self.cut_short += 1
                self._note(time.monotonic() - self._mark[0], whole=False)
            self._mark = None
        what = str(happens() or getattr(happens, "__name__", ""))
        head = self._head()
        with self._lock:
            self._mark = (time.monotonic(), head)
        self.done += 1
        return what

    def wait_until_healed(self) -> None:
        """Until every tab has caught up with the last break, or may no longer be behind it."""
        end = time.monotonic() + CURRENT_WITHIN
        while self._mark is not None and time.monotonic() < end:
            time.sleep(0.05)

    def end(self) -> None:
        """Wait for the last break to heal, and stop timing."""
        self.wait_until_healed()
        self._over.set()
        self._watch.join()
        if self._mark is not None:
            self.healed.append(time.monotonic() - self._mark[0])

    def late(self) -> int:
        """Breaks after which a tab was not current in time."""
        return sum(seconds > CURRENT_WITHIN for seconds in self.healed)

    def _watch_tabs(self) -> None:
        while not self._over.wait(0.05):
            with self._lock:
                if self._mark is not None and all(tab.head >= self._mark[1] for tab in self._tabs):
                    self._note(time.monotonic() - self._mark[0], whole=True)
                    self._mark = None

    def _note(self, seconds: float, *, whole: bool) -> None:
        if whole or seconds > CURRENT_WITHIN:  # one that was cut short in time says nothing
            self.healed.append(seconds)

    def _head(self) -> int:
        with contextlib.suppress(Exception):  # the database may just have come back
            return int(self._place.rows("SELECT max(event_head) FROM crm_workspace")[0][0])
        return 0
