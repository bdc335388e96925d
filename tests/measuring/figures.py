"""Figures that every part of the bench gives in the same shape."""

import statistics
from collections.abc import Sequence


def quantiles(times: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99, in the unit of `times`."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "p99": round(cuts[98], 2)}
