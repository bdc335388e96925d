"""The templates of each inbox, as its platform lists them: asked for each hour, and when a person wants it."""

import logging
from datetime import timedelta

from django.db.models import Q
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import ChannelError, Template
from channels_adapters.models import Connection
from channels_adapters.workers.platform_loop import portal
from conversations import approved
from conversations.models import Inbox
from crm.workspace import clock
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
EVERY = timedelta(hours=1)


def refresh_due() -> int:
    """Start asking for the templates of every inbox whose list is old. Returns for how many."""
    now, started = clock.now(), 0
    with scopes_disabled():
        old = Connection.objects.filter(Q(templates_at=None) | Q(templates_at__lt=now - EVERY))
        old = old.filter(inbox__state=Inbox.State.LIVE, inbox__capabilities__templates=True).select_related("inbox")
        for connection in old:
            mine = Connection.objects.filter(pk=connection.pk, templates_at=connection.templates_at)
            served = connections.serving(connection.inbox.key)
            if served is not None and mine.update(templates_at=now):  # one process asks
                portal().start_task_soon(_refresh, served)
                started += 1
    return started


def refresh(inbox: Inbox) -> int:
    """Ask now. Returns how many templates there are; raises ChannelError with the reason."""
    served = connections.serving(inbox.key)
    if served is None:
        raise ChannelError("This inbox is not connected.")
    listed = portal().call(served.adapter.templates)
    connections.note_health(inbox, templates_at=clock.now())
    return _keep(served.inbox, listed)


async def _refresh(served: connections.Served) -> None:
    try:
        await in_thread(_keep, served.inbox, await served.adapter.templates())
    except ChannelError as error:
        logger.warning("templates could not be listed", extra={"inbox": served.inbox.pk, "reason": error.reason})
    except Exception:
        logger.exception("templates could not be listed", extra={"inbox": served.inbox.pk})


def _keep(inbox: Inbox, listed: list[Template]) -> int:
    with scope(workspace=inbox.workspace):
        return approved.keep(
            inbox,
            [
                approved.Listed(one.name, one.language, one.text, one.variables, one.status, one.category, one.reason)
                for one in listed
            ],
        )
