"""Words, word pairs and character n-grams as hashed features, without a dictionary to ship.

A feature is a bucket of 2**20; a `Vocabulary` keeps the buckets that training saw often enough, with their weight
(idf), and turns words into rows of a model's matrix. Rows of a word are remembered, so a known word costs a look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, pairwise
from pathlib import Path

import numpy as np
from murmurhash import mrmr
from numpy.typing import NDArray

Rows = NDArray[np.int32]
Values = NDArray[np.float32]
BUCKETS = 2**20
_REMEMBERED = 30_000
_NO_ROWS = np.zeros(0, dtype=np.int32)


def bucket(feature: str, seed: int) -> int:
    """The bucket of a feature; the seed keeps kinds of features apart."""
    return int(mrmr.hash_unicode(feature, seed)) & (BUCKETS - 1)


@lru_cache(maxsize=_REMEMBERED)
def character_buckets(word: str) -> NDArray[np.uint32]:
    """The distinct 2..5-grams of a word with its borders."""
    edged = f"<{word}>"
    grams = {edged[at : at + size] for size in (2, 3, 4, 5) for at in range(len(edged) - size + 1)}
    return np.array(sorted({bucket(gram, 1) for gram in grams}), dtype=np.uint32)


def pairs_of(words: list[str]) -> list[str]:
    """The distinct neighbours of a text, in order."""
    return list(dict.fromkeys(f"{left} {right}" for left, right in pairwise(words)))


@dataclass(frozen=True, slots=True)
class Features:
    """A text as rows of a matrix: which rows, with what value, and which of `sources` each came from."""

    rows: Rows
    values: Values
    sources: tuple[str, ...]
    counts: tuple[int, ...]  # how many rows each source gave, in order

    def after(self, before: Features, loudness: float) -> Features:
        """These features and, more quietly and without a name, those of an earlier text."""
        rows = np.concatenate((self.rows, before.rows))
        values = np.concatenate((self.values, before.values * np.float32(loudness)))
        return Features(rows, values, (*self.sources, ""), (*self.counts, len(before.rows)))


class Vocabulary:
    """Which buckets count, with their weight. `cues` are named features beside the hashed ones."""

    def __init__(self, buckets: NDArray[np.uint32], weights: Values, cues: tuple[str, ...] = ()) -> None:
        self.buckets, self.weights, self.cues = buckets, weights, cues
        self._row_of = np.full(BUCKETS, -1, np.int32)  # a table: one look-up a feature, where a search costs ten
        self._row_of[buckets] = np.arange(len(buckets), dtype=np.int32)
        self._cue_rows = {cue: len(buckets) + at for at, cue in enumerate(cues)}
        self._known: dict[str, Rows] = {}

    @property
    def size(self) -> int:
        return len(self.buckets) + len(self.cues)

    def with_cues(self, names: tuple[str, ...]) -> Vocabulary:
        """The same vocabulary with more named features after all others."""
        return Vocabulary(self.buckets, self.weights, (*self.cues, *names))

    def features(self, words: list[str], cues: list[tuple[str, float]]) -> Features:
        """Words with their pairs, then characters (each of length one as a vector), then the cues that fired."""
        distinct = list(dict.fromkeys(words))
        names = distinct + pairs_of(words)
        rows = self._row_of[[bucket(name, 0) for name in names]] if names else _NO_ROWS
        kept = rows >= 0
        inner = [self._inside(word) for word in distinct]
        whole, letters = rows[kept], np.concatenate([_NO_ROWS, *inner])
        known = [(name, self._cue_rows[name], value) for name, value in cues if name in self._cue_rows]
        return Features(
            np.concatenate((whole, letters, np.array([row for _, row, _ in known], dtype=np.int32))),
            np.concatenate((self._unit(whole), self._unit(letters), np.array([one[2] for one in known], np.float32))),
            (*compress(names, kept.tolist()), *distinct, *(f"cue:{name}" for name, *_ in known)),
            (*([1] * len(whole)), *map(len, inner), *([1] * len(known))),
        )

    def _unit(self, rows: Rows) -> Values:
        values = self.weights[rows]
        return values / np.float32(float(values @ values) ** 0.5 or 1.0)

    def _inside(self, word: str) -> Rows:
        """The rows of a word's characters."""
        found = self._known.get(word)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            rows = self._row_of[character_buckets(word)]
            found = self._known[word] = rows[rows >= 0]
        return found

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path, buckets=self.buckets, weights=self.weights.astype(np.float16), cues=np.array(self.cues)
        )

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        with np.load(path) as stored:
            return cls(stored["buckets"], stored["weights"].astype(np.float32), tuple(map(str, stored["cues"])))
