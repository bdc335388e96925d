"""How soon somebody has to act: the model's level, raised by the safety cues."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ..labels import URGENCIES
from ..linear import Linear, softmax

NOW = 3
ALARMS = frozenset({"alarm", "theft_now"})  # groups of the lexicon that page a human by themselves


class UrgencyOfText:
    """Writes `doc._.urgency`: 0 nobody acts, 1 normal, 2 today, 3 now."""

    def __init__(self) -> None:
        self.model = Linear.nothing(URGENCIES)

    def __call__(self, doc: Doc) -> Doc:
        alarmed = any(hit.group in ALARMS for hit in doc._.cues)
        doc._.urgency = NOW if alarmed else int(softmax(self.model.logits(doc._.features)).argmax())
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.model.save(path / "model.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> UrgencyOfText:
        self.model = Linear.load(path / "model.npz")
        return self


@Language.factory("crm_urgency", assigns=["doc._.urgency"], requires=["doc._.features", "doc._.cues"])
def make_urgency(nlp: Language, name: str) -> UrgencyOfText:
    return UrgencyOfText()


if not Doc.has_extension("urgency"):
    Doc.set_extension("urgency", default=0)
