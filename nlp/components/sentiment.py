"""The writer's mood toward the company; of a public post that is not meant for it, the mood of the post."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..labels import MOODS
from ..linear import Linear, softmax

REGISTERS = ("message", "post")


class SentimentOfText:
    """Writes `doc._.sentiment` (-1, 0, 1) and `doc._.sentiment_score`: the share of good minus that of bad.

    A calm report of a fault is neutral in a message to a company, and a complaint in a post to the world. So the
    model of messages and that of posts (`doc._.mood`) are mixed by how much a text looks like a post.
    """

    def __init__(self) -> None:
        self.model, self.register = Linear.nothing(MOODS), Linear.nothing(REGISTERS)

    def __call__(self, doc: Doc) -> Doc:
        shares = softmax(self.model.logits(doc._.features))
        if doc._.mood is not None and len(self.register.weights):
            post = softmax(self.register.logits(doc._.features))[1]
            shares = (1 - post) * shares + post * doc._.mood
        doc._.sentiment = int(np.argmax(shares)) - 1
        doc._.sentiment_score = float(shares[2] - shares[0])
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.model.save(path / "model.npz")
        self.register.save(path / "register.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> SentimentOfText:
        self.model, self.register = Linear.load(path / "model.npz"), Linear.load(path / "register.npz")
        return self


@Language.factory("crm_sentiment", assigns=["doc._.sentiment", "doc._.sentiment_score"], requires=["doc._.features"])
def make_sentiment(nlp: Language, name: str) -> SentimentOfText:
    return SentimentOfText()


for _name, _default in (("sentiment", 0), ("sentiment_score", 0.0)):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=_default)
