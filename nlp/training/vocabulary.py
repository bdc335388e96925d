"""Chooses which hashed features a model keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..grams import BUCKETS, Vocabulary, bucket, character_buckets, pairs_of


def vocabulary_of(texts: list[list[str]], *, least: int, most: int, cues: tuple[str, ...] = ()) -> Vocabulary:
    """The `most` buckets that stand in at least `least` texts, rarer ones weighing more."""
    seen = np.zeros(BUCKETS, np.int32)
    for words in texts:
        seen[buckets_of(words)] += 1
    return Vocabulary(*_kept(seen, len(texts), least, most), cues)


def buckets_of(words: list[str]) -> NDArray[np.int64]:
    """Every bucket of a text, once."""
    whole = [bucket(name, 0) for name in (*dict.fromkeys(words), *pairs_of(words))]
    inner = [character_buckets(word) for word in dict.fromkeys(words)]
    return np.unique(np.concatenate([np.array(whole, np.int64), *inner])) if words else np.zeros(0, np.int64)


def _kept(seen: NDArray[np.int32], texts: int, least: int, most: int) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    found = np.flatnonzero(seen >= least)
    found = np.sort(found[np.argsort(-seen[found], kind="stable")[:most]])
    weights = 1.0 + np.log((texts + 1.0) / (seen[found] + 1.0))
    return found.astype(np.uint32), weights.astype(np.float32)


def names_seen(signals: Iterable[list[tuple[str, float]]], least: int) -> tuple[str, ...]:
    """The named signals that stand in at least `least` texts, sorted."""
    counts = Counter(name for named in signals for name in {name for name, _ in named})
    return tuple(sorted(name for name, count in counts.items() if count >= least))
