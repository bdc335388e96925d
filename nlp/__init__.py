"""Triage of customer messages: text in, what it asks for out. Plain Python on spaCy: no Django, network or clock.

Beside reading: `calibration` says what a threshold is worth, `lessons` what a workspace can teach and what it should be
asked, `retraining` (imported by itself, for it loads spaCy) makes a candidate of them and compares it.
"""

from .calibration import Point, at_threshold, calibrated, coverage_curve, threshold_for
from .labels import KNOWN_INTENTS
from .lessons import BadLesson, Example, OwnIntent, lesson_key, most_teaching, own_examples, own_phrases
from .reading import Reading, Triage
from .redaction import redact
from .serving import load, ready, triage
from .standing import standing_answers
from .values import value_of

__all__ = [
    "KNOWN_INTENTS",
    "BadLesson",
    "Example",
    "OwnIntent",
    "Point",
    "Reading",
    "Triage",
    "at_threshold",
    "calibrated",
    "coverage_curve",
    "lesson_key",
    "load",
    "most_teaching",
    "own_examples",
    "own_phrases",
    "ready",
    "redact",
    "standing_answers",
    "threshold_for",
    "triage",
    "value_of",
]
