"""Teaches each component of the pipeline from examples, in the order they read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from ..assembly import BEFORE_FEATURES, part
from ..components.cues import Cues
from ..components.features import FeaturesOfText
from ..components.function import FunctionOfText
from ..components.intent import IntentOfText
from ..components.language import LanguageGuess, letter_buckets, spelled
from ..components.mood import Mood
from ..components.sentiment import REGISTERS, SentimentOfText
from ..components.urgency import UrgencyOfText
from ..feelings import FACTS
from ..fragments import earlier
from ..grams import Features, Vocabulary
from ..labels import ASKED, FUNCTIONS, INTENTS, MOODS, URGENCIES
from ..lexicon import LANGUAGES
from ..linear import Linear
from ..signals import signals
from ..words import readable
from .corpora import Example
from .logistic import Matrix, Sparse, fit
from .vocabulary import names_seen, vocabulary_of

_WORDS, _CUES = 4.0, 3.0  # how closely each voice fits
_FUNCTION, _URGENCY = 1.5, 0.7  # and both voices as one
_FIRST_TEMPERATURE = 1.35  # two voices that often say the same are surer than they should be; calibrated later
_REGISTERS = {"message": 0.05, "post": 1.0}  # how much all of each count
_LANGUAGE_BUCKETS, _MOOD_BUCKETS, _BUCKETS = 30_000, 100_000, 120_000


def learn_language(pipeline: Language, sentences: Sequence[Example]) -> None:
    """The pipeline tells the seven languages apart."""
    guess = part(pipeline, LanguageGuess)
    known = [one for one in sentences if one.language in LANGUAGES]
    texts = [spelled(pipeline.make_doc(one.text)) for one in known]
    seen = np.bincount(np.concatenate([_letters(words) for words in texts]), minlength=2**20)
    kept = np.argsort(-seen, kind="stable")[:_LANGUAGE_BUCKETS]
    guess.look_at(np.sort(kept[seen[kept] > 2]).astype(np.uint32))
    rows = [guess.rows(words) for words in texts]
    table = Sparse.of(
        [(row, np.full(len(row), max(1, len(row)) ** -0.5, np.float32)) for row in rows], len(guess.buckets)
    )
    guess.model = _linear(LANGUAGES, table, _one_of(LANGUAGES, [one.language for one in known]), strength=10.0)


def _letters(words: list[str]) -> NDArray[np.uint32]:
    return np.concatenate([np.zeros(0, np.uint32), *(letter_buckets(word) for word in words)])


def learn_mood(pipeline: Language, posts: Sequence[Example]) -> None:
    """The pipeline knows how people rated public posts."""
    mood, cues = part(pipeline, Mood), part(pipeline, Cues)
    docs = [_post(pipeline, one) for one in posts]
    named = (*cues.groups, *FACTS)
    mood.vocabulary = vocabulary_of([doc._.words for doc in docs], least=4, most=_MOOD_BUCKETS, cues=named)
    table = _table([mood.features(doc) for doc in docs], mood.vocabulary.size)
    told = [str(one.sentiment) for one in posts]
    share = {name: told.count(name) / len(told) for name in MOODS}
    evenly = np.array([1 / (len(MOODS) * share[name]) for name in told], np.float32)  # each mood counts the same
    mood.model = _linear(MOODS, table, _one_of(MOODS, told), strength=0.5, weights=evenly)


def _post(pipeline: Language, post: Example) -> Doc:
    """A post as the mood component gets it. Its language is told, so that moods can be learnt before languages."""
    doc = pipeline.get_pipe("crm_words")(pipeline.make_doc(readable(post.text)))
    doc._.language_shares = {post.language: 1.0}
    return part(pipeline, Cues)(doc)


def read_before_features(pipeline: Language, examples: Iterable[Example]) -> list[Doc]:
    """The examples' docs as the feature component gets them."""
    docs = []
    for one in examples:
        doc = pipeline.make_doc(one.text)
        for name in BEFORE_FEATURES:
            doc = pipeline.get_pipe(name)(doc)
        docs.append(doc)
    return docs


def learn_vocabulary(pipeline: Language, docs: Sequence[Doc]) -> None:
    """The pipeline knows which words and signals count."""
    cues = names_seen((signals(doc) for doc in docs), least=4)
    words = [doc._.words for doc in docs]
    part(pipeline, FeaturesOfText).vocabulary = vocabulary_of(words, least=2, most=_BUCKETS, cues=cues)


def features_of(pipeline: Language, docs: Sequence[Doc], examples: Sequence[Example]) -> list[Features]:
    """What the models see of each example, fragments with what came before."""
    component = part(pipeline, FeaturesOfText)
    for doc, one in zip(docs, examples, strict=True):
        said = earlier(one.text, one.previous)
        doc._.before = component.of(read_before_features(pipeline, [Example(said, "")])[0]) if said else None
    return [component(doc)._.features for doc in docs]


