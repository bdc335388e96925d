"""Teaches the current pipeline what a workspace knows, and says whether the result may take its place.

Nothing of the data folder is needed: the candidate is the current pipeline plus weights learnt from the workspace's
corrections, own intents and phrases, with the everyday messages of `training/messages` beside them so that nothing else
is forgotten. It stays linear, so its reasons stay exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from spacy.language import Language

from .assembly import SHIPPED, loaded, part
from .components.cues import Cues
from .components.features import FeaturesOfText
from .components.function import FunctionOfText
from .components.intent import IntentOfText
from .components.sentiment import SentimentOfText
from .components.urgency import UrgencyOfText
from .grams import Features
from .labels import ASKED, FUNCTIONS, NONE
from .lessons import OwnIntent
from .linear import Linear
from .measuring import Figures, Pair, f1, macro_f1
from .reading import Reading
from .serving import read_with
from .training import fitting
from .training.corpora import Example, labelled
from .training.folds import plain
from .training.logistic import Matrix, Sparse, fit
from .training.own_messages import own_messages
from .training.phrases import spoken

STANDING = Path(__file__).parent / "training" / "standing.jsonl"  # a copy of triage_dev: never retrained on
_EVERYWHERE = "en"  # English cues are found in texts of every language
_STRENGTH = 1.25  # how closely lessons fit: at 1.5 odd ones pull down what was right, at 1 a lone phrase is not learnt
_LESSON = 4.0  # weight of a correction beside an everyday message of 1
_FOLDS = 5
_MAY_FALL = 0.01  # of F1, for a function


@dataclass(frozen=True, slots=True)
class Comparison:
    """The current pipeline beside the candidate: F1 per function and in the mean, on corrections and standing set."""

    current: Figures
    candidate: Figures
    why_not: tuple[str, ...] = field(default=())  # empty: the candidate may take its place

    @property
    def is_better(self) -> bool:
        return not self.why_not


def retrained(
    corrections: Sequence[Example], own: Sequence[OwnIntent] = (), *, current: Path = SHIPPED
) -> tuple[Language, Comparison]:
    """The candidate, and how it compares. Raises BadLesson for an intent nobody can learn.

    On corrections the candidate's figures are those of candidates that did not see the ones they are scored on.
    """
    standing = labelled(STANDING)
    before = _read(loaded(current), [*corrections, *standing])
    teacher = Teacher(loaded(current), corrections, own)
    unseen: dict[int, Pair] = {}
    for start in range(_FOLDS):
        scored = range(start, len(corrections), _FOLDS)
        teacher.teach([at for at in range(len(corrections)) if at not in scored])
        unseen.update(zip(scored, _read(teacher.pipeline, [corrections[at] for at in scored]), strict=True))
    teacher.teach(range(len(corrections)))
    after = [*(unseen[at] for at in range(len(corrections))), *_read(teacher.pipeline, standing)]
    return teacher.pipeline, compared(before, after, corrections=len(corrections))


def keep(candidate: Language, folder: Path, *, version: str) -> None:
    """The candidate is in `folder` under its version, to be read with by `triage(..., model=folder)`."""
    candidate.meta["version"] = version
    candidate.to_disk(folder, exclude=["vocab"])  # its strings are the texts that were read


def _read(pipeline: Language, examples: Sequence[Example]) -> list[Pair]:
    found = read_with(pipeline, [Reading(one.text, previous=one.previous) for one in examples])
    return [Pair(one, read) for one, read in zip(examples, found, strict=True)]


def compared(before: Sequence[Pair], after: Sequence[Pair], *, corrections: int) -> Comparison:
    """Better means: more of the corrections, which come first, are right, and no function's F1 falls by a point."""
    current, candidate = _figures(before, corrections), _figures(after, corrections)
    why_not = [
        f"{name} falls from {current[name]:.3f} to {candidate[name]:.3f}"
        for name in FUNCTIONS
        if candidate[name] < current[name] - _MAY_FALL
    ]
    if candidate["corrections"] <= current["corrections"]:
        why_not.append(f"not more corrections are right: {candidate['corrections']:.3f} of them")
    return Comparison(current, candidate, tuple(why_not))


def _figures(pairs: Sequence[Pair], corrections: int) -> Figures:
    functions = [(pair.told.function, pair.read.function) for pair in pairs]
    right = sum(pair.is_right and pair.told.intent in (None, pair.read.intent) for pair in pairs[:corrections])
    return {
        "corrections": right / max(1, corrections),
        "function_macro_f1": macro_f1(functions, FUNCTIONS),
        **{name: f1(functions, name) for name in FUNCTIONS},
    }


