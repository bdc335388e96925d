"""What a text shows beside its words: cues, their combinations and places, entities, punctuation, length, mood."""

from __future__ import annotations

from itertools import combinations

from spacy.tokens import Doc

from .cue_trie import Hit
from .words import BREAK

Signal = tuple[str, float]
_LENGTHS = ((2, "len<=2"), (4, "len<=4"), (8, "len<=8"), (16, "len<=16"), (32, "len<=32"), (64, "len<=64"))
_CUE, _PAIR, _SHAPE, _PLACE = (
    0.5,
    0.25,
    0.3,
    0.3,
)  # how loud each speaks beside the words, whose vectors have length one


def signals(doc: Doc) -> list[Signal]:
    """Named values in a fixed order; a name that training did not keep is ignored later."""
    marks = doc._
    words, cues, mood = marks.words, marks.cues, marks.mood
    groups = sorted({hit.group for hit in cues})
    pairs = [f"{one}+{other}" for one, other in combinations(groups, 2)]
    shape = [*_shape(doc.text[:2000], words), *(f"has {kind}" for kind in sorted({kind for kind, _ in marks.found}))]
    return [
        *((group, _CUE) for group in groups),
        *((pair, _PAIR) for pair in pairs),
        *((name, _PLACE) for name in _placed(words, cues)),
        *((name, _SHAPE) for name in (*shape, *(() if cues else ("no cue",)))),
        *(zip(("mood-", "mood0", "mood+"), map(float, mood), strict=True) if mood is not None else ()),
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


def _shape(text: str, words: list[str]) -> list[str]:
    long = sum(word[0].isalnum() for word in words)
    letters = [sign for sign in text if sign.isalpha()]
    marks = (
        ("?", "?" in text),
        ("no ?", "?" not in text),
        ("!", "!" in text),
        ("!!", "!!" in text),
        ("link", "_link" in words),
        ("@", "_at" in words),
        ("#tag", "#" in text),
        ("capitals", sum(map(str.isupper, letters)) > 0.6 * len(letters) > 6),
        ("ends ?", text.rstrip().endswith("?")),
    )
    length = next((name for limit, name in _LENGTHS if long <= limit), "len>64")
    return [length, *(name for name, is_so in marks if is_so)]
