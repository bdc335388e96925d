"""Reads `messages/`: short everyday messages written for this project, beside the harder ones of the data folder.

A section `@function intent mood urgency` holds one message a line. Elsewhere a line says its labels itself:
`s-2|text` is support, a bad mood, urgency 2; b sales, m marketing, n none; a calm mood, the usual urgency and
English go unsaid; `s-3 es|text` is Spanish.

`corners/` holds as many more in the same lines, from the odd corners of two hundred trades: they count less, since
everyday traffic is plainer, and teach only who acts. Their moods and urgencies were not judged again by anybody.

`talks/` holds conversations in the same lines: what one customer says, turn by turn, up to a blank line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..labels import INTENTS, NONE
from .corpora import Example

FOLDER = Path(__file__).parent / "messages"
CORNERS = Path(__file__).parent / "corners"
TALKS = Path(__file__).parent / "talks"
_KNOWN = 3  # turns before one that it is read with
TALK_WEIGHT = 1.0  # louder, they drown the data folder's conversations
WEIGHT = 3.0  # of a message of the data folder: they are nearer to real traffic
CORNER_WEIGHT = 1.0  # louder, they take from plain messages what they give to odd ones
_SECTION = re.compile(r"@(\w+) (\w+) (-1|0|1) ([0-3])")
_LABELLED = re.compile(r"([sbmn])([+-]?)([0-3]?)(?: ([a-z]{2}))?\|(.+)")
_FUNCTION = {"s": "support", "b": "sales", "m": "marketing", "n": NONE}
_MOOD = {"-": -1, "": 0, "+": 1}


def own_messages() -> list[Example]:
    """Every message of the folder, in the order of its files. Raises ValueError for a line without labels."""
    return [one for path in sorted(FOLDER.glob("*.txt")) for one in _messages(path)]


def corner_messages() -> list[Example]:
    """Every message from the corners, in the order of its files, with what it asks. Raises as `own_messages`."""
    read = (one for path in sorted(CORNERS.glob("*.txt")) for one in _messages(path))
    return [replace(one, sentiment=None, urgency=None, weight=CORNER_WEIGHT) for one in read]


def own_talks() -> list[list[Example]]:
    """Every conversation, its turns in order, each with what was said before. Raises ValueError as `own_messages`."""
    blocks = [block for path in sorted(TALKS.glob("*.txt")) for block in _blocks(path)]
    return [[replace(one, previous=tuple(_said(block[:at]))) for at, one in enumerate(block)] for block in blocks]


def _blocks(path: Path) -> Iterator[list[Example]]:
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        found = [_LABELLED.fullmatch(line.strip()) for line in block.splitlines() if line.strip()]
        if None in found:
            raise ValueError(f"{path.name}: a line without labels in {block[:60]!r}")
        yield [_turn(line) for line in found if line]


def _turn(line: re.Match[str]) -> Example:
    """A turn of a talk. A mood that goes unsaid is not calm there but unknown: fragments say little of it."""
    read = _by_itself(line)
    return replace(read, sentiment=read.sentiment or None, weight=TALK_WEIGHT)


def _said(turns: Sequence[Example]) -> list[str]:
    return [one.text for one in turns[-_KNOWN:]]


def _messages(path: Path) -> Iterator[Example]:
    section: re.Match[str] | None = None
    for line in map(str.strip, path.read_text(encoding="utf-8").splitlines()):
        if not line or line.startswith("# "):
            continue
        if started := _SECTION.fullmatch(line):
            section = _checked(started, path)
        elif labelled := _LABELLED.fullmatch(line):
            yield _by_itself(labelled)
        elif section:
            function, intent, mood, urgency = section.groups()
            yield _example(line, function, intent, int(mood), int(urgency))
        else:
            raise ValueError(f"{path.name}: no labels for {line!r}")


def _checked(section: re.Match[str], path: Path) -> re.Match[str]:
    if section[2] not in INTENTS.get(section[1], ()):
        raise ValueError(f"{path.name}: {section[1]} has no intent {section[2]}")
    return section


def _by_itself(line: re.Match[str]) -> Example:
    letter, mood, urgency, language, text = line.groups()
    function = _FUNCTION[letter]
    level = int(urgency) if urgency else int(function != NONE)
    return _example(text, function, None, _MOOD[mood], level, language or "en")


def _example(text: str, function: str, intent: str | None, mood: int, urgency: int, language: str = "en") -> Example:
    asked = (function,) if function != NONE else ()
    return Example(text, language, asked, (function,), intent=intent, sentiment=mood, urgency=urgency, weight=WEIGHT)
