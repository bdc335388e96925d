"""Words, word pairs and character n-grams as hashed features, without a dictionary to ship.

A feature is a bucket of 2**20; a `Vocabulary` keeps the buckets that training saw often enough, with their weight
(idf), and turns words into rows of a model's matrix. Rows of a word are remembered, so a known word costs a look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from murmurhash import mrmr
from numpy.typing import NDArray

Rows = NDArray[np.int32]
Values = NDArray[np.float32]
BUCKETS = 2**20
_REMEMBERED = 30_000


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
    return list(dict.fromkeys(f"{left} {right}" for left, right in zip(words, words[1:], strict=False)))


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
        self._cue_rows = {cue: len(buckets) + at for at, cue in enumerate(cues)}
        self._known: dict[str, tuple[Rows, Values, float]] = {}

    @property
    def size(self) -> int:
        return len(self.buckets) + len(self.cues)

    def features(self, words: list[str], cues: list[tuple[str, float]]) -> Features:
        """Words with their pairs, then characters (each of length one as a vector), then the cues that fired."""
        distinct = list(dict.fromkeys(words))
        pairs = pairs_of(words)
        whole = [self._rows(name, "w") for name in distinct] + [self._rows(name, "w") for name in pairs]
        inner = [self._rows(name, "c") for name in distinct]
        known = [(name, self._cue_rows[name], value) for name, value in cues if name in self._cue_rows]
        rows = [part[0] for part in (*whole, *inner)] + [np.array([row for _, row, _ in known], dtype=np.int32)]
        values = [*_unit(whole), *_unit(inner), np.array([value for *_, value in known], dtype=np.float32)]
        sources = (*distinct, *pairs, *distinct, *(f"cue:{name}" for name, *_ in known))
        counts = (*(len(part[0]) for part in (*whole, *inner)), *(1 for _ in known))
        return Features(np.concatenate(rows), np.concatenate(values), sources, counts)

    def _rows(self, name: str, kind: str) -> tuple[Rows, Values, float]:
        key = kind + name
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 4 * _REMEMBERED:
                self._known.clear()
            buckets = character_buckets(name) if kind == "c" else np.array([bucket(name, 0)], dtype=np.uint32)
            found = self._known[key] = self._looked_up(buckets)
        return found

    def _looked_up(self, buckets: NDArray[np.uint32]) -> tuple[Rows, Values, float]:
        at = np.minimum(np.searchsorted(self.buckets, buckets), len(self.buckets) - 1)
        rows = at[self.buckets[at] == buckets].astype(np.int32)
        values = self.weights[rows]
        return rows, values, float(values @ values)

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path, buckets=self.buckets, weights=self.weights.astype(np.float16), cues=np.array(self.cues)
        )

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        with np.load(path) as stored:
            return cls(stored["buckets"], stored["weights"].astype(np.float32), tuple(map(str, stored["cues"])))


def _unit(parts: list[tuple[Rows, Values, float]]) -> list[Values]:
    length = sum(square for *_, square in parts) ** 0.5 or 1.0
    return [values / np.float32(length) for _, values, _ in parts]
