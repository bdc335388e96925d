"""The command line: reads and measures messages, trains the pipeline and measures the training."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from .reading import Reading, Triage
from .serving import triage

_BATCH = 256  # lines read ahead


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that holds no message, and why."""

    line: int
    why: str


def main(arguments: list[str]) -> int:
    """The exit code: 0 when everything was read."""
    parser = argparse.ArgumentParser(prog="python -m nlp")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("triage", help="JSON lines in, JSON lines out")
    evaluate = commands.add_parser("evaluate", help="measure the shipped pipeline on a labelled file")
    evaluate.add_argument("file", type=Path)
    evaluate.add_argument("--json", action="store_true")
    train = commands.add_parser("train", help="train a pipeline and write it with its model card")
    train.add_argument("--data", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True)
    crossvalidate = commands.add_parser("crossvalidate", help="measure the training on messages it does not see")
    crossvalidate.add_argument("--data", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    if chosen.command == "triage":
        return triage_lines(sys.stdin.buffer)
    if chosen.command == "evaluate":
        return evaluate_file(chosen.file, as_json=chosen.json)
    if chosen.command == "crossvalidate":
        return crossvalidate_with(chosen.data)
    return train_into(chosen.data, chosen.out)


def triage_lines(lines: Iterable[bytes]) -> int:
    """One line out for each that is not blank. 1 when a line held no message."""
    read, failed = (_read(number, line) for number, line in enumerate(lines, start=1) if line.strip()), 0
    while batch := list(islice(read, _BATCH)):
        triages = iter(triage([one for one in batch if isinstance(one, Reading)]))
        for one in batch:
            if isinstance(one, Reading):
                print(json.dumps(as_answer(next(triages)), ensure_ascii=True))
                continue
            failed += 1
            print(json.dumps({"error": one.why}))
            print(f"line {one.line}: {one.why}", file=sys.stderr)
        sys.stdout.flush()
    return 1 if failed else 0


def _read(number: int, line: bytes) -> Reading | Unreadable:
    try:
        return _reading(json.loads(line))
    except (ValueError, RecursionError) as error:
        return Unreadable(number, str(error) or "not JSON")


def _reading(row: Any) -> Reading:
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ValueError("a line is an object with a text")
    named = {name: tuple(_texts(row, name)) for name in ("previous", "languages", "products")}
    at = row.get("at")
    if at is not None and not isinstance(at, str):
        raise ValueError("at is a time in ISO 8601")
    return Reading(row["text"], at=datetime.fromisoformat(at) if at else None, **named)


def _texts(row: dict[str, Any], name: str) -> Iterator[str]:
    named = row.get(name) or []
    texts = [named] if isinstance(named, str) else named
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} is a list of texts")
    yield from texts


def as_answer(read: Triage) -> dict[str, object]:
    """A triage as the command line and its readers know it."""
    return {
        "function": read.function,
        "functions": [{"function": name, "confidence": round(share, 4)} for name, share in read.functions],
        "intent": read.intent,
        "confidence": round(read.confidence, 4),
        "sentiment": read.sentiment,
        "sentiment_score": round(read.sentiment_score, 4),
        "urgency": read.urgency,
        "language": read.language,
        "entities": [list(entity) for entity in read.entities],
        "because": list(read.because),
    }


def evaluate_file(path: Path, *, as_json: bool) -> int:
    """The figures of a labelled file are printed."""
    from . import measuring  # not needed, and not loaded, by who only triages
    from .training.corpora import labelled

    told = labelled(path)
    read = triage([Reading(one.text, previous=one.previous) for one in told])
    pairs = [measuring.Pair(one, other) for one, other in zip(told, read, strict=True)]
    found = {**measuring.figures(pairs), **measuring.speed([one.text for one in told], triage)}
    print(
        json.dumps(found, indent=1)
        if as_json
        else "\n".join(f"{name:24} {value:9.3f}" for name, value in found.items())
    )
    return 0


def train_into(data: Path, out: Path) -> int:
    """The pipeline trained on `data` and its card are in `out`."""
    from .training.train import train  # not needed, and not loaded, by who only triages

    train(data, out, lambda line: print(line, file=sys.stderr, flush=True))
    return 0


def crossvalidate_with(data: Path) -> int:
    """The figures of a training on `data`, each message read by a pipeline that did not see it, are printed."""
    from .training.train import crossvalidate  # not needed, and not loaded, by who only triages

    print(crossvalidate(data, lambda line: print(line, file=sys.stderr, flush=True)))
    return 0
