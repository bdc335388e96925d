"""One command from the corpora to a pipeline on disk. The same data and seed give the same pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spacy.language import Language

from ..assembly import assembled
from ..measuring import Pair, figures
from ..reading import Reading
from ..serving import read_with
from . import corpora, fitting
from .card import card
from .phrases import phrases

VERSION = "1.0.0"
SEED = 20_260
Say = Callable[[str], None]


def trained(folder: Path, say: Say) -> Language:
    """A pipeline taught by every training file of the folder, none of them the dev or a test file."""
    pipeline = assembled()
    pipeline.meta.update(name="triage", version=VERSION, description="Triage of customer messages", license="MIT")
    messages = corpora.hand_written(folder)
    say(f"language: {len(messages):,} messages and the public sentences")
    fitting.learn_language(pipeline, [*corpora.in_languages(folder), *messages])
    posts = corpora.rated(folder)
    say(f"mood: {len(posts):,} rated posts")
    fitting.learn_mood(pipeline, posts)
    return taught(pipeline, [*messages, *corpora.nothing_asked(folder, SEED), *phrases()], say)


def taught(pipeline: Language, examples: list[corpora.Example], say: Say) -> Language:
    """The pipeline, its language and mood known, also knows what the examples show."""
    say(f"words and cues: {len(examples):,} texts")
    docs = fitting.read_before_features(pipeline, examples)
    fitting.learn_vocabulary(pipeline, docs)
    features = fitting.features_of(pipeline, docs, examples)
    say("function, intent, sentiment, urgency")
    fitting.learn_readings(pipeline, features, examples)
    return pipeline


def train(folder: Path, out: Path, say: Say) -> None:
    """The trained pipeline and its model card are in `out`; the figures come from dev, which it never saw."""
    pipeline = trained(folder, say)
    dev = corpora.labelled(folder / corpora.DEV)
    say(f"measuring on {len(dev)} messages of {corpora.DEV}")
    readings = [Reading(one.text, previous=one.previous) for one in dev]
    pairs = [Pair(one, read) for one, read in zip(dev, read_with(pipeline, readings), strict=True)]
    found = figures(pairs)
    pipeline.meta["performance"] = found
    pipeline.to_disk(out, exclude=["vocab"])  # its strings are the texts that were read: nobody else's business
    (out / "MODEL_CARD.md").write_text(card(found, VERSION), encoding="utf-8")
    say("\n".join(f"{name:24} {value:9.3f}" for name, value in found.items()))
