"""Who acts on a text: one main function with a calibrated probability, others it asks for, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import srsly
from spacy.language import Language
from spacy.tokens import Doc

from ..labels import ASKED, FUNCTIONS, NONE
from ..linear import Linear, sigmoid, softmax
from ..reasons import reasons

_ALSO = 0.5
Shares = tuple[tuple[str, float], ...]


def named(main: str, confidence: float, asked: Shares, also: float) -> Shares:
    """The main function, then the others that are likely enough; nothing when nobody has to act."""
    if main == NONE:
        return ()
    others = [(name, share) for name, share in asked if name != main and share >= also]
    return ((main, confidence), *sorted(others, key=lambda other: -other[1]))


class FunctionOfText:
    """Writes `doc._.functions` (name, probability; main first), `doc._.because`, and the shares both come from.

    `also` is how likely a second function must be to be named: training finds it, and it is kept with the models.
    """

    def __init__(self, also: float = _ALSO) -> None:
        self.also = also
        self.main, self.asked = Linear.nothing(FUNCTIONS), Linear.nothing(ASKED)

    def __call__(self, doc: Doc) -> Doc:
        shares = softmax(self.main.logits(doc._.features))
        best = int(shares.argmax())
        doc._.function_shares = dict(zip(FUNCTIONS, map(float, shares), strict=True))
        asked = sigmoid(self.asked.logits(doc._.features))
        doc._.asked_shares = tuple(zip(ASKED, map(float, asked), strict=True))
        doc._.functions = named(FUNCTIONS[best], float(shares[best]), doc._.asked_shares, self.also)
        doc._.because = reasons(doc, self.main.contributions(doc._.features, best))
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.main.save(path / "main.npz")
        self.asked.save(path / "asked.npz")
        srsly.write_json(path / "also.json", self.also)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> FunctionOfText:
        self.main, self.asked = Linear.load(path / "main.npz"), Linear.load(path / "asked.npz")
        self.also = float(srsly.read_json(path / "also.json"))
        return self


@Language.factory(
    "crm_function",
    default_config={"also": _ALSO},
    assigns=["doc._.functions", "doc._.function_shares", "doc._.asked_shares", "doc._.because"],
    requires=["doc._.features"],
)
def make_function(nlp: Language, name: str, also: float) -> FunctionOfText:
    return FunctionOfText(also)


for _name, _default in (("functions", ()), ("function_shares", {}), ("asked_shares", ()), ("because", ())):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=_default)
