"""What a workspace teaches: corrections by its agents, and intents, phrases and examples of its own.

Plain values, made by the product and given to `retraining`. A correction is an `Example`: the text, redacted, with the
labels an agent gave it, and the weight of that agent's word.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from .labels import FUNCTIONS, INTENTS, NONE
from .reading import Triage
from .training.corpora import Example
from .training.phrases import spoken

_MOST_PHRASES = 1_000
_MOST_WORDS = 8  # of a phrase: longer ones are examples
_PER_QUEUE = 20
_ALIKE = 0.6  # share of words: two such messages teach the same


class BadLesson(ValueError):
    """What was taught cannot be learnt; the text says what to change."""


@dataclass(frozen=True, slots=True)
class OwnIntent:
    """An intent the workspace added. Its phrases are patterns as in the lexicon: a few words, `*`, `|` and `..`."""

    name: str
    function: str
    phrases: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    def checked(self) -> OwnIntent:
        """The same. Raises BadLesson when it names no function, takes a name that is in use, or has nothing to say."""
        if self.function not in FUNCTIONS:
            raise BadLesson(f"{self.name}: the function is one of {', '.join(FUNCTIONS)}")
        if not self.name.strip() or any(self.name in names for names in INTENTS.values()):
            raise BadLesson(f"{self.name or 'An intent'}: choose a name that no other intent has")
        if not self.phrases and not self.examples:
            raise BadLesson(f"{self.name}: add a phrase or an example")
        if len(self.phrases) > _MOST_PHRASES or any(len(phrase.split()) > _MOST_WORDS for phrase in self.phrases):
            raise BadLesson(
                f"{self.name}: at most {_MOST_PHRASES} phrases of {_MOST_WORDS} words; add longer ones as examples"
            )
        if any(not phrase.strip("^$.*| ") for phrase in self.phrases):
            raise BadLesson(f"{self.name}: a phrase needs a word")
        return self


def own_examples(own: Sequence[OwnIntent]) -> list[Example]:
    """The examples of own intents, as lessons."""
    return [_lesson(intent, text) for intent in own for text in intent.examples]


def own_phrases(own: Sequence[OwnIntent]) -> list[Example]:
    """The phrases of own intents, as short messages."""
    return [_lesson(intent, spoken(phrase)) for intent in own for phrase in intent.phrases]


def _lesson(intent: OwnIntent, text: str) -> Example:
    """The language is not learnt, so it does not matter."""
    functions = (intent.function,) if intent.function != NONE else ()
    return Example(text, "en", functions, intent=intent.name)


def lesson_key(lesson: Example) -> str:
    """Names a text and its labels without saying them, to know again what a pipeline was taught."""
    told = (lesson.text, lesson.functions, lesson.intent, lesson.sentiment)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def most_teaching(read: Sequence[tuple[str, Triage]], *, count: int = _PER_QUEUE, seed: int = 0) -> list[int]:
    """Which of these messages, by their place, would teach most if a person labelled them.

    Half are those whose two likeliest functions are nearest, a quarter those where the main function and what is
    asked disagree most, the rest by chance: without chance nobody could measure with them. No two say the same.
    """
    places = range(len(read))
    near = sorted(places, key=lambda at: _margin(read[at][1]))
    torn = sorted(places, key=lambda at: -_torn(read[at][1]))
    by_chance = random.Random(seed).sample(places, len(read))
    chosen: list[int] = []
    for order, share in ((near, 0.5), (torn, 0.75), (by_chance, 1.0), (near, 1.0)):
        _fill(chosen, order, [text for text, _ in read], round(count * share))
    return chosen


def _fill(chosen: list[int], order: Sequence[int], texts: Sequence[str], most: int) -> None:
    for at in order:
        if len(chosen) >= most:
            return
        if at not in chosen and not any(_alike(texts[at], texts[other]) for other in chosen):
            chosen.append(at)


def _alike(one: str, other: str) -> bool:
    words, others = set(one.casefold().split()), set(other.casefold().split())
    return len(words & others) >= _ALIKE * max(1, len(words | others))


def _margin(read: Triage) -> float:
    first, second = sorted((share for _, share in read.shares), reverse=True)[:2]
    return first - second


def _torn(read: Triage) -> float:
    """How much more another function is asked for than the one that was chosen."""
    asked = dict(read.asked)
    return max(asked.values(), default=0.0) - asked.get(read.function, 0.0)


__all__ = ["BadLesson", "Example", "OwnIntent", "lesson_key", "most_teaching", "own_examples", "own_phrases"]
