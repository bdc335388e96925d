"""How soon somebody has to act: the model's level, raised by the safety cues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import srsly
from spacy.language import Language
from spacy.tokens import Doc

from ..labels import URGENCIES
from ..linear import Linear, softmax

TODAY = 2
CERTAIN = (0.0, 0.0, 0.0, 1.0)
_URGENT_FROM = 0.3
_WHO = {"support": 1.0, "sales": 0.5, "marketing": 0.5}  # how much of "today" is true by who acts; of none, nothing
ALARMS = frozenset({"alarm", "theft_now"})  # groups of the lexicon that page a human by themselves


def level(shares: tuple[float, ...], urgent_from: float) -> int:
    """The likeliest urgent level if these two together are likely enough, else the likelier of the others."""
    least = TODAY if sum(shares[TODAY:]) >= urgent_from else 0
    return max(range(least, least + TODAY), key=lambda one: shares[one])


def weighed(shares: tuple[float, ...], functions: Mapping[str, float]) -> tuple[float, ...]:
    """The levels' shares, "today" by how likely each function is: nobody can act today on an exam that went wrong.

    What it loses goes to the calmer levels. "Now" keeps its share: who is in danger need not ask for anything.
    """
    *calm, today, now = shares
    likely = today * sum(share * _WHO.get(name, 0.0) for name, share in functions.items())
    rest = (1.0 - likely - now) / max(sum(calm), 1e-9)
    return (*(share * rest for share in calm), likely, now)


class UrgencyOfText:
    """Writes `doc._.urgency` (0 nobody acts, 1 normal, 2 today, 3 now) and how likely each level is.

    A message is urgent from a share of `urgent_from`: lower than one half, because a missed emergency costs more than
    a look too many. Training finds it, and it is kept with the model.
    """

    def __init__(self, urgent_from: float = _URGENT_FROM) -> None:
        self.model, self.urgent_from = Linear.nothing(URGENCIES), urgent_from

    def __call__(self, doc: Doc) -> Doc:
        alarmed = any(hit.group in ALARMS for hit in doc._.cues)
        shares = CERTAIN if alarmed else self._shares(doc)
        doc._.urgency_shares, doc._.urgency = shares, level(shares, self.urgent_from)
        return doc

    def _shares(self, doc: Doc) -> tuple[float, ...]:
        read = tuple(map(float, softmax(self.model.logits(doc._.features))))
        return weighed(read, doc._.function_shares)

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.model.save(path / "model.npz")
        srsly.write_json(path / "urgent_from.json", self.urgent_from)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> UrgencyOfText:
        self.model = Linear.load(path / "model.npz")
        self.urgent_from = float(srsly.read_json(path / "urgent_from.json"))
        return self


@Language.factory(
    "crm_urgency",
    assigns=["doc._.urgency", "doc._.urgency_shares"],
    requires=["doc._.features", "doc._.cues", "doc._.function_shares"],
)
def make_urgency(nlp: Language, name: str) -> UrgencyOfText:
    return UrgencyOfText()


for _name, _default in (("urgency", 0), ("urgency_shares", ())):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=_default)
