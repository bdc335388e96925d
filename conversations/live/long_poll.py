"""The long poll of the API's event feed: a request with `wait` is held until something newer is there.

It stands before Django, where holding a request costs a task and no thread. Whatever is wrong with the request is not
waited for: it goes on at once, and the API refuses it as it refuses everything.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from channels.layers import get_channel_layer

from conversations.live import layer
from conversations.live.fragments import head_of
from crm.api.events import LONGEST_WAIT
from crm.workspace import permissions, tokens
from crm.workspace.models import Workspace
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
PATH = "/api/v1/events"
LOOK_EVERY = 5.0  # seconds: a hint that was lost costs no more
Receive = Callable[[], Awaitable[dict[str, Any]]]
Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]

_held: set[asyncio.Event] = set()  # one for each request that waits
_is_over = False


def let_go() -> None:
    """Answer everybody who waits, and hold nobody any more: the process ends. Call it on the server's loop."""
    global _is_over
    _is_over = True
    for released in _held:
        released.set()


async def hold(scope: dict[str, Any], receive: Receive, send: Any, application: Application) -> None:
    """Let `application` answer the request when its time has come; not at all when the caller has left."""
    since, seconds = _asked(scope) if scope["method"] == "GET" else (0, 0)
    workspace = await in_thread(_workspace_of, scope) if seconds and not _is_over else None
    if workspace is None:
        await application(scope, receive, send)
        return
    first = await receive()  # a GET's empty body; what follows can only be that the caller left
    leaving = asyncio.ensure_future(receive())
    try:
        await _wait(workspace, since, seconds, leaving)
        if not leaving.done():
            parts = [first]

            async def again() -> dict[str, Any]:
                return parts.pop() if parts else await asyncio.shield(leaving)

            await application(scope, again, send)
    finally:
        leaving.cancel()


def _asked(scope: dict[str, Any]) -> tuple[int, int]:
    """`since` and `wait`; a wait of 0 for what the API will refuse."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    since, wait = query.get("since", ["0"])[-1], query.get("wait", ["0"])[-1]
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in (since, wait)):
        return 0, 0
    return int(since), int(wait) if int(wait) <= LONGEST_WAIT else 0


def _workspace_of(scope: dict[str, Any]) -> Workspace | None:
    given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    scheme, _blank, key = given.partition(" ")
    token = tokens.find(key.strip()) if scheme.lower() == "bearer" else None
    if token is None or "read" not in token.scopes or not permissions.may(token.membership, "conversation.view"):
        return None
    workspace: Workspace = token.membership.workspace
    return workspace


async def _wait(workspace: Workspace, since: int, seconds: int, leaving: "asyncio.Future[Any]") -> None:
    """Until the workspace has an event after `since`, the time is over, the caller leaves, or `let_go`."""
    released, moved = asyncio.Event(), asyncio.Event()
    _held.add(released)
    hearing = asyncio.ensure_future(_hear(workspace.pk, moved))
    ending = asyncio.ensure_future(released.wait())
    end = asyncio.get_running_loop().time() + seconds
    try:
        while await in_thread(head_of, workspace) <= since:
            left = end - asyncio.get_running_loop().time()
            if left <= 0 or leaving.done() or ending.done():
                return
            moving = asyncio.ensure_future(moved.wait())
            await asyncio.wait(
                {moving, leaving, ending}, timeout=min(left, LOOK_EVERY), return_when=asyncio.FIRST_COMPLETED
            )
            moving.cancel()
            moved.clear()
    finally:
        _held.discard(released)
        hearing.cancel()
        ending.cancel()


async def _hear(workspace_id: int, moved: asyncio.Event) -> None:
    """Note each hint of the workspace. When the layer is away the look every few seconds has to do."""
    layer.live_on(asyncio.get_running_loop())
    channels, group = get_channel_layer(), layer.workspace_group(workspace_id)
    name = ""
    try:
        name = await channels.new_channel()
        await channels.group_add(group, name)
        moved.set()  # what happened before we listened
        while True:
            await channels.receive(name)
            moved.set()
    except Exception as error:  # noqa: BLE001  # whatever the layer's client raises
        logger.warning("a long poll does not hear the layer", extra={"reason": type(error).__name__})
    finally:
        with contextlib.suppress(Exception):
            await channels.group_discard(group, name)
