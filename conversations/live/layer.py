"""Posting to the channel layer from any thread. Only ids and numbers travel here."""

import asyncio
import logging
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)
_home: asyncio.AbstractEventLoop | None = None


def live_on(loop: asyncio.AbstractEventLoop) -> None:
    """Name the loop that the layer lives on. A worker thread that used the layer itself would be heard seconds late."""
    global _home
    _home = loop


def workspace_group(workspace_id: int) -> str:
    return f"workspace.{workspace_id}"


def post(group: str, message: dict[str, Any]) -> None:
    """Send to a group, without waiting. Nothing is sent while nobody in this process has named a loop."""
    if _home is None or _home.is_closed():
        return
    asyncio.run_coroutine_threadsafe(_send(group, message), _home)


async def _send(group: str, message: dict[str, Any]) -> None:
    try:
        await get_channel_layer().group_send(group, message)
    except Exception:  # the layer may be down; the heartbeat heals what was not heard
        logger.exception("a hint was not sent", extra={"group": group})


def post_hint(workspace_id: int, number: int, verbs: frozenset[str]) -> None:
    """Tell every process that the workspace's events have reached `number`."""
    post(workspace_group(workspace_id), {"type": "events.moved", "number": number})