class Teacher:
    """A pipeline and all its lessons as numbers; each `teach` starts again from what the pipeline knew."""

    def __init__(self, pipeline: Language, corrections: Sequence[Example], own: Sequence[OwnIntent] = ()) -> None:
        self.pipeline = pipeline
        self._corrections = len(corrections)
        own = [intent.checked() for intent in own]
        _take_in(pipeline, own)
        lessons = [replace(one, weight=one.weight * _LESSON) for one in (*corrections, *_examples(own))]
        known = {plain(one.text) for one in lessons}
        beside = [replace(one, weight=1.0) for one in own_messages() if plain(one.text) not in known]
        self._examples = [*lessons, *beside]
        self._features = fitting.features_of(
            pipeline, fitting.read_before_features(pipeline, self._examples), self._examples
        )
        self._models = _models(pipeline)

    def teach(self, corrections: Iterable[int]) -> None:
        """The pipeline knows these corrections, by their places, and all the workspace's own intents."""
        chosen = [*corrections, *range(self._corrections, len(self._examples))]
        examples, features = [self._examples[at] for at in chosen], [self._features[at] for at in chosen]
        main, asked, sentiment, urgency, intents = self._models
        function = part(self.pipeline, FunctionOfText)
        function.main = _added(main, examples, features, [one.function for one in examples])
        function.asked = _added_each(asked, examples, features)
        moods = [None if one.sentiment is None else str(one.sentiment) for one in examples]
        part(self.pipeline, SentimentOfText).model = _added(sentiment, examples, features, moods)
        levels = [None if one.urgency is None else str(one.urgency) for one in examples]
        part(self.pipeline, UrgencyOfText).model = _added(urgency, examples, features, levels)
        for name, model in intents.items():
            told = [one.intent if one.function == name else None for one in examples]
            part(self.pipeline, IntentOfText).models[name] = _added(model, examples, features, told)


def _models(pipeline: Language) -> tuple[Linear, Linear, Linear, Linear, dict[str, Linear]]:
    function = part(pipeline, FunctionOfText)
    intents = dict(part(pipeline, IntentOfText).models)
    return (
        function.main,
        function.asked,
        part(pipeline, SentimentOfText).model,
        part(pipeline, UrgencyOfText).model,
        intents,
    )


def _take_in(pipeline: Language, own: Sequence[OwnIntent]) -> None:
    """The pipeline finds the own phrases as cues and has room for the own intents, of which it knows nothing yet."""
    lexicon, vocabulary = part(pipeline, Cues).lexicon, part(pipeline, FeaturesOfText).vocabulary
    phrases = {f"own {intent.name}": list(intent.phrases) for intent in own if intent.phrases}
    named = tuple(name for name in phrases if name not in vocabulary.cues)
    part(pipeline, Cues).use({**lexicon, _EVERYWHERE: {**lexicon.get(_EVERYWHERE, {}), **phrases}})
    part(pipeline, FeaturesOfText).vocabulary = vocabulary.with_cues(named)
    function, intents = part(pipeline, FunctionOfText), part(pipeline, IntentOfText)
    function.main, function.asked = function.main.with_rows(len(named)), function.asked.with_rows(len(named))
    for reader in (part(pipeline, SentimentOfText), part(pipeline, UrgencyOfText)):
        reader.model = reader.model.with_rows(len(named))
    part(pipeline, SentimentOfText).register = part(pipeline, SentimentOfText).register.with_rows(len(named))
    for name, model in intents.models.items():
        new = tuple(intent.name for intent in own if intent.function == name and intent.name not in model.labels)
        intents.models[name] = model.with_rows(len(named)).with_labels(new)


def _examples(own: Sequence[OwnIntent]) -> list[Example]:
    """An intent's examples, and its phrases as short ones. The language is not learnt, so it does not matter."""
    return [
        Example(text, "en", (intent.function,) if intent.function != NONE else (), intent=intent.name)
        for intent in own
        for text in (*intent.examples, *map(spoken, intent.phrases))
    ]


def _added(
    model: Linear, examples: Sequence[Example], features: Sequence[Features], told: Sequence[str | None]
) -> Linear:
    """The model with what these labels add to it; the same when none is told."""
    places = [at for at, label in enumerate(told) if label in model.labels]
    targets = np.zeros((len(places), len(model.labels)), np.float32)
    targets[np.arange(len(places)), [model.labels.index(str(told[at])) for at in places]] = 1.0
    return _more(model, [examples[at] for at in places], [features[at] for at in places], targets, exclusive=True)


def _added_each(model: Linear, examples: Sequence[Example], features: Sequence[Features]) -> Linear:
    targets = np.array([[float(name in one.functions) for name in ASKED] for one in examples], np.float32)
    return _more(model, examples, features, targets, exclusive=False)


def _more(
    model: Linear, examples: Sequence[Example], features: Sequence[Features], targets: Matrix, *, exclusive: bool
) -> Linear:
    if not examples:
        return model
    known = np.array([model.logits(one) for one in features], np.float32)
    rows = Sparse.of([(one.rows, one.values) for one in features], len(model.weights))
    weights = np.array([one.weight for one in examples], np.float32)
    more = fit(rows, targets, strength=_STRENGTH, exclusive=exclusive, weights=weights, known=known)
    heat = np.float32(model.temperature)  # what was learnt counts in logits, the model's weights before they are cooled
    return Linear(model.labels, model.weights + heat * more.weights, model.bias + heat * more.bias, model.temperature)
