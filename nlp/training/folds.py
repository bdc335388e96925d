"""Parts labelled messages so that each is read once by a pipeline that never saw it, nor a copy of it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from .corpora import Example, Written

FOLDS = 5
_NOT_WORD = re.compile(r"\W+")


def parted(written: Sequence[Written], seed: int, folds: int = FOLDS) -> Iterator[tuple[list[Written], list[Written]]]:
    """For each fold what may be learnt from, and what is scored. A conversation stays in one piece."""
    groups = sorted({one.group for one in written})
    random.Random(seed).shuffle(groups)
    fold_of = {group: place % folds for place, group in enumerate(groups)}
    for fold in range(folds):
        scored = [one for one in written if fold_of[one.group] == fold]
        yield [one for one in written if fold_of[one.group] != fold], scored


def without_twins(examples: Sequence[Example], scored: Sequence[Written]) -> list[Example]:
    """The examples whose words no scored message has: short ones are soon written twice."""
    known = {plain(one.example.text) for one in scored}
    return [one for one in examples if plain(one.text) not in known]


def plain(text: str) -> str:
    """A text's letters and digits; the text itself where it has none."""
    return _NOT_WORD.sub(" ", text.casefold()).strip() or text.strip()
