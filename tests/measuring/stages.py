"""Where the time of a message goes, alone and in a batch, measured in one process without a server: the profile behind
the figures.

python -m tests.measuring.stages      prints one line of JSON
"""

import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.installation import BOT_TOKEN, ROOT, update

MESSAGES, BATCH, BATCHES = 60, 64, 6


def measure() -> dict[str, Any]:
    """Milliseconds per stage and statements per message, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "project.settings"}
        command = [sys.executable, "-m", "tests.measuring.stages"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return {"stages": json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    go = _way_of_messages()
    for number in range(1, 21):
        go(number)
    alone = _medians([go(number) for number in range(21, 21 + MESSAGES)])
    profile = cProfile.Profile()
    profile.runcall(lambda: [go(number) for number in range(1000, 1000 + MESSAGES)])
    batch = _medians([go(2000 + number * BATCH, BATCH) for number in range(BATCHES)])
    print(json.dumps({"alone_ms": alone, "in_a_batch_ms": batch, "batch": BATCH, **_shares(pstats.Stats(profile))}))


def _medians(times: list[tuple[float, ...]]) -> list[float]:
    """Milliseconds a message: stored, taken in, rendered."""
    return [round(statistics.median(stage) * 1000, 2) for stage in zip(*times, strict=True)]


def _way_of_messages() -> Any:
    import nlp
    from channels_adapters import connections
    from channels_adapters.workers.intake import Arrival, store
    from channels_adapters.workers.taking_in import take_in_all
    from conversations.live import fragments
    from crm.models import Workspace

    nlp.load()
    workspace = Workspace.objects.create(name="Measured")
    given = {"bot_token": BOT_TOKEN, "mode": "webhook"}
    inbox = connections.connect(workspace, "telegram", name="Measured", given=given)

    def go(first: int, count: int = 1) -> tuple[float, ...]:
        """`count` messages at once: the seconds of each stage, a message."""
        numbers = range(first, first + count)
        said = [update(number, 700 + number % 20, f"Where is my order {number}?") for number in numbers]
        arrivals = [Arrival(inbox, str(each["update_id"]), json.dumps(each).encode()) for each in said]
        head, began = fragments.head_of(workspace), time.perf_counter()
        store(arrivals)
        stored = time.perf_counter()
        take_in_all(inbox)
        taken = time.perf_counter()
        fragments.since(workspace, head)
        stages = stored - began, taken - stored, time.perf_counter() - taken
        return tuple(stage / count for stage in stages)

    return go


def _shares(stats: pstats.Stats) -> dict[str, Any]:
    """Shares of the profiled time: writing SQL, running it, committing, triage; and the statements per message."""
    total, calls = stats.total_tt, stats.stats  # type: ignore[attr-defined]  # pstats ships without these names

    def spent(name: str, place: str, column: int = 3) -> float:
        found = [row for (file, _line, function), row in calls.items() if function == name and place in file]
        return sum(row[column] for row in found)

    builtin = {key[2]: row for key, row in calls.items() if key[0] == "~"}
    commits = sum(row[3] for name, row in builtin.items() if "'commit' of 'sqlite3" in name)
    executes = [row for name, row in builtin.items() if "SQLiteCursorWrapper" in name]
    return {
        "share_writing_sql": round(spent("as_sql", "compiler.py") / total, 2),
        "share_running_sql": round(sum(row[3] for row in executes) / total, 2),
        "share_commit": round(commits / total, 2),
        "share_triage": round(spent("triage", "serving.py") / total, 2),
        "statements": round(sum(row[0] for row in executes) / MESSAGES, 1),
    }


if __name__ == "__main__":
    main()
