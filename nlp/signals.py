"""What a text shows beside its words: cues, their combinations and places, entities, punctuation, length, mood."""

from __future__ import annotations

from itertools import combinations

from spacy.tokens import Doc

from .cue_trie import Hit
from .words import BREAK

Signal = tuple[str, float]
_LENGTHS = ((2, "len<=2"), (4, "len<=4"), (8, "len<=8"), (16, "len<=16"), (32, "len<=32"), (64, "len<=64"))
_CUE, _PAIR, _SHAPE, _PLACE = 0.5, 0.25, 0.3, 0.3  # how loud each speaks beside the words, whose vectors have length one


def signals(doc: Doc) -> list[Signal]:
    """Named values in a fixed order; a name that training did not keep is ignored later."""
    groups = sorted({hit.group for hit in doc._.cues})
    pairs = [f"{one}+{other}" for one, other in combinations(groups, 2)]
    return [
        *((group, _CUE) for group in groups),
        *((pair, _PAIR) for pair in pairs),
        *((name, _PLACE) for name in _placed(doc._.words, doc._.cues)),
        *((name, _SHAPE) for name in _shape(doc)),
        *(zip(("mood-", "mood0", "mood+"), map(float, doc._.mood), strict=True) if doc._.mood is not None else ()),
    ]


def _placed(words: list[str], cues: tuple[Hit, ...]) -> list[str]:
    """Cues that stand in a question, and those in the last of several sentences: there people say what they want."""
    sentence, sentences, questions = 0, [], set()
    for word in words:
        sentences.append(sentence)
        if word == "?":
            questions.add(sentence)
        sentence += word in {"?", "!", BREAK}
    last = sentences[-1] if sentences else 0
    asked = {f"{hit.group} asked" for hit in cues if sentences[hit.start] in questions}
    at_last = {f"{hit.group} at last" for hit in cues if last and sentences[hit.start] == last}
    return sorted(asked | at_last)


def _shape(doc: Doc) -> list[str]:
    words = [word for word in doc._.words if word[0].isalnum()]
    length = next((name for limit, name in _LENGTHS if len(words) <= limit), "len>64")
    return [
        length,
        *(name for name, is_so in _marks(doc, doc.text[:2000]) if is_so),
        *(f"has {kind}" for kind in sorted({kind for kind, _ in doc._.found})),
    ]


def _marks(doc: Doc, text: str) -> tuple[tuple[str, bool], ...]:
    letters = [sign for sign in text if sign.isalpha()]
    return (
        ("?", "?" in text),
        ("no ?", "?" not in text),
        ("!", "!" in text),
        ("!!", "!!" in text),
        ("link", "_link" in doc._.words),
        ("@", "_at" in doc._.words),
        ("#tag", "#" in text),
        ("capitals", sum(map(str.isupper, letters)) > 0.6 * len(letters) > 6),
        ("no cue", not doc._.cues),
        ("ends ?", text.rstrip().endswith("?")),
    )
