"""How right and how fast a reading is, measured against what people said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from .labels import FUNCTIONS
from .reading import Reading, Triage
from .training.corpora import Example

Figures = dict[str, float]
Read = Callable[[Sequence[Reading]], list[Triage]]
_BINS = 10
_PRECISION = 0.95  # what an answer without a human must keep
SHORT = 4  # words


@dataclass(frozen=True, slots=True)
class Pair:
    """One reading beside what people said of the same text."""

    told: Example
    read: Triage

    @property
    def is_right(self) -> bool:
        return self.read.function == self.told.function

    @property
    def is_acceptable(self) -> bool:
        return self.read.function in (self.told.acceptable or (self.told.function,))


def figures(pairs: Sequence[Pair]) -> Figures:
    """Shares and scores of 0..1; what nobody labelled is left out."""
    found = {
        "messages": len(pairs),
        "function_macro_f1": macro_f1([(pair.told.function, pair.read.function) for pair in pairs], FUNCTIONS),
        "function_acceptable": _share(pair.is_acceptable for pair in pairs),
        "function_ece": calibration_error([(pair.read.confidence, pair.is_acceptable) for pair in pairs]),
        "alone_at_95": alone([(pair.read.confidence, pair.is_acceptable) for pair in pairs]),
        "language": _share(pair.read.language == pair.told.language for pair in pairs),
        **_slices(pairs),
    }
    for name in FUNCTIONS:
        found[f"f1_{name}"] = f1([(pair.told.function, pair.read.function) for pair in pairs], name)
    return {**found, **_second(pairs), **_intents(pairs), **_moods(pairs), **_levels(pairs), **_entities(pairs)}


def _slices(pairs: Sequence[Pair]) -> Figures:
    foreign = [pair for pair in pairs if pair.told.language != "en"]
    short = [pair for pair in pairs if len(pair.told.text.split()) <= SHORT]
    return {
        "not_english_acceptable": _share(pair.is_acceptable for pair in foreign),
        "short_acceptable": _share(pair.is_acceptable for pair in short),
        "short_language": _share(pair.read.language == pair.told.language for pair in short),
    }


def _second(pairs: Sequence[Pair]) -> Figures:
    """Functions named beside the main one: how many of them were asked for; how many asked for second were named."""
    named = [name in pair.told.functions for pair in pairs for name, _ in pair.read.functions[1:]]
    asked = [name in dict(pair.read.functions) for pair in pairs for name in pair.told.functions[1:]]
    return {"second_precision": _share(named), "second_recall": _share(asked)} if asked else {}


def _intents(pairs: Sequence[Pair]) -> Figures:
    told = [pair for pair in pairs if pair.told.intent]
    return {"intent": _share(pair.told.intent == pair.read.intent for pair in told)} if told else {}


def _moods(pairs: Sequence[Pair]) -> Figures:
    moods = [(pair.told.sentiment, pair.read.sentiment) for pair in pairs if pair.told.sentiment is not None]
    if not moods:
        return {}
    polar = _share(told * read == -1 for told, read in moods)
    return {"sentiment_macro_f1": macro_f1(moods, (-1, 0, 1)), "sentiment_polar_errors": polar}


def _levels(pairs: Sequence[Pair]) -> Figures:
    levels = [(pair.told.urgency, pair.read.urgency) for pair in pairs if pair.told.urgency is not None]
    if not levels:
        return {}
    return {
        "urgency_exact": _share(told == read for told, read in levels),
        "urgent_f1": f1([(told >= 2, read >= 2) for told, read in levels], True),
        "urgent_precision": _share(told >= 2 for told, read in levels if read >= 2),
        "urgent_recall": _share(read >= 2 for told, read in levels if told >= 2),
        "level_3_called_urgent": _share(read >= 2 for told, read in levels if told == 3),
    }


def mood_recall(pairs: Sequence[Pair]) -> float:
    """The mean share of bad, neutral and good posts that were read so: TweetEval's figure."""
    moods = [(pair.told.sentiment, pair.read.sentiment) for pair in pairs if pair.told.sentiment is not None]
    return sum(_share(read == mood for told, read in moods if told == mood) for mood in (-1, 0, 1)) / 3


def _entities(pairs: Sequence[Pair]) -> Figures:
    labelled = [pair for pair in pairs if pair.told.entities is not None]
    told = sum(len(pair.told.entities or ()) for pair in labelled)
    read = sum(len(pair.read.entities) for pair in labelled)
    hit = sum(_overlaps(one, pair.read.entities) for pair in labelled for one in pair.told.entities or ())
    right = sum(_overlaps(one, pair.told.entities or ()) for pair in labelled for one in pair.read.entities)
    recall, precision = hit / max(told, 1), right / max(read, 1)
    return {"entities_f1": 2 * recall * precision / max(recall + precision, 1e-9)} if labelled else {}


def _overlaps(one: tuple[str, str], others: Sequence[tuple[str, str]]) -> bool:
    kind, text = one[0], one[1].casefold()
    return any(kind == other and (text in found.casefold() or found.casefold() in text) for other, found in others)


def f1(told_and_read: Sequence[tuple[object, object]], label: object) -> float:
    hits = sum(told == read == label for told, read in told_and_read)
    named = sum((told == label) + (read == label) for told, read in told_and_read)
    return 2 * hits / named if named else 0.0


def macro_f1(told_and_read: Sequence[tuple[object, object]], labels: Sequence[object]) -> float:
    """The mean of the classes that stand in the labels or the readings."""
    present = [label for label in labels if any(label in pair for pair in told_and_read)]
    return sum(f1(told_and_read, label) for label in present) / max(1, len(present))


def calibration_error(answers: Sequence[tuple[float, bool]]) -> float:
    """The expected calibration error: how far confidence is from truth in ten bins, by their size."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, is_right in answers:
        bins.setdefault(min(int(confidence * _BINS), _BINS - 1), []).append((confidence, is_right))
    gaps = (abs(sum(share - is_right for share, is_right in inside)) for inside in bins.values())
    return sum(gaps) / max(1, len(answers))


def alone(answers: Sequence[tuple[float, bool]]) -> float:
    """The share of messages, surest first, that can go without a human while 95 % of them are right."""
    right, most = 0, 0
    for place, (_, is_right) in enumerate(sorted(answers, key=lambda answer: -answer[0]), start=1):
        right += is_right
        most = place if right >= _PRECISION * place else most
    return most / max(1, len(answers))


def _share(facts: Iterable[bool]) -> float:
    told = list(facts)
    return sum(told) / max(1, len(told))


def speed(texts: Sequence[str], read: Read) -> Figures:
    """Milliseconds a message one by one, and messages a second in one batch, after a first round that warms up."""
    readings = [Reading(text) for text in texts]
    read(readings)
    alone_for = []
    for reading in readings:
        started = perf_counter()
        read([reading])
        alone_for.append(1000 * (perf_counter() - started))
    started = perf_counter()
    read(readings)
    return {"ms_p50": median(alone_for), "batched_per_second": len(texts) / (perf_counter() - started)}
