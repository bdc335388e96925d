"""The words and phrases that weighed in a decision, as they stand in the text."""

from __future__ import annotations

from spacy.tokens import Doc

from .linear import Scores

_MOST = 6
_LEAST = 0.05  # of a logit: what weighs less is no reason


def reasons(doc: Doc, contributions: Scores) -> tuple[str, ...]:
    """At most six stretches of the text, heaviest first, without one inside another.

    A word weighs what it and its characters added; a cue what it added by its longest phrase.
    """
    weights: dict[tuple[int, int], float] = {}
    for source, gained in zip(doc._.features.sources, contributions, strict=True):
        for span in _spans(doc, source):
            weights[span] = weights.get(span, 0.0) + float(gained)
    chosen: list[tuple[int, int]] = []
    for (start, end), weight in sorted(weights.items(), key=lambda item: -item[1]):
        if weight < _LEAST or len(chosen) == _MOST:
            break
        if not any(start < later and earlier < end for earlier, later in chosen):
            chosen.append((start, end))
    return tuple(_written(doc, start, end) for start, end in chosen)


def _spans(doc: Doc, source: str) -> list[tuple[int, int]]:
    """Where a source first stands, in words: a cue's phrase, a word or a pair; nowhere for shapes."""
    words: list[str] = doc._.words
    if source.startswith("cue:"):
        return [(hit.start, hit.end) for hit in doc._.cues if hit.group == source[4:]][:1]
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
