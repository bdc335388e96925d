"""The writer's mood toward the company."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ..labels import MOODS
from ..linear import Linear, softmax


class SentimentOfText:
    """Writes `doc._.sentiment` (-1, 0, 1) and `doc._.sentiment_score`: the share of good minus that of bad."""

    def __init__(self) -> None:
        self.model = Linear.nothing(MOODS)

    def __call__(self, doc: Doc) -> Doc:
        shares = softmax(self.model.logits(doc._.features))
        doc._.sentiment = int(shares.argmax()) - 1
        doc._.sentiment_score = float(shares[2] - shares[0])
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.model.save(path / "model.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> SentimentOfText:
        self.model = Linear.load(path / "model.npz")
        return self


@Language.factory("crm_sentiment", assigns=["doc._.sentiment", "doc._.sentiment_score"], requires=["doc._.features"])
def make_sentiment(nlp: Language, name: str) -> SentimentOfText:
    return SentimentOfText()


for _name, _default in (("sentiment", 0), ("sentiment_score", 0.0)):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=_default)
