"""Triage of customer messages: text in, what it asks for out. Plain Python on spaCy: no Django, network or clock."""

from .reading import Reading, Triage
from .redaction import redact
from .serving import load, ready, triage

__all__ = ["Reading", "Triage", "load", "ready", "redact", "triage"]
