"""The hooks: `/hooks/<inbox key>/`, a bare ASGI application that stands before Django's handler.

It authenticates the raw bytes, stores them, and only then acknowledges. Sessions, templates and middleware are not
for platforms, and were most of a request's cost.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import Error as DatabaseError
from limits import RateLimitItemPerSecond

from channels_adapters import connections
from channels_adapters.contract import ChannelError, HookAnswer, HookRequest, WebhookRejected
from channels_adapters.metrics import HOOK_SECONDS
from channels_adapters.workers.intake import Full
from channels_adapters.workers.running import workers
from conversations.models import Inbox
from crm.web.lengths import told_length
from crm.web.rates import Rates
from crm.workspace.threads import in_thread

logger = logging.getLogger(__name__)
_PATH = re.compile(r"^/hooks/([A-Za-z0-9_-]{1,40})(?:/|$)")  # what follows is the platform's affair
AGAIN_IN = 5  # seconds
_WINDOW = 5  # seconds over which calls are counted
_calls = Rates("hooks")
LOOK_WITHIN = 1.5  # seconds for the inbox's settings; then those last seen do, or 503

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def hooks(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request of a platform."""
    began = time.monotonic()
    try:
        answer = await _answer(scope, receive)
    except DatabaseError:
        logger.exception("the database could not be asked about a hook")
        answer = HookAnswer(503, b"Deliver it again in a moment.\n", retry_after=AGAIN_IN)
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(answer.body))]
    if answer.retry_after is not None:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
    HOOK_SECONDS.labels(_channel(scope), answer.status).observe(time.monotonic() - began)


def _channel(scope: dict[str, Any]) -> str:
    """The kind of inbox that was called; '' for one we do not know."""
    path = _PATH.match(scope["path"])
    served = connections.known(path[1]) if path else None
    return served.inbox.channel if served else ""


async def _answer(scope: dict[str, Any], receive: Receive) -> HookAnswer:
    came_at = time.monotonic()
    path = _PATH.match(scope["path"])
    try:
        served = await _served(path[1]) if path else None
    except TimeoutError:
        return HookAnswer(503, b"It cannot be looked up just now; deliver it again.\n", retry_after=AGAIN_IN)
    if served is None:
        return HookAnswer(404, b"There is no such inbox.\n")
    answer_by = came_at + served.adapter.answer_within
    try:
        body = await asyncio.wait_for(_body(scope, receive, served.adapter.body_limit), answer_by - time.monotonic())
    except TimeoutError:
        return HookAnswer(503, b"The body did not come in time; deliver it again.\n", retry_after=AGAIN_IN)
    if body is None:
        return HookAnswer(413, b"The body is larger than this channel ever sends.\n")
    request = _request(scope, body)
    try:
        return await _take(served, request, answer_by)
    except WebhookRejected as error:
        logger.info("hook refused", extra={"inbox": served.inbox.pk, "status": error.status})
        return HookAnswer(error.status, f"{error.reason}\n".encode(), retry_after=error.retry_after)
    except ChannelError as error:
        return HookAnswer(400, f"{error.reason}\n".encode())


async def _served(key: str) -> connections.Served | None:
    """The inbox behind a key; as it was last seen when the database is slow or away. TimeoutError when it never was."""
    seen = connections.known(key)
    if seen is not None and seen.is_fresh:
        return seen  # a thread for this alone would cost more than the rest
    looking = asyncio.ensure_future(in_thread(connections.serving, key))
    done, _ = await asyncio.wait([looking], timeout=LOOK_WITHIN)
    if done and not isinstance(looking.exception(), DatabaseError):
        return looking.result()
    looking.add_done_callback(_forget)
    if seen is None:
        raise TimeoutError
    return seen


def _forget(looking: "asyncio.Future[Any]") -> None:
    if not looking.cancelled() and looking.exception():
        logger.warning("a late look at an inbox failed", extra={"error": type(looking.exception()).__name__})


async def _take(served: connections.Served, request: HookRequest, answer_by: float) -> HookAnswer:
    adapter, inbox = served.adapter, served.inbox
    adapter.authenticate(request)
    handshake = adapter.answer(request)
    if handshake is not None:
        return handshake
    if request.method != "POST":
        return HookAnswer(405, b"Deliveries are posted here.\n")
    if inbox.state != Inbox.State.LIVE:
        return HookAnswer(503, b"This inbox is not live; deliver again later.\n")
    if adapter.calls_per_second and not await in_thread(_is_in_time, served):
        return HookAnswer(429, b"Too many calls; go on a little slower.\n", retry_after=_WINDOW)
    body = adapter.keep(request)
    delivery_id = adapter.delivery_id(body)
    try:
        stored = asyncio.wrap_future(workers().intake.submit(inbox, delivery_id, body))
    except Full:
        logger.warning("too much arrives at once", extra={"inbox": inbox.pk})
        return HookAnswer(503, b"Too much arrives at once; deliver it again.\n", retry_after=AGAIN_IN)
    try:
        await asyncio.wait_for(stored, answer_by - time.monotonic())
    except Exception:
        logger.exception("a delivery could not be stored", extra={"inbox": inbox.pk})
        return HookAnswer(503, b"It could not be stored; deliver it again.\n", retry_after=AGAIN_IN)
    return adapter.acknowledge(delivery_id)


def _is_in_time(served: connections.Served) -> bool:
    """Whether the other side keeps to its number of calls."""
    rate = RateLimitItemPerSecond(served.adapter.calls_per_second * _WINDOW, _WINDOW)
    return _calls.hit(rate, str(served.inbox.pk))


async def _body(scope: dict[str, Any], receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None when it is over the limit; the rest is then not read, nor any of it when it says so."""
    if told_length(scope) > limit:
        return None
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _request(scope: dict[str, Any], body: bytes) -> HookRequest:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope.get("query_string", b"").decode("latin-1")
    return HookRequest(scope["method"], scope["path"], query, headers, body)
