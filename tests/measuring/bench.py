"""What the product does on this machine, as ratios to floors of the same run.

    bin/bench [--messages 300] [--large 1000000] [--json FILE] [--write]

Figures are of a shared machine: read the ratios. `--write` puts them into docs/benchmarks.md.
"""

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.installation import ROOT, Installation
from tests.measuring import footprint, path, stages, usable, volume

SMALL = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; with --json also write the figures, with --write the page."""
    options = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    options.add_argument("--messages", type=int, default=300)
    options.add_argument("--large", type=int, default=1_000_000, help="messages behind the large inbox list")
    options.add_argument("--json", type=Path)
    options.add_argument("--write", action="store_true")
    wanted = options.parse_args(arguments)
    figures = measure(wanted.messages, wanted.large)
    page = as_text(figures)
    print(page)
    if wanted.json:
        wanted.json.write_text(json.dumps(figures, indent=2) + "\n")
    if wanted.write:
        (ROOT / "docs/benchmarks.md").write_text(page)
    return 0


def measure(messages: int, large: int) -> dict[str, Any]:
    """Every figure, with a word on what is being measured."""
    with Installation() as place:
        _say(f"the way of {messages} messages, the product and its floor in turn …")
        figures = path.measure(place, messages)
        _say("memory, sockets, cold start …")
        figures |= footprint.measure(place)
        figures |= volume.pages_weigh(place) | usable.measure(place)
        _say(f"the inbox list at {SMALL:,} and {large:,} messages …")
        figures |= volume.measure(place, (SMALL, large))
    _say("triage …")
    return figures | footprint.triage_speed() | stages.measure()


def _say(what: str) -> None:
    print(f"measuring {what}", file=sys.stderr, flush=True)


def as_text(figures: dict[str, Any]) -> str:
    """The page: a table of each figure, its goal and its floor."""
    product, floor, half = figures["webhook_to_socket_ms"], figures["floor_ms"], figures["half_load_ms"]
    rows = [
        (
            "webhook to agent socket, idle, ms p50 / p95 / p99",
            _three(product),
            "6 / – / 20",
            f"{_three(floor)} floor: insert, commit, push",
        ),
        (
            "the same as a ratio to the floor",
            _ratios(product, floor),
            "",
            "",
        ),
        ("the same at half of the sustained rate, ms", _three(half), "", ""),
        (
            "webhook acknowledged at half of the sustained rate, ms p50 / p95 / p99",
            _three(figures["acknowledged_ms"]),
            "– / – / 3 times the floor, and 300",
            f"{_three(figures['floor_acknowledged_ms'])} floor: insert, commit, answer; "
            f"{_three(figures['insert_and_commit_ms'])} insert and commit alone",
        ),
        (
            "the same as a ratio to the floor",
            _ratios(figures["acknowledged_ms"], figures["floor_acknowledged_ms"]),
            "",
            "",
        ),
        (
            "sustained messages a second, triaged, routed and shown",
            figures["sustained_per_second"],
            "250",
            f"{figures['floor_per_second']} floor",
        ),
        ("CPU per message, ms", figures["cpu_ms_per_message"], "4", ""),
        (
            "triage, texts a second, one by one / batched",
            " / ".join(map(str, figures["triage_per_second"].values())),
            "",
            "",
        ),
        *(
            (f"inbox list at {int(size):,} messages, ms p50 / p95 / p99", _three(times), "", "")
            for size, times in figures["list_ms"].items()
        ),
        ("the same, large to small", figures["ratio"], "1.3", ""),
        ("memory at rest with the pipeline, MiB", figures["rest_mib"], "300", ""),
        ("memory of an idle agent socket, KiB", figures["socket_kib"], "45", ""),
        (
            "cold start to the first answer / to triage, s",
            f"{figures['cold_start_s']['live']} / {figures['cold_start_s']['ready']}",
            "",
            "",
        ),
        (
            "inbox page with all it loads, compressed, KiB",
            figures["page_wire_kib"],
            "150",
            f"{figures['page_requests']} requests",
        ),
        ("inbox page usable in a cold browser, s", figures["usable_s"], "0.5", ""),
    ]
    lines = [f"| {what} | {found} | {goal} | {beside} |" for what, found, goal, beside in rows]
    return "\n".join([*_head(figures), *lines, "", *_why(figures["stages"]), ""])


def _why(stages: dict[str, Any]) -> list[str]:
    """The profile behind the first figures: where the time of one message goes."""
    stored, taken, rendered = stages["alone_ms"]
    stored_many, taken_many, rendered_many = stages["in_a_batch_ms"]
    return [
        "## Where the time of a message goes",
        "",
        "Inside one process, without the server, medians in ms a message: stored, taken in with triage and routing,",
        f"and rendered for the tabs it costs {stored}, {taken} and {rendered} alone, "
        f"and {stored_many}, {taken_many} and {rendered_many} in a batch of {stages['batch']}.",
        f"Alone it takes {stages['statements']} statements. Of the profiled time the ORM spends "
        f"{stages['share_writing_sql']:.0%} on writing SQL, the database {stages['share_running_sql']:.0%} on running "
        f"it and {stages['share_commit']:.0%} on committing; triage is {stages['share_triage']:.0%}.",
        "A batch writes its SQL once, so under load a message costs a fraction. What is left there is Python, in about",
        "equal parts: reading the text, filling templates for the tabs, making rows. One process has one interpreter",
        "lock, so these add up, whatever the number of cores.",
    ]


def _ratios(product: dict[str, float], floor: dict[str, float]) -> str:
    return " / ".join(f"{product[name] / floor[name]:.1f}" for name in product)


def _three(times: dict[str, float]) -> str:
    return " / ".join(f"{times[name]:.1f}" for name in ("p50", "p95", "p99"))


def _head(figures: dict[str, Any]) -> list[str]:
    return [
        "# Benchmarks",
        "",
        f"Written by `bin/bench --write` on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{figures['messages']} messages a figure, embedded (one process, SQLite).",
        "The machine is shared, so absolute figures are upper bounds: read the ratios to the floor of the same run.",
        "",
        "| what | found | goal | beside it |",
        "|---|---|---|---|",
    ]


if __name__ == "__main__":
    sys.exit(main())
