"""How sure a reading may call itself, and what a threshold is worth. Plain numbers in, plain numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Answer = tuple[float, bool]  # how sure (0..1), and whether it was right


@dataclass(frozen=True, slots=True)
class Point:
    """What happens when everything at least this sure goes without a person."""

    threshold: float  # 0..1
    coverage: float  # share of all messages that go alone
    precision: float  # share of those that are right; 1.0 when none goes


def coverage_curve(answers: Sequence[Answer], points: int = 101) -> list[Point]:
    """The curve from threshold 0 to 1 in even steps. Empty when there are no answers."""
    if not answers:
        return []
    return [at_threshold(answers, step / (points - 1)) for step in range(points)]


def at_threshold(answers: Sequence[Answer], threshold: float) -> Point:
    """What one threshold would have done with these answers."""
    going = [is_right for confidence, is_right in answers if confidence >= threshold]
    precision = sum(going) / len(going) if going else 1.0
    return Point(threshold, len(going) / max(1, len(answers)), precision)


def threshold_for(answers: Sequence[Answer], precision: float) -> float | None:
    """The lowest confidence above which at least this share is right. None when no threshold keeps that word."""
    right, lowest = 0, None
    ordered = sorted(answers, key=lambda answer: -answer[0])
    for place, (confidence, is_right) in enumerate(ordered, start=1):
        right += is_right
        ends_here = place == len(ordered) or ordered[place][0] < confidence  # equally sure ones go together
        if ends_here and right >= precision * place:
            lowest = confidence
    return lowest


def calibrated(confidences: Sequence[float], answers: Sequence[Answer]) -> list[float]:
    """The share of right answers to expect at each confidence, learnt from earlier answers (isotonic regression).

    Between two known steps it is drawn straight; beyond the ends it stays. Without answers nothing changes.
    """
    steps = _rising(answers)
    return [_at(confidence, steps) for confidence in confidences] if steps else list(confidences)


def _rising(answers: Sequence[Answer]) -> list[tuple[float, float]]:
    """(mean confidence, share right) of neighbours pooled until the shares never fall."""
    told: dict[float, list[bool]] = {}
    for confidence, is_right in sorted(answers):
        told.setdefault(confidence, []).append(is_right)
    pools: list[list[float]] = []  # sum of confidences, number right, number of answers
    for confidence, rights in told.items():
        pools.append([confidence * len(rights), float(sum(rights)), float(len(rights))])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            later = pools.pop()
            pools[-1] = [one + other for one, other in zip(pools[-1], later, strict=True)]
    return [(summed / count, right / count) for summed, right, count in pools]


def _at(confidence: float, steps: list[tuple[float, float]]) -> float:
    if confidence <= steps[0][0]:
        return steps[0][1]
    for (low, low_share), (high, high_share) in pairwise(steps):
        if confidence <= high:
            return low_share + (high_share - low_share) * (confidence - low) / (high - low)
    return steps[-1][1]
