"""Which groups of the lexicon a text's words call up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import srsly
from spacy.language import Language
from spacy.tokens import Doc

from ..cue_trie import CueTrie, Hit
from ..lexicon import Lexicon, pattern_words, read_lexicon

_EVERYWHERE = "en"  # English words stand in texts of every language: newsletter, refund, demo
_POSSIBLE = 0.05  # a language this likely has its cues read too


class Cues:
    """Writes `doc._.cues`: every phrase found whose language the text may be in."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.use(lexicon)

    def use(self, lexicon: Lexicon) -> None:
        self.lexicon, self.trie = lexicon, CueTrie()
        for language, groups in lexicon.items():
            for group, patterns in groups.items():
                for pattern in patterns:
                    self.trie.add(pattern_words(pattern), group, language)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted({group for groups in self.lexicon.values() for group in groups}))

    def __call__(self, doc: Doc) -> Doc:
        spoken = {code for code, share in doc._.language_shares.items() if share >= _POSSIBLE} | {_EVERYWHERE}
        doc._.cues = _longest(hit for hit in self.trie.hits(doc._.words) if hit.language in spoken)
        return doc

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        path.mkdir(parents=True, exist_ok=True)
        srsly.write_json(path / "lexicon.json", self.lexicon, indent=0)

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> Cues:
        self.use(srsly.read_json(path / "lexicon.json"))
        return self


def _longest(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Within a group a phrase inside a longer one says nothing new."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start - hit.end, hit.start)):
        if not any(hit.group == other.group and other.start <= hit.start and hit.end <= other.end for other in kept):
            kept.append(hit)
    return tuple(sorted(kept, key=lambda hit: hit.start))


@Language.factory("crm_cues", assigns=["doc._.cues"], requires=["doc._.words", "doc._.language_shares"])
def make_cues(nlp: Language, name: str) -> Cues:
    return Cues(read_lexicon())


if not Doc.has_extension("cues"):
    Doc.set_extension("cues", default=())
