"""The edge with all its workers, for a test of a channel from one end to the other."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django_scopes import scopes_disabled

from channels_adapters import connections
from channels_adapters.models import Connection
from channels_adapters.workers.dispatch import Dispatch
from channels_adapters.workers.intake import Intake
from channels_adapters.workers.listening import Listening
from conversations.models import Inbox

_PATIENCE = 30.0  # seconds


class Edge:
    def __init__(self) -> None:
        self.intake, self.dispatch = Intake(), Dispatch()
        self.listening = Listening(self.intake)

    def until(self, happened: Callable[[], Any]) -> Any:
        """What it gives as soon as that is something. The other end is a program of its own, so we look again."""
        until = time.monotonic() + _PATIENCE
        while not (found := _look(happened)):
            assert time.monotonic() < until, "it did not happen"
            self.dispatch.wake()
            time.sleep(0.05)
        return found


@contextmanager
def edge(inbox: Inbox) -> Iterator[Edge]:
    """Everything that serves the inbox runs, and it listens."""
    made = Edge()
    made.intake.start()
    made.dispatch.start()
    made.listening.look()
    try:
        made.until(lambda: Connection.objects.get(inbox=inbox).poll_cursor)
        yield made
    finally:
        made.listening.stop()
        made.dispatch.stop()
        made.intake.stop()
        connections.forget()


def _look(happened: Callable[[], Any]) -> Any:
    with scopes_disabled():
        return happened()
