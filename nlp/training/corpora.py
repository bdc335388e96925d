"""Reads the corpora's files into examples. The files' fields and licences are described beside them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

DEV = "triage_dev.jsonl"
TURNS = "conversations_train.jsonl"
HAND_WRITTEN = (*(f"triage_train_{letter}.jsonl" for letter in "abcde"), DEV)
TWEETS = "test_tweeteval2017.jsonl.gz"  # for measuring only
_DEV_WEIGHT = 3.0  # it looks like real traffic, the others are harder
_TURN_WEIGHT = 2.0  # nothing else shows fragments
_NONE_SOURCES = {"sms_spam": 250, "ms_chitchat": 250}  # how many texts of each teach what nobody has to answer
_INTENT_OF_SOURCE = {"sms_spam": "spam", "ms_chitchat": "chit_chat"}


@dataclass(frozen=True, slots=True)
class Example:
    """A text with what people said about it; None where nobody did."""

    text: str
    language: str
    functions: tuple[str, ...] = ()  # main first; empty: none
    acceptable: tuple[str, ...] = ()  # answers that count as right, the best first
    intent: str | None = None
    sentiment: int | None = None
    urgency: int | None = None
    entities: tuple[tuple[str, str], ...] | None = None
    previous: tuple[str, ...] = ()
    weight: float = 1.0

    @property
    def function(self) -> str:
        return self.functions[0] if self.functions else "none"


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file, packed or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def labelled(path: Path) -> list[Example]:
    """The examples of a hand-written file, in its order."""
    return [_example(row) for row in rows(path)]


def _example(row: dict[str, Any]) -> Example:
    main = (row["function"],) if row["function"] != "none" else ()
    return Example(
        text=row["text"],
        language=row["lang"],
        functions=tuple(row.get("functions", main)),
        acceptable=tuple(row.get("acceptable") or row.get("functions") or (row["function"],)),
        intent=row.get("intent"),
        sentiment=row.get("sentiment"),
        urgency=row.get("urgency"),
        entities=tuple((kind, text) for kind, text in row["entities"]) if "entities" in row else None,
        previous=tuple(row.get("previous", ())),
    )


@dataclass(frozen=True, slots=True)
class Written:
    """A hand-written example, the file it stands in, and what must not be parted from it: its conversation."""

    example: Example
    file: str
    group: str
    opens: str | None = None  # of a conversation's turn: the kind of record it opens, or "none"


def hand_written(folder: Path) -> list[Written]:
    """All labelled messages of the data folder's own authors, and their conversations' turns."""
    told = [
        Written(_weighted(example, name), name, f"{name} {place}")
        for name in HAND_WRITTEN
        for place, example in enumerate(labelled(folder / name))
    ]
    return [*told, *turns(folder)]


def _weighted(example: Example, file: str) -> Example:
    return replace(example, weight=_DEV_WEIGHT) if file == DEV else example


def turns(folder: Path) -> Iterator[Written]:
    """What customers say in the written conversations, each with what they had said before."""
    for conversation in rows(folder / TURNS):
        said: list[str] = []
        for turn in (turn for turn in conversation["turns"] if turn["from"] == "customer"):
            row = {"lang": conversation["lang"], **turn, "previous": said[-3:]}
            example = replace(_example(row), weight=_TURN_WEIGHT)
            yield Written(example, TURNS, conversation["id"], turn["opens_record"])
            said.append(turn["text"])


def nothing_asked(folder: Path, seed: int) -> list[Example]:
    """A few hundred public texts that no company has to act on, always the same for one seed."""
    pools: dict[str, list[Example]] = {source: [] for source in _NONE_SOURCES}
    for row in rows(folder / "intents.jsonl.gz"):
        if row["source"] in pools and row.get("function") == "none":
            intent = (
                _INTENT_OF_SOURCE[row["source"]] if row["source"] != "sms_spam" or "spam" in row["intent"] else None
            )
            pools[row["source"]].append(
                Example(row["text"], row["lang"], acceptable=("none",), intent=intent, weight=0.5)
            )
    choose = random.Random(seed)
    return [one for source, pool in pools.items() for one in choose.sample(pool, min(len(pool), _NONE_SOURCES[source]))]


def rated(folder: Path) -> list[Example]:
    """Tweets rated bad, neutral or good; the forum comments are left out, they rate another thing."""
    return [
        Example(row["text"], row["lang"], sentiment=row["sentiment"])
        for row in rows(folder / "sentiment.jsonl.gz")
        if row["source"] != "goemotions"
    ]


def tweets(folder: Path) -> list[Example]:
    """The posts of TweetEval's test part. Never for training."""
    return [Example(row["text"], "en", sentiment=row["sentiment"]) for row in rows(folder / TWEETS)]


def in_languages(folder: Path) -> list[Example]:
    """Sentences whose language is known."""
    return [Example(row["text"], row["lang"]) for row in rows(folder / "langid.jsonl.gz")]
