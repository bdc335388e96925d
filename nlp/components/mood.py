"""How public posts with such words were rated: a score from the tweet corpora, one signal of the sentiment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..feelings import Feelings
from ..grams import Features, Vocabulary
from ..labels import MOODS
from ..linear import Linear, softmax

_CUE = 0.5  # how loud the lexicon speaks beside the words: they age faster than it does


class Mood:
    """Writes `doc._.mood`: the shares of bad, neutral and good."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary(np.zeros(1, dtype=np.uint32), np.zeros(1, dtype=np.float32))
        self.feelings = Feelings()
        self.model = Linear.nothing(MOODS)

    def __call__(self, doc: Doc) -> Doc:
        doc._.mood = softmax(self.model.logits(self.features(doc)))
        return doc

    def features(self, doc: Doc) -> Features:
        """The text's words, what they feel, and the groups of the lexicon they call up."""
        shown = [*sorted({hit.group for hit in doc._.cues}), *self.feelings.of(doc._.words)]
        return self.vocabulary.features(doc._.words, [(one, _CUE) for one in shown])

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.vocabulary.save(path / "vocabulary.npz")
        self.feelings.save(path / "feelings.json")
        self.model.save(path / "model.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> Mood:
        if (path / "feelings.json").exists():  # pipelines made before 2.1 have none, and no weights for it
            self.feelings = Feelings.load(path / "feelings.json")
        self.vocabulary, self.model = Vocabulary.load(path / "vocabulary.npz"), Linear.load(path / "model.npz")
        return self


@Language.factory("crm_mood", assigns=["doc._.mood"], requires=["doc._.words", "doc._.cues"])
def make_mood(nlp: Language, name: str) -> Mood:
    return Mood()


if not Doc.has_extension("mood"):
    Doc.set_extension("mood", default=None)
