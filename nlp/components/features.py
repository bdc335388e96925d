"""A text as numbers, once for all models that read it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..grams import Features, Vocabulary
from ..signals import signals

_BEFORE = 0.8  # how loud earlier messages speak in a fragment


class FeaturesOfText:
    """Writes `doc._.features` from words and signals, and from those of `doc._.before`, the talk so far."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary(np.zeros(1, dtype=np.uint32), np.zeros(1, dtype=np.float32))

    def of(self, doc: Doc) -> Features:
        """What the text shows by itself."""
        return self.vocabulary.features(doc._.words, signals(doc))

    def __call__(self, doc: Doc) -> Doc:
        features = self.of(doc)
        doc._.features = features if doc._.before is None else features.after(doc._.before, _BEFORE)
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.vocabulary.save(path / "vocabulary.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> FeaturesOfText:
        self.vocabulary = Vocabulary.load(path / "vocabulary.npz")
        return self


@Language.factory("crm_features", assigns=["doc._.features"], requires=["doc._.words", "doc._.cues"])
def make_features(nlp: Language, name: str) -> FeaturesOfText:
    return FeaturesOfText()


for _name in ("features", "before"):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=None)
