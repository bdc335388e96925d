"""The edge's workers of this process: started by `serve`, stopped with it."""

import logging
import threading

from django.db import connection
from django_scopes import scopes_disabled

import nlp
from channels_adapters import connections
from channels_adapters.workers import platform_loop
from channels_adapters.workers.dispatch import Dispatch, settle_orphans, show_typing
from channels_adapters.workers.intake import Intake, drop_old
from channels_adapters.workers.listening import Listening
from conversations import catching_up
from conversations.live import typing
from conversations.webhooks import settling
from conversations.webhooks.teller import Teller
from crm.workspace import hints
from crm.workspace.models import Workspace

logger = logging.getLogger(__name__)
RAW_KEPT_DAYS = 30
WORK_TO_SEND = {"reply.queued", "delivery.changed", "file.expected"}


class Workers:
    """Intake, dispatch, pollers and webhooks of one process."""

    def __init__(self) -> None:
        self.intake = Intake()
        self.dispatch = Dispatch()
        self.listening = Listening(self.intake)
        self.teller = Teller()

    def start(self) -> None:
        """Write down what the channels can do, take in what waits, and serve from now on."""
        connections.write_capabilities()
        settle_orphans()
        hints.listen(self._hear)
        typing.listen(show_typing)
        self.intake.start()
        self.dispatch.start()
        self.teller.start()
        self.listening.look()
        threading.Thread(target=self._learn_to_read, name="loading-triage", daemon=True).start()

    def sweep(self) -> None:
        """Look for work whose wake-up was lost. The rows are the truth; running this twice does no harm."""
        self.intake.wake()
        self.dispatch.wake()
        self.teller.wake()
        self.listening.look()
        read_late()
        drop_old(RAW_KEPT_DAYS)
        settling.drop_old(RAW_KEPT_DAYS)

    def stop(self) -> None:
        hints.forget(self._hear)
        self.listening.stop()
        self.teller.stop()
        self.dispatch.stop()
        self.intake.stop()
        connections.forget()
        platform_loop.stop()

    def _hear(self, workspace_id: int, number: int, verbs: frozenset[str]) -> None:
        self.teller.wake()
        if verbs & WORK_TO_SEND:
            self.dispatch.wake()

    def _learn_to_read(self) -> None:
        """Load the pipeline after the first page can be served, then read what came in meanwhile."""
        try:
            nlp.load()
            read_late()
        except Exception:
            logger.exception("the triage pipeline cannot be loaded; messages are shown and not sorted")
        finally:
            connection.close()


def read_late() -> int:
    """Read the messages of every workspace that could not be read when they came."""
    with scopes_disabled():
        workspaces = list(Workspace.objects.all())
    return sum(catching_up.read_late(workspace) for workspace in workspaces)


_workers: Workers | None = None


def workers() -> Workers:
    """This process's workers. They are made on first use and do nothing before `start`."""
    global _workers
    if _workers is None:
        _workers = Workers()
    return _workers
