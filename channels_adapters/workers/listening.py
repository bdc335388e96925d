"""Pollers: for each connection that listens itself, one task on the platform loop, in one process at a time."""

import logging
import uuid
from concurrent.futures import Future
from datetime import timedelta

import anyio
from django.db import transaction
from django.db.models import Q
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import ChannelError
from channels_adapters.models import Connection, RawDelivery
from channels_adapters.workers.intake import Intake
from channels_adapters.workers.platform_loop import portal
from conversations.models import Inbox
from crm.workspace import clock
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
PROCESS = uuid.uuid4().hex
AFTER_TROUBLE = 5.0  # seconds


class LeaseLost(Exception):
    """Another process polls now."""


class Listening:
    """Keeps one poller going per live connection that wants one. `look` starts and ends them by what is stored."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self._tasks: dict[str, Future[None]] = {}

    def look(self) -> None:
        """Start pollers for connections that have none; end those of connections that are gone, paused or changed."""
        wanted = {served.inbox.key for served in _live() if served.adapter.listens()}
        for key in wanted - {key for key, task in self._tasks.items() if not task.done()}:
            self._tasks[key] = portal().start_task_soon(self._poll, key)
        for key in set(self._tasks) - wanted:
            self._tasks.pop(key).cancel()

    def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        with scopes_disabled():
            Connection.objects.filter(poll_holder=PROCESS).update(poll_holder="", poll_until=None)

    async def _poll(self, key: str) -> None:
        while True:
            served = await in_thread(connections.serving, key)
            if served is None:
                return
            try:
                cursor = await in_thread(take_lease, served.inbox)
                if cursor is not None:
                    await served.adapter.listen(cursor, self._storing(served.inbox))
            except LeaseLost:
                logger.info("another process polls", extra={"inbox": served.inbox.pk})
            except ChannelError as error:
                await in_thread(_note_trouble, served.inbox, error.reason)
            except Exception:
                logger.exception("polling stumbled", extra={"inbox": served.inbox.pk})
            await anyio.sleep(AFTER_TROUBLE)

    def _storing(self, inbox: Inbox):  # type: ignore[no-untyped-def]  # a contract.Store
        async def store(updates: list[tuple[str, bytes]], cursor: str) -> None:
            await in_thread(store_polled, inbox, updates, cursor)
            if updates:
                self.intake.wake()

        return store


def _live() -> list[connections.Served]:
    with scopes_disabled():
        keys = list(Inbox.objects.filter(state=Inbox.State.LIVE).values_list("key", flat=True))
    return [served for key in keys if (served := connections.serving(key)) is not None]


def take_lease(inbox: Inbox) -> str | None:
    """The cursor to poll from, when this process may poll the inbox for a while; None when another one does."""
    now = clock.now()
    with scope(workspace=inbox.workspace):
        free = Connection.objects.filter(inbox=inbox, inbox__state=Inbox.State.LIVE)
        free = free.filter(Q(poll_holder__in=("", PROCESS)) | Q(poll_until=None) | Q(poll_until__lt=now))
        if not free.update(poll_holder=PROCESS, poll_until=now + LEASE):
            return None
        cursor: str = Connection.objects.values_list("poll_cursor", flat=True).get(inbox=inbox)
    return cursor


def store_polled(inbox: Inbox, updates: list[tuple[str, bytes]], cursor: str) -> None:
    """Store the updates and move the cursor in one transaction; raises LeaseLost when another process polls now."""
    now = clock.now()
    with scope(workspace=inbox.workspace), transaction.atomic():
        mine = Connection.objects.filter(inbox=inbox, poll_holder=PROCESS, inbox__state=Inbox.State.LIVE)
        if not mine.update(poll_cursor=cursor, poll_until=now + LEASE):
            raise LeaseLost
        RawDelivery.objects.bulk_create(
            (
                RawDelivery(workspace=inbox.workspace, inbox=inbox, delivery_id=delivery_id[:200], body=body)
                for delivery_id, body in updates
            ),
            ignore_conflicts=True,
        )


def _note_trouble(inbox: Inbox, reason: str) -> None:
    logger.warning("polling stopped for a moment", extra={"inbox": inbox.pk, "reason": reason})
    connections.note_health(inbox, last_error=reason[:300], last_error_at=clock.now())
