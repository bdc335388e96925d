"""`/health/live` and `/health/ready`: for whoever watches the process. They name the failing part and nothing else."""

import json
import shutil
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

import nlp
from crm.workspace.threads import in_thread

FREE_SHARE = 0.05  # of the disk that holds DATA_DIR


async def health(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one health question, past sessions and middleware."""
    if scope["path"] == "/health/live":
        await _answer(send, 200, {"live": True})
    elif scope["path"] == "/health/ready":
        parts = await in_thread(_parts)
        ready = all(state == "ok" for state in parts.values())
        await _answer(send, 200 if ready else 503, {"ready": ready, **parts})
    else:
        await _answer(send, 404, {"error": "There is /health/live and /health/ready."})


def _parts() -> dict[str, str]:
    checks: dict[str, Callable[[], str]] = {"database": _database, "disk": _disk, "triage": _triage}
    return {name: check() for name, check in checks.items()}


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Exception as error:  # noqa: BLE001  # whatever it is, the answer is that it is not ready
        return f"failing: {type(error).__name__}"
    return "migrations are missing" if behind else "ok"


def _disk() -> str:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return "ok" if usage.free > usage.total * FREE_SHARE else "nearly full"


def _triage() -> str:
    return "ok" if nlp.ready() else "loading: messages are shown and sorted in a moment"


async def _answer(send: Any, status: int, facts: dict[str, Any]) -> None:
    body = json.dumps(facts).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
