"""`/health/live` and `/health/ready`: for whoever watches the process. They name the failing part and nothing else."""

import asyncio
import functools
import json
import shutil
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

import nlp
from channels_adapters.workers.running import SCHEDULE, workers
from crm.workspace.threads import in_thread

FREE_SHARE = 0.05  # of the disk that holds DATA_DIR
PATIENCE = 2.0  # seconds for each part


async def health(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one health question, past sessions and middleware."""
    if scope["path"] == "/health/live":
        await answer(send, 200, {"live": True})
    elif scope["path"] == "/health/ready":
        parts = await _parts()
        ready = all(state == "ok" for state in parts.values())
        await answer(send, 200 if ready else 503, {"ready": ready, **parts})
    else:
        await answer(send, 404, {"error": "There is /health/live and /health/ready."})


async def _parts() -> dict[str, str]:
    checks: dict[str, Callable[[], str]] = {"database": _database, "disk": _disk, "workers": _workers}
    if settings.REDIS_URL:
        checks["redis"] = _redis
    if workers().part != SCHEDULE:  # which reads nothing
        checks["triage"] = _triage
    states = await asyncio.gather(*(_in_time(check) for check in checks.values()))
    return dict(zip(checks, states, strict=True))


async def _in_time(check: Callable[[], str]) -> str:
    try:
        return await asyncio.wait_for(in_thread(check), PATIENCE)
    except TimeoutError:
        return f"failing: no answer within {PATIENCE:.0f} seconds"
    except Exception as error:  # noqa: BLE001  # whatever it is, the answer is that it is not ready
        return f"failing: {type(error).__name__}"


def _database() -> str:
    if not _is_migrated():
        return "migrations are missing"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


_seen_migrated = False


def _is_migrated() -> bool:
    """Looked up until it is so once: a process's own code does not change."""
    global _seen_migrated
    if not _seen_migrated:
        executor = MigrationExecutor(connection)
        _seen_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _seen_migrated


def _redis() -> str:
    _redis_client().ping()
    return "ok"


@functools.cache
def _redis_client() -> redis.Redis:
    client: redis.Redis = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    return client


def _disk() -> str:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return "ok" if usage.free > usage.total * FREE_SHARE else "nearly full"


def _triage() -> str:
    return "ok" if nlp.ready() else "loading: messages are shown and sorted in a moment"


def _workers() -> str:
    stalled = workers().stalled()
    return f"stalled: {', '.join(stalled)}" if stalled else "ok"


async def answer(send: Any, status: int, facts: dict[str, Any]) -> None:
    """Send `facts` as JSON."""
    body = json.dumps(facts).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
