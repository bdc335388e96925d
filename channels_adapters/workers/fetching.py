"""Files that a platform keeps for us: fetched in the background, shown when they are there."""

import logging
from collections.abc import Callable

from django.conf import settings
from django_scopes import scope, scopes_disabled

from channels_adapters import connections
from channels_adapters.contract import ChannelAdapter, Refused, SendFailed
from channels_adapters.models import RawDelivery
from channels_adapters.workers.platform_loop import portal
from conversations import files
from conversations.models import File, Inbox
from crm.workspace.events import change
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
AT_ONCE = 4
TRIES = 5
_in_flight: set[int] = set()
_tries: dict[int, int] = {}


def fetch_waiting(wake: Callable[[], None]) -> None:
    """Start fetching files that wait for it; `wake` is called when one is there."""
    with scopes_disabled():
        waiting = File.objects.filter(state=File.State.WAITING, message__thread__inbox__state=Inbox.State.LIVE)
        waiting = waiting.exclude(external_id="").exclude(pk__in=_in_flight)
        found = list(
            waiting.select_related("workspace", "message__conversation__customer", "message__thread__inbox")[
                : max(0, AT_ONCE - len(_in_flight))
            ]
        )
    for file in found:
        served = connections.serving(file.message.thread.inbox.key)
        if served is not None:
            _in_flight.add(file.pk)
            portal().start_task_soon(_fetch, served.adapter, file, wake)


async def _fetch(adapter: ChannelAdapter, file: File, wake: Callable[[], None]) -> None:
    problem, data = "", b""
    try:
        data = await _bytes_of(adapter, file)
    except Refused as error:
        problem = error.reason
    except SendFailed as error:
        _tries[file.pk] = _tries.get(file.pk, 0) + 1
        problem = error.reason if _tries[file.pk] >= TRIES else ""
        if not problem:
            _in_flight.discard(file.pk)
            return  # the next look tries again
    except Exception:
        logger.exception("a file could not be fetched", extra={"file": file.pk})
        problem = "It could not be fetched."
    try:
        await in_thread(_keep, file, data, problem)
    finally:  # when it could not be written down, the next look fetches it again
        _in_flight.discard(file.pk)
    wake()


async def _bytes_of(adapter: ChannelAdapter, file: File) -> bytes:
    if adapter.carries_files:
        found: bytes = await in_thread(_unpack, adapter, file)
        return found
    return await adapter.fetch(file.external_id, settings.FILE_SIZE_LIMIT)


def _unpack(adapter: ChannelAdapter, file: File) -> bytes:
    """The file out of the delivery that brought its message."""
    with scope(workspace=file.workspace):
        raw = RawDelivery.objects.filter(pk=file.message.raw_delivery_id).first() if file.message else None
    if raw is None:
        raise Refused("what it came in is no longer kept")
    return adapter.unpack(bytes(raw.body), file.external_id, settings.FILE_SIZE_LIMIT)


def _keep(file: File, data: bytes, problem: str) -> None:
    with change(file.workspace, cause="file fetched") as event, scope(workspace=file.workspace):
        if problem:
            file.state, file.reason = File.State.FAILED, problem[:300]
            file.save(update_fields=["state", "reason"])
        else:
            files.keep(file, data)
        message = file.message
        if message is not None:
            customer = message.conversation.customer
            event.record("file.ready", message, customer=customer, conversation_id=message.conversation_id)
    _tries.pop(file.pk, None)