def learn_readings(pipeline: Language, features: Sequence[Features], examples: Sequence[Example]) -> None:
    """Function, intent, sentiment and urgency are learnt from the examples that have them."""
    table = _table(features, part(pipeline, FeaturesOfText).vocabulary.size)
    weights = np.array([one.weight for one in examples], np.float32)
    vocabulary = part(pipeline, FeaturesOfText).vocabulary
    voices = _voices(features, vocabulary)
    function = part(pipeline, FunctionOfText)
    main = [one.function for one in examples]
    function.main = _of_two_minds(table, voices, weights, FUNCTIONS, main, _FUNCTION)
    asked = np.array([[float(name in one.functions) for name in ASKED] for one in examples], np.float32)
    function.asked = _linear(ASKED, table, asked, strength=2.0, weights=weights, exclusive=False)
    for name in FUNCTIONS:
        told = [one.intent if one.function == name else None for one in examples]
        part(pipeline, IntentOfText).models[name] = _taught(table, weights, INTENTS[name], told, 4.0)
    moods = [None if one.sentiment is None else str(one.sentiment) for one in examples]
    part(pipeline, SentimentOfText).model = _taught_apart(voices, weights, MOODS, moods)
    levels = [None if one.urgency is None else str(one.urgency) for one in examples]
    part(pipeline, UrgencyOfText).model = _of_two_minds(table, voices, weights, URGENCIES, levels, _URGENCY)


def learn_register(pipeline: Language, docs: tuple[Sequence[Doc], Sequence[Doc]]) -> None:
    """The pipeline tells messages to a company, given first, from posts to the world.

    Posts count for more: a message seldom looks like one, and what looks like both is mostly a post.
    """
    component = part(pipeline, FeaturesOfText)
    named = [register for register, told in zip(REGISTERS, docs, strict=True) for _ in told]
    table = _table([component.of(doc) for told in docs for doc in told], component.vocabulary.size)
    weights = np.array([_REGISTERS[name] / max(1, named.count(name)) * len(named) for name in named], np.float32)
    targets = _one_of(REGISTERS, named)
    part(pipeline, SentimentOfText).register = _linear(REGISTERS, table, targets, strength=4.0, weights=weights)


def _voices(features: Sequence[Features], vocabulary: Vocabulary) -> tuple[Sparse, Sparse]:
    """The words of each text, and apart from them what else it shows."""
    hashed = len(vocabulary.buckets)
    words = [(one.rows[one.rows < hashed], one.values[one.rows < hashed]) for one in features]
    cues = [(one.rows[one.rows >= hashed], one.values[one.rows >= hashed]) for one in features]
    return Sparse.of(words, vocabulary.size), Sparse.of(cues, vocabulary.size)


def _taught_apart(
    voices: tuple[Sparse, Sparse], weights: Matrix, labels: tuple[str, ...], told: Sequence[str | None]
) -> Linear:
    """Words and cues each learn alone, then their scores are added.

    Taught together, words that happen to go with a cue in few examples take its weight, and plain new messages suffer:
    macro-F1 on messages of other authors is a point higher so, for functions and for moods.
    """
    words, cues = (
        _taught(voice, weights, labels, told, strength) for voice, strength in zip(voices, (_WORDS, _CUES), strict=True)
    )
    return Linear(labels, words.weights + cues.weights, words.bias + cues.bias)


def _of_two_minds(
    table: Sparse,
    voices: tuple[Sparse, Sparse],
    weights: Matrix,
    labels: tuple[str, ...],
    told: Sequence[str | None],
    strength: float,
) -> Linear:
    """The mean of a model that weighs words and cues together, and one that lets each learn alone.

    The first knows what words mean beside a cue, the second what each means without the other: their mean is a point of
    macro-F1 above both for functions, and finds more of what is urgent.
    """
    together = _taught(table, weights, labels, told, strength)
    apart = _taught_apart(voices, weights, labels, told)
    weighed = (together.weights + apart.weights / _FIRST_TEMPERATURE) / 2
    bias = (together.bias + apart.bias / _FIRST_TEMPERATURE) / 2
    return Linear(labels, weighed.astype(np.float32), bias.astype(np.float32))


def _taught(
    table: Sparse, weights: Matrix, labels: tuple[str, ...], told: Sequence[str | None], strength: float
) -> Linear:
    """A model of the rows that were told a label; None teaches nothing."""
    known = [(at, label) for at, label in enumerate(told) if label in labels]
    chosen = np.array([at for at, _ in known], np.int64)
    targets = _one_of(labels, [str(label) for _, label in known])
    return _linear(labels, table.taken(chosen), targets, strength=strength, weights=weights[chosen])


def _table(features: Sequence[Features], width: int) -> Sparse:
    return Sparse.of([(one.rows, one.values) for one in features], width)


def _one_of(labels: tuple[str, ...], told: Sequence[str]) -> Matrix:
    targets = np.zeros((len(told), len(labels)), np.float32)
    targets[np.arange(len(told)), [labels.index(label) for label in told]] = 1.0
    return targets


def _linear(
    labels: tuple[str, ...],
    table: Sparse,
    targets: Matrix,
    *,
    strength: float,
    weights: Matrix | None = None,
    exclusive: bool = True,
) -> Linear:
    found = fit(table, targets, strength=strength, weights=weights, exclusive=exclusive)
    return Linear(labels, found.weights, found.bias)
