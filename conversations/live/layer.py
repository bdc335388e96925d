"""Posting to the channel layer from any thread. Only ids and numbers travel here."""

import asyncio
import logging
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)
_home: asyncio.AbstractEventLoop | None = None
_newest: dict[str, dict[str, Any]] = {}  # group: what is being sent, or waits to be
_sending: set["asyncio.Task[None]"] = set()


def live_on(loop: asyncio.AbstractEventLoop) -> None:
    """Name the loop that the layer lives on. A worker thread that used the layer itself would be heard seconds late."""
    global _home, _newest
    if loop is not _home:
        _home, _newest = loop, {}


def workspace_group(workspace_id: int) -> str:
    return f"workspace.{workspace_id}"


def post(group: str, message: dict[str, Any]) -> None:
    """Send to a group, without waiting. Nothing is sent while nobody in this process has named a loop."""
    if _home is None or _home.is_closed():
        return
    asyncio.run_coroutine_threadsafe(_send(group, message), _home)


def post_newest(group: str, message: dict[str, Any]) -> None:
    """As `post`, for messages of which only the last one counts."""
    if _home is not None and not _home.is_closed():
        _home.call_soon_threadsafe(_post_newest, _newest, group, message)


def _post_newest(newest: dict[str, dict[str, Any]], group: str, message: dict[str, Any]) -> None:
    """On the home loop: of hints that wait for a slow layer only the newest is sent."""
    is_sending = group in newest
    newest[group] = message
    if not is_sending:
        task = asyncio.get_running_loop().create_task(_send_newest(newest, group))
        _sending.add(task)
        task.add_done_callback(_sending.discard)


async def _send_newest(newest: dict[str, dict[str, Any]], group: str) -> None:
    sent: dict[str, Any] | None = None
    while newest[group] is not sent:
        sent = newest[group]
        await _send(group, sent)
    del newest[group]


async def _send(group: str, message: dict[str, Any]) -> None:
    try:
        await get_channel_layer().group_send(group, message)
    except Exception as error:  # noqa: BLE001  # the layer may be down; the heartbeat heals what was not heard
        logger.warning("a hint was not sent", extra={"group": group, "reason": type(error).__name__})


def post_hint(workspace_id: int, number: int, verbs: frozenset[str]) -> None:
    """Tell every process that the workspace's events have reached `number`."""
    post_newest(workspace_group(workspace_id), {"type": "events.moved", "number": number})
