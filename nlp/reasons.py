"""The words and phrases that weighed in a decision, as they stand in the text."""

from __future__ import annotations

from spacy.tokens import Doc

from .cue_trie import Hit
from .linear import Scores

_MOST = 6
_LOOKED_AT = 24  # sources, heaviest first
_LEAST = 0.05  # of a logit: what weighs less is no reason


def reasons(doc: Doc, contributions: Scores) -> tuple[str, ...]:
    """At most six stretches of the text, heaviest first, without one inside another.

    A word weighs what it and its characters added; a cue what it added by its longest phrase.
    """
    named: dict[str, float] = {}
    for source, gained in zip(doc._.features.sources, contributions.tolist(), strict=True):
        named[source] = named.get(source, 0.0) + gained
    words, cues, chosen = doc._.words, doc._.cues, list[tuple[int, int]]()
    for source, weight in sorted(named.items(), key=lambda item: -item[1])[:_LOOKED_AT]:
        if weight < _LEAST or len(chosen) == _MOST:
            break
        for start, end in _spans(words, cues, source):
            if not any(start < later and earlier < end for earlier, later in chosen):
                chosen.append((start, end))
    return tuple(_written(doc, start, end) for start, end in chosen)


def _spans(words: list[str], cues: tuple[Hit, ...], source: str) -> list[tuple[int, int]]:
    """Where a source first stands, in words: a cue's phrase, a word or a pair; nowhere for shapes."""
    if source.startswith("cue:"):
        return [(hit.start, hit.end) for hit in cues if hit.group == source[4:]][:1]
    one, _, other = source.partition(" ")
    if one not in words:
        return []
    if not other:
        return [(words.index(one), words.index(one) + 1)]
    found = (at for at in range(len(words) - 1) if words[at] == one and words[at + 1] == other)
    return [(at, at + 2) for at in found][:1]


def _written(doc: Doc, start: int, end: int) -> str:
    places: list[int] = doc._.places
    return str(doc[places[start] : places[end - 1] + 1].text)
