"""The edge's workers of this process: started by `serve`, stopped with it.

In one process all of them; in a cluster those of the process's part: `web` takes in what it was handed, `work` sends,
polls and takes in what others left, `schedule` only tells `work` when it is time.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connection
from django_scopes import scopes_disabled

import nlp
from channels_adapters import connections
from channels_adapters.workers import approving, nudges, platform_loop
from channels_adapters.workers.dispatch import Dispatch, settle_orphans, show_typing
from channels_adapters.workers.intake import Intake
from channels_adapters.workers.listening import Listening
from channels_adapters.workers.taking_in import drop_old
from conversations import catching_up, files
from conversations.live import typing
from conversations.webhooks import settling
from conversations.webhooks.teller import Teller
from crm.workspace import hints
from crm.workspace.models import Workspace

logger = logging.getLogger(__name__)
RAW_KEPT_DAYS = 30
SWEPT_WITHIN = 180.0  # seconds; it is due each minute
WORK_TO_SEND = {"reply.queued", "act.queued", "delivery.changed", "file.expected"}
EVERYTHING, WEB, WORK, SCHEDULE = "", "web", "work", "schedule"


class Workers:
    """Intake, dispatch, pollers and webhooks of one process."""

    def __init__(self) -> None:
        self.part = EVERYTHING
        self.intake = Intake()
        self.dispatch = Dispatch()
        self.listening = Listening(self.intake)
        self._ear = nudges.Ear(self._look)
        self.teller = Teller()
        self._swept_at: float | None = None  # when the schedule last came round; None: it is not ours

    def start(self, part: str = EVERYTHING) -> None:
        """Take in what waits, and serve `part` from now on."""
        self.part = part
        if part:
            nudges.use_platform_loop()
        hints.listen(self._hear)
        if part in (EVERYTHING, SCHEDULE):
            self._swept_at = time.monotonic()
        if part in (EVERYTHING, WEB):
            typing.listen(show_typing)
        if part in (EVERYTHING, WORK):
            self._start_work()
        if part != SCHEDULE:
            self.intake.start()
            threading.Thread(target=self._learn_to_read, name="loading-triage", daemon=True).start()

    def _start_work(self) -> None:
        connections.write_capabilities()
        if self.part == EVERYTHING:
            settle_orphans()  # in a cluster a part under lease may have a living sender
        else:
            self._ear.open()
        self.dispatch.start()
        self.teller.start()
        self.listening.look()

    def order_sweep(self) -> None:
        """Have the process that works look for work whose wake-up was lost."""
        self._swept_at = time.monotonic()
        if self.part == SCHEDULE:
            nudges.nudge(nudges.ALL)
        else:
            self.sweep()
        drop_old(RAW_KEPT_DAYS)
        settling.drop_old(RAW_KEPT_DAYS)
        files.drop_unsent()

    def sweep(self) -> None:
        """Look for work whose wake-up was lost. The rows are the truth; running this twice does no harm."""
        self.intake.wake()
        self.dispatch.wake()
        self.teller.wake()
        self.listening.look()
        approving.refresh_due()
        read_late()

    def look_at_connections(self) -> None:
        """An inbox was connected, paused or resumed: start and end pollers, here or in the process that works."""
        if self.part in (EVERYTHING, WORK):
            self.listening.look()
        else:
            nudges.nudge(nudges.TO_LISTEN)

    def stop(self) -> None:
        """End what is in hand and give back what is held. A step that fails, as without a database, stops no other."""
        steps: list[Callable[[], object]] = [lambda: hints.forget(self._hear), self._ear.close]
        if self.part in (EVERYTHING, WORK):
            steps += [self.listening.stop, self.teller.stop, self.dispatch.stop]
        if self.part != SCHEDULE:
            steps.append(self.intake.stop)
        for step in [*steps, connections.forget, platform_loop.stop]:
            try:
                step()
            except Exception:
                logger.exception("a worker did not stop as it should")

    def stalled(self) -> list[str]:
        """The names of this process's workers that have ended or hang."""
        threads: list[Intake | Dispatch | Teller] = [] if self.part == SCHEDULE else [self.intake]
        if self.part in (EVERYTHING, WORK):
            threads += [self.dispatch, self.teller]
        found = [worker.name for worker in threads if worker.pace.is_stalled or not worker.is_alive()]
        is_late = self._swept_at is not None and time.monotonic() - self._swept_at > SWEPT_WITHIN
        return [*found, "schedule"] if is_late else found

    def _hear(self, workspace_id: int, number: int, verbs: frozenset[str]) -> None:
        if self.part not in (EVERYTHING, WORK):
            nudges.nudge(nudges.TO_SEND if verbs & WORK_TO_SEND else nudges.TO_TELL)
            return
        self.teller.wake()
        if verbs & WORK_TO_SEND:
            self.dispatch.wake()

    def _look(self, what: str) -> None:
        if what in (nudges.TO_SEND, nudges.TO_TELL):
            self.teller.wake()
        if what == nudges.TO_SEND:
            self.dispatch.wake()
        elif what == nudges.TO_LISTEN:
            self.listening.look()
        elif what == nudges.ALL:
            self.sweep()

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
