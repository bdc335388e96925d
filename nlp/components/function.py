"""Who acts on a text: one main function with a calibrated probability, others it asks for, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ..labels import ASKED, FUNCTIONS, NONE
from ..linear import Linear, sigmoid, softmax
from ..reasons import reasons

_ALSO = 0.5  # how likely a second function must be to be named


class FunctionOfText:
    """Writes `doc._.functions` (name, probability; main first), `doc._.function_shares` and `doc._.because`."""

    def __init__(self, also: float = _ALSO) -> None:
        self.also = also
        self.main, self.asked = Linear.nothing(FUNCTIONS), Linear.nothing(ASKED)

    def __call__(self, doc: Doc) -> Doc:
        shares = softmax(self.main.logits(doc._.features))
        best = int(shares.argmax())
        doc._.function_shares = dict(zip(FUNCTIONS, map(float, shares), strict=True))
        doc._.functions = self._asked(doc, FUNCTIONS[best])
        doc._.because = reasons(doc, self.main.contributions(doc._.features, best))
        return doc

    def _asked(self, doc: Doc, main: str) -> tuple[tuple[str, float], ...]:
        if main == NONE:
            return ()
        asked = zip(ASKED, map(float, sigmoid(self.asked.logits(doc._.features))), strict=True)
        others = [(name, share) for name, share in asked if name != main and share >= self.also]
        return ((main, doc._.function_shares[main]), *sorted(others, key=lambda other: -other[1]))

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.main.save(path / "main.npz")
        self.asked.save(path / "asked.npz")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> FunctionOfText:
        self.main, self.asked = Linear.load(path / "main.npz"), Linear.load(path / "asked.npz")
        return self


@Language.factory(
    "crm_function",
    default_config={"also": _ALSO},
    assigns=["doc._.functions", "doc._.function_shares", "doc._.because"],
    requires=["doc._.features"],
)
def make_function(nlp: Language, name: str, also: float) -> FunctionOfText:
    return FunctionOfText(also)


for _name, _default in (("functions", ()), ("function_shares", {}), ("because", ())):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=_default)
