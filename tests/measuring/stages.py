"""Where the time of one message goes, measured inside one process without a server: the profile behind the figures.

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

MESSAGES = 60


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
    one = _way_of_a_message()
    for number in range(1, 21):
        one(number)
    times = [one(number) for number in range(21, 21 + MESSAGES)]
    profile = cProfile.Profile()
    profile.runcall(lambda: [one(number) for number in range(1000, 1000 + MESSAGES)])
    stored, taken, rendered = (round(statistics.median(stage) * 1000, 2) for stage in zip(*times, strict=True))
    shares = _shares(pstats.Stats(profile))
    print(json.dumps({"store_ms": stored, "take_in_ms": taken, "render_ms": rendered, **shares}))


def _way_of_a_message() -> Any:
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

    def one(number: int) -> tuple[float, float, float]:
        body = json.dumps(update(number, 700 + number % 20, f"Where is my order {number}?")).encode()
        head, began = fragments.head_of(workspace), time.perf_counter()
        store([Arrival(inbox, str(number), body)])
        stored = time.perf_counter()
        take_in_all(inbox)
        taken = time.perf_counter()
        fragments.since(workspace, head)
        return stored - began, taken - stored, time.perf_counter() - taken

    return one


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
