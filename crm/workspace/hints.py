"""Hints: "this workspace's events have reached number n". Content never travels here; a lost hint only costs time.

The layers above listen, because crm never calls up: the live pages pull the events, the edge's workers look for work.
"""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)

# (workspace id, newest event number, verbs of the events); called in the thread that committed
Listener = Callable[[int, int, frozenset[str]], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call `listener` after each commit that recorded events, from now until `forget`."""
    _listeners.append(listener)


def forget(listener: Listener) -> None:
    _listeners.remove(listener)


def announce(workspace_id: int, number: int, verbs: frozenset[str]) -> None:
    """Tell every listener. One that fails is logged and does not keep the hint from the others."""
    for listener in _listeners:
        try:
            listener(workspace_id, number, verbs)
        except Exception:
            logger.exception("a listener failed", extra={"workspace": workspace_id, "event": number})
