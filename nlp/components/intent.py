"""What exactly a text wants: the likeliest intent among those of its function."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ..labels import FUNCTIONS, INTENTS
from ..linear import Linear


class IntentOfText:
    """Writes `doc._.intent`, always one of the main function's. Each function has a model of its own."""

    def __init__(self) -> None:
        self.models = {name: Linear.nothing(INTENTS[name]) for name in FUNCTIONS}

    def __call__(self, doc: Doc) -> Doc:
        function = max(FUNCTIONS, key=lambda name: doc._.function_shares.get(name, 0.0))
        model = self.models[function]
        doc._.intent = model.labels[int(model.logits(doc._.features).argmax())]
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        for name, model in self.models.items():
            model.save(path / f"{name}.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> IntentOfText:
        self.models = {name: Linear.load(path / f"{name}.npz") for name in FUNCTIONS}
        return self


@Language.factory("crm_intent", assigns=["doc._.intent"], requires=["doc._.features", "doc._.function_shares"])
def make_intent(nlp: Language, name: str) -> IntentOfText:
    return IntentOfText()


if not Doc.has_extension("intent"):
    Doc.set_extension("intent", default="off_topic")
