"""What exactly a text wants: the likeliest intent among those of its function."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..labels import ALL_INTENTS, FUNCTIONS, INTENTS
from ..linear import Linear

_PLACES = {name: np.array([ALL_INTENTS.index(intent) for intent in INTENTS[name]]) for name in FUNCTIONS}


class IntentOfText:
    """Writes `doc._.intent`, always one of the main function's."""

    def __init__(self) -> None:
        self.model = Linear.nothing(ALL_INTENTS)

    def __call__(self, doc: Doc) -> Doc:
        function = max(FUNCTIONS, key=lambda name: doc._.function_shares.get(name, 0.0))
        logits = self.model.logits(doc._.features)[_PLACES[function]]
        doc._.intent = INTENTS[function][int(logits.argmax())]
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.model.save(path / "model.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> IntentOfText:
        self.model = Linear.load(path / "model.npz")
        return self


@Language.factory("crm_intent", assigns=["doc._.intent"], requires=["doc._.features", "doc._.function_shares"])
def make_intent(nlp: Language, name: str) -> IntentOfText:
    return IntentOfText()


if not Doc.has_extension("intent"):
    Doc.set_extension("intent", default="off_topic")
