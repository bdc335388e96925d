"""Puts the pipeline's components together. Importing this registers them with spaCy."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import spacy
from spacy.language import Language

from .components import cues, entities, features, function, intent, language, mood, sentiment, urgency
from .words import blank_pipeline

Part = TypeVar("Part")
SHIPPED = Path(__file__).parent / "pipeline"
BEFORE_FEATURES = ("crm_words", "crm_language", "crm_entities", "crm_cues", "crm_mood")
READERS = ("crm_features", "crm_function", "crm_intent", "crm_sentiment", "crm_urgency")
FACTORIES = (cues, entities, features, function, intent, language, mood, sentiment, urgency)  # each registers its own


def assembled() -> Language:
    """A pipeline that has learnt nothing yet."""
    pipeline = blank_pipeline()
    for name in (*BEFORE_FEATURES, *READERS):
        pipeline.add_pipe(name)
    return pipeline


def loaded(path: Path = SHIPPED) -> Language:
    """The trained pipeline of a folder. Raises OSError when there is none."""
    return spacy.load(path)


def part(pipeline: Language, kind: type[Part]) -> Part:
    """The pipeline's component of a class. Raises StopIteration when it has none."""
    return next(component for _, component in pipeline.pipeline if isinstance(component, kind))
