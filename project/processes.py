"""What runs in a process: everything, or one part of a cluster. Whichever server carries the pages starts it here."""

import contextlib
from collections.abc import Iterator
from typing import Any

from anyio.to_thread import run_sync
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from huey.consumer import Consumer
from huey.contrib.djhuey import HUEY

from channels_adapters.workers.running import EVERYTHING, SCHEDULE, WEB, WORK, workers

PARTS = (WEB, WORK, SCHEDULE)
CONSUMER: dict[str, Any] = {"workers": 1, "worker_type": "thread", "max_delay": 0.2, "check_worker_health": False}
_ONE_AT_A_TIME = 7_269_843  # any number of our own: it names the lock


class Schedule(Consumer):
    """Huey's consumer as a part of our process, which has its own signals."""

    def _set_signal_handlers(self) -> None:
        pass


@contextlib.contextmanager
def running(part: str = EVERYTHING) -> Iterator[None]:
    """The workers and the schedule of this process, stopped in the end, newest first."""
    edge = workers()
    edge.start(part)
    schedule = Schedule(HUEY, **CONSUMER) if part in (EVERYTHING, SCHEDULE) else None
    if schedule is not None:
        schedule.start()
    try:
        yield
    finally:
        if schedule is not None:
            schedule.stop(graceful=False)
        edge.stop()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Of the processes that start together, one after the other: they would make the same tables and files."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])


def prepare_tables() -> None:
    call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """Styles and scripts carry a hash in their names and are compressed: a browser keeps them until they change."""
    settings.STORAGES["staticfiles"]["BACKEND"] = "servestatic.storage.CompressedManifestStaticFilesStorage"
    settings.SERVESTATIC_USE_FINDERS, settings.SERVESTATIC_USE_MANIFEST = False, True
    call_command("collectstatic", verbosity=0, interactive=False)


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Start and stop with a server that says when, as Uvicorn does. Daphne does not: `serve` starts it all there."""
    part = running(WEB if settings.IS_CLUSTER else EVERYTHING)
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await run_sync(prepare_tables)
            await run_sync(part.__enter__)
            await send({"type": "lifespan.startup.complete"})
        else:
            await run_sync(part.__exit__, None, None, None)
            await send({"type": "lifespan.shutdown.complete"})
            return
