"""Which of the seven languages a text is in, from its letters and the languages it may be in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from ..grams import Rows, bucket
from ..lexicon import LANGUAGES
from ..linear import Linear, softmax
from ..words import tokens_of

UNKNOWN = "und"
_LATIN_SHARE = 0.5  # of a text's letters: below, it is in no language we know
_MOST_WORDS = 200  # the beginning tells


class LanguageGuess:
    """Writes `doc._.language` and `doc._.language_shares`. The prior is what the workspace mostly reads."""

    def __init__(self, prior: dict[str, float], latin_share: float = _LATIN_SHARE) -> None:
        self.prior, self.latin_share = prior, latin_share
        self.buckets = np.zeros(1, dtype=np.uint32)
        self.model = Linear(LANGUAGES, np.zeros((1, len(LANGUAGES)), np.float32), np.zeros(len(LANGUAGES), np.float32))
        self._rows: dict[str, Rows] = {}

    def __call__(self, doc: Doc) -> Doc:
        words = spelled(doc)
        doc._.language_shares = self.shares(words, doc._.languages) if self._latin(doc.text) else {}
        doc._.language = max(doc._.language_shares.items(), key=lambda item: item[1], default=(UNKNOWN, 0.0))[0]
        return doc

    def _latin(self, text: str) -> bool:
        letters = [sign for sign in text[:2000] if sign.isalpha()]
        return sum(sign < "ɐ" for sign in letters) > self.latin_share * len(letters)

    def shares(self, words: list[str], among: tuple[str, ...]) -> dict[str, float]:
        """How likely each language is; only those of `among`, if it names any we know."""
        rows = self.rows(words)
        if not len(rows):
            return {}
        logits = self.model.weights[rows].sum(axis=0) / np.sqrt(len(rows)) + self.model.bias
        allowed = [code for code in LANGUAGES if code in among] or list(LANGUAGES)
        prior = np.array([self.prior.get(code, 0.0) if code in allowed else -50.0 for code in LANGUAGES])
        return dict(zip(LANGUAGES, map(float, softmax(logits + prior)), strict=True))

    def look_at(self, buckets: NDArray[np.uint32]) -> None:
        """These letter groups count from now on, sorted. The model has to be learnt anew."""
        self.buckets, self._rows = buckets, {}

    def rows(self, words: list[str]) -> Rows:
        if len(self._rows) > 50_000:
            self._rows.clear()
        found = [self._known(word) for word in words[:_MOST_WORDS]]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    def _known(self, word: str) -> Rows:
        rows = self._rows.get(word)
        if rows is None:
            grams = letter_buckets(word)
            at = np.minimum(np.searchsorted(self.buckets, grams), len(self.buckets) - 1)
            rows = self._rows[word] = at[self.buckets[at] == grams].astype(np.int32)
        return rows

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path / "buckets.npz", buckets=self.buckets)
        self.model.save(path / "model.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> LanguageGuess:
        with np.load(path / "buckets.npz") as stored:
            self.look_at(stored["buckets"])
        self.model = Linear.load(path / "model.npz")
        return self


def spelled(doc: Doc) -> list[str]:
    """The words as spelled, accents kept: they tell languages apart. Links, mails and names of people do not."""
    return [token.lower() for token in tokens_of(doc) if _tells(token)]


@lru_cache(maxsize=50_000)
def _tells(token: str) -> bool:
    return token[0] not in "@#" and "@" not in token and "." not in token and any(map(str.isalpha, token))


@lru_cache(maxsize=50_000)
def letter_buckets(word: str) -> NDArray[np.uint32]:
    """The 1..4-grams of a word with its borders, and the word."""
    edged = f"<{word}>"
    grams = [edged[at : at + size] for size in (1, 2, 3, 4) for at in range(len(edged) - size + 1)]
    return np.array([bucket(gram, 2) for gram in grams] + [bucket(word, 3)], dtype=np.uint32)


@Language.factory(
    "crm_language",
    default_config={"prior": {"en": 1.5}, "latin_share": _LATIN_SHARE},
    assigns=["doc._.language", "doc._.language_shares"],
)
def make_language(nlp: Language, name: str, prior: dict[str, float], latin_share: float) -> LanguageGuess:
    return LanguageGuess(prior, latin_share)


for _name, _default in (("language", UNKNOWN), ("language_shares", {}), ("languages", ())):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=_default)
