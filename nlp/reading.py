"""What goes into triage and what comes out: the contract other packages rely on. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One customer message to read, with what is known around it."""

    text: str
    previous: tuple[str, ...] = ()  # the customer's earlier texts in this conversation, oldest first
    languages: tuple[str, ...] = ()  # ISO 639-1 codes the workspace speaks; empty: all seven
    products: tuple[str, ...] = ()  # names from the workspace's catalogue
    at: datetime | None = None  # when it was written; kept for callers, the model has no clock


@dataclass(frozen=True, slots=True)
class Triage:
    """What one message asks for, of whom, how it feels and how fast it must be answered."""

    function: str  # marketing, sales, support or none: who acts first
    functions: tuple[tuple[str, float], ...]  # every function asked for with its own confidence, main first
    intent: str  # a name from the taxonomy, always one of `function`
    confidence: float  # calibrated probability that `function` is right
    sentiment: int  # -1, 0, 1: the mood toward the company
    sentiment_score: float  # -1..1
    urgency: int  # 0 nobody acts, 1 normal, 2 today, 3 now
    language: str  # ISO 639-1, or "und" when it cannot be known
    entities: tuple[tuple[str, str], ...]  # (type, the text as written), in reading order
    because: tuple[str, ...]  # at most six words or phrases that weighed, as they stand in the text
    model_version: str
    shares: tuple[tuple[str, float], ...] = ()  # how likely each function is the main one, in the order of FUNCTIONS
    asked: tuple[tuple[str, float], ...] = ()  # how likely each function is asked for at all, also beside another
    urgency_shares: tuple[float, ...] = ()  # how likely each level of urgency is
