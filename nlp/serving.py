"""Loads the shipped pipeline once and reads messages with it."""

from __future__ import annotations

from collections.abc import Sequence

from .reading import Reading, Triage


def load() -> None:
    """STUB until the trained pipeline lands."""


def ready() -> bool:
    """STUB."""
    return True


def triage(readings: Sequence[Reading]) -> list[Triage]:
    """STUB: everything is support with little confidence."""
    return [Triage("support", (("support", 0.3),), "how_to", 0.3, 0, 0.0, 1, "en", (), (), "stub") for _ in readings]
