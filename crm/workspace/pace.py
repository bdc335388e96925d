"""Whether a worker still goes round. A thread that hangs in one piece of work is alive and does nothing."""

import time

STALLED_AFTER = 60.0  # seconds in one piece of work


class Pace:
    """A worker says when it begins a piece of work and when it rests; others ask how long it has been at it."""

    def __init__(self) -> None:
        self._began: float | None = None

    def begin(self) -> None:
        self._began = time.monotonic()

    def rest(self) -> None:
        self._began = None

    @property
    def is_stalled(self) -> bool:
        began = self._began
        return began is not None and time.monotonic() - began > STALLED_AFTER
