"""Teaches a pipeline in the order its parts rely on each other: mood of posts, language, then what messages ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from ..assembly import assembled
from . import fitting
from .corpora import Example
from .material import Material

VERSION = "2.2.0"
Say = Callable[[str], None]


class Reader:
    """Reads each example once with what a pipeline knew of moods and languages when it was first asked."""

    def __init__(self, pipeline: Language) -> None:
        self._pipeline = pipeline
        self._docs: dict[int, tuple[Example, Doc]] = {}  # with the example, so that no other gets its id

    def docs(self, examples: Sequence[Example]) -> list[Doc]:
        new = [one for one in examples if id(one) not in self._docs]
        for one, doc in zip(new, fitting.read_before_features(self._pipeline, new), strict=True):
            self._docs[id(one)] = (one, doc)
        return [self._docs[id(one)][1] for one in examples]


def started(material: Material, say: Say) -> Language:
    """A pipeline that knows the mood of public posts and the languages of public sentences and our own messages."""
    pipeline = assembled()
    pipeline.meta.update(name="triage", version=VERSION, description="Triage of customer messages", license="MIT")
    say(f"mood: {len(material.posts):,} rated posts")
    fitting.learn_mood(pipeline, material.posts)
    learn_language(pipeline, material, material.own, say)
    return pipeline


def learn_language(pipeline: Language, material: Material, messages: Sequence[Example], say: Say) -> None:
    """The pipeline knows the languages of these messages, of the public sentences and of everyday phrases.

    Not of the lexicon's phrases: they are written without accents, which tell languages apart.
    """
    sentences = [*material.sentences, *messages]
    say(f"language: {len(sentences):,} texts")
    fitting.learn_language(pipeline, sentences)


def learn(reader: Reader, pipeline: Language, material: Material, messages: Sequence[Example], say: Say) -> None:
    """The pipeline knows what these messages ask, and nothing of others it was taught before."""
    examples, posts = [*messages, *material.beside], material.some_posts
    say(f"what messages ask: {len(examples):,} texts")
    taught(pipeline, examples, reader.docs(examples))
    fitting.learn_register(pipeline, (reader.docs(messages), reader.docs(posts)))


def taught(pipeline: Language, examples: Sequence[Example], docs: list[Doc] | None = None) -> Language:
    """The pipeline, its language and mood known, also knows what the examples show. Reads them if nobody has."""
    docs = docs if docs is not None else fitting.read_before_features(pipeline, examples)
    fitting.learn_vocabulary(pipeline, docs)
    fitting.learn_readings(pipeline, fitting.features_of(pipeline, docs, examples), examples)
    return pipeline
