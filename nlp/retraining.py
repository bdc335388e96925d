"""Teaches the shipped pipeline what a workspace knows, and says whether the result may take its place.

Nothing of the data folder is needed: the candidate is the shipped pipeline plus weights learnt from the workspace's
corrections, own intents and phrases. Of the everyday messages of `training/messages` it goes on saying what it said, so
that nothing else is forgotten. It always starts from the shipped pipeline: what is no longer taught is no longer known.
It stays linear, so its reasons stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
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
from .labels import ASKED, FUNCTIONS
from .lessons import BadLesson, OwnIntent, lesson_key, own_examples, own_phrases
from .linear import Linear, sigmoid, softmax
from .measuring import Figures, Pair, f1, macro_f1
from .reading import Reading
from .serving import read_with
from .training import fitting
from .training.corpora import Example, labelled
from .training.folds import plain
from .training.logistic import Matrix, Sparse, fit
from .training.own_messages import own_messages

STANDING = Path(__file__).parent / "training" / "standing.jsonl"  # a copy of triage_dev: never retrained on
_EVERYWHERE = "en"  # English cues are found in texts of every language
_STRENGTH = 2.0  # how closely lessons fit
_LESSON = 4.0  # weight of a correction beside an everyday message of 1
_FOLDS = 5
_MAY_FALL = 0.01  # of F1, for a function
STEPS = _FOLDS + 3  # of a retraining, as told to `say`
Say = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The current pipeline beside the candidate: the share of new lessons that are right, and F1 on them and the
    standing set."""

    current: Figures
    candidate: Figures
    lessons: int = 0  # that the current pipeline was not taught: both are compared on these
    fell: tuple[str, ...] = field(default=())  # functions that fall by over a point

    @property
    def has_learnt(self) -> bool:
        """Whether more of the new lessons are right."""
        return self.candidate["corrections"] > self.current["corrections"]

    @property
    def is_better(self) -> bool:
        """Whether the candidate may take the current one's place."""
        return self.has_learnt and not self.fell

    @property
    def why_not(self) -> tuple[str, ...]:
        """Empty when it is better."""
        current, candidate = self.current, self.candidate
        falls = [f"{name} falls from {current[name]:.3f} to {candidate[name]:.3f}" for name in self.fell]
        if not self.has_learnt:
            falls.append(f"not more corrections are right: {candidate['corrections']:.3f} of them")
        return tuple(falls)


def retrained(
    corrections: Sequence[Example],
    own: Sequence[OwnIntent] = (),
    *,
    current: Path = SHIPPED,
    known: Collection[str] = (),
    say: Say = lambda step: None,
) -> tuple[Language, Comparison]:
    """The candidate, and how it compares. Raises BadLesson for an intent nobody can learn, or when all is known.

    `known`: the lesson keys that the current pipeline was taught; it is not compared on those. On corrections and on
    examples of own intents the candidate's figures are those of candidates that did not see what they are scored on.
    `say` is told which of STEPS is done.
    """
    own = [intent.checked() for intent in own]
    told, standing = [*corrections, *own_examples(own)], labelled(STANDING)
    phrases = own_phrases(own)  # an instruction, and not a sample: never left out
    fresh = [at for at, one in enumerate([*told, *phrases]) if lesson_key(one) not in known]
    if not fresh:
        raise BadLesson("There is nothing new to learn from.")
    scored = [[*told, *phrases][at] for at in fresh]
    before = _read(loaded(current), [*scored, *standing])
    say(1)
    teacher = Teacher(loaded(), told, [replace(intent, examples=()) for intent in own])
    say(2)
    unseen: dict[int, Pair] = {}
    for start in range(_FOLDS):
        left_out = range(start, len(told), _FOLDS)
        teacher.teach([at for at in range(len(told)) if at not in left_out])
        unseen.update(zip(left_out, _read(teacher.pipeline, [told[at] for at in left_out]), strict=True))
        say(start + 3)
    teacher.teach(range(len(told)))
    unseen.update(enumerate(_read(teacher.pipeline, phrases), start=len(told)))
    after = [*(unseen[at] for at in fresh), *_read(teacher.pipeline, standing)]
    say(STEPS)
    return teacher.pipeline, compared(before, after, corrections=len(fresh))


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
    fell = tuple(name for name in FUNCTIONS if candidate[name] < current[name] - _MAY_FALL)
    return Comparison(current, candidate, corrections, fell)


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
        _take_in(pipeline, own)
        told = (*corrections, *own_examples(own), *own_phrases(own))
        lessons = [replace(one, weight=one.weight * _LESSON) for one in told]
        known = {plain(one.text) for one in lessons}
        beside = [replace(one, weight=1.0) for one in own_messages() if plain(one.text) not in known]
        self._examples, self._lessons = [*lessons, *beside], len(lessons)
        self._features = fitting.features_of(
            pipeline, fitting.read_before_features(pipeline, self._examples), self._examples
        )
        self._models = _models(pipeline)

    def teach(self, corrections: Iterable[int]) -> None:
        """The pipeline knows these corrections, by their places, and all the workspace's own intents."""
        chosen = [*corrections, *range(self._corrections, len(self._examples))]
        examples, features = [self._examples[at] for at in chosen], [self._features[at] for at in chosen]
        new = [at < self._lessons for at in chosen]
        main, asked, sentiment, urgency, intents = self._models
        function = part(self.pipeline, FunctionOfText)
        function.main = _added(main, examples, features, [one.function for one in examples], new)
        function.asked = _added_each(asked, examples, features, new)
        moods = [None if one.sentiment is None else str(one.sentiment) for one in examples]
        part(self.pipeline, SentimentOfText).model = _added(sentiment, examples, features, moods, new)
        levels = [None if one.urgency is None else str(one.urgency) for one in examples]
        part(self.pipeline, UrgencyOfText).model = _added(urgency, examples, features, levels, new)
        for name, model in intents.items():
            told = [one.intent if one.function == name else None for one in examples]
            part(self.pipeline, IntentOfText).models[name] = _added(model, examples, features, told, new)


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


def _added(
    model: Linear,
    examples: Sequence[Example],
    features: Sequence[Features],
    told: Sequence[str | None],
    new: Sequence[bool],
) -> Linear:
    """The model with what these labels add to it; the same when none is told."""
    places = [at for at, label in enumerate(told) if label in model.labels]
    targets = np.zeros((len(places), len(model.labels)), np.float32)
    targets[np.arange(len(places)), [model.labels.index(str(told[at])) for at in places]] = 1.0
    examples, features = [examples[at] for at in places], [features[at] for at in places]
    return _more(model, examples, features, targets, [new[at] for at in places], exclusive=True)


def _added_each(
    model: Linear, examples: Sequence[Example], features: Sequence[Features], new: Sequence[bool]
) -> Linear:
    targets = np.array([[float(name in one.functions) for name in ASKED] for one in examples], np.float32)
    return _more(model, examples, features, targets, new, exclusive=False)


def _more(
    model: Linear,
    examples: Sequence[Example],
    features: Sequence[Features],
    targets: Matrix,
    new: Sequence[bool],
    *,
    exclusive: bool,
) -> Linear:
    """Only the new teach their targets; of the others the model is to say what it says already.

    Taught again, what was known would be fitted ever closer, and messages like it that nobody corrected would change.
    """
    if not any(new):
        return model
    known = np.array([model.logits(one) for one in features], np.float32)
    said = np.array([softmax(one) for one in known]) if exclusive else sigmoid(known)
    targets = np.where(np.array(new)[:, None], targets, said).astype(np.float32)
    rows = Sparse.of([(one.rows, one.values) for one in features], len(model.weights))
    weights = np.array([one.weight for one in examples], np.float32)
    more = fit(rows, targets, strength=_STRENGTH, exclusive=exclusive, weights=weights, known=known)
    heat = np.float32(model.temperature)  # what was learnt counts in logits, the model's weights before they are cooled
    return Linear(model.labels, model.weights + heat * more.weights, model.bias + heat * more.bias, model.temperature)
