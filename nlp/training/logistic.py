"""Logistic regression on sparse rows in numpy: softmax or one-against-rest, L2, fitted by L-BFGS. Repeatable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
_STEPS = 60
Goal = Callable[[Matrix], tuple[float, Matrix]]


@dataclass(frozen=True, slots=True)
class Sparse:
    """Rows of (column, value); `by_column` holds the same, ordered by column, so both products are fast."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: Matrix
    width: int

    @classmethod
    def of(cls, rows: list[tuple[NDArray[np.int32], Matrix]], width: int) -> Sparse:
        starts = np.concatenate(([0], np.cumsum([len(columns) for columns, _ in rows])))
        columns = np.concatenate([columns for columns, _ in rows])
        return cls(starts, columns, np.concatenate([values for _, values in rows]).astype(np.float32), width)

    def taken(self, chosen: NDArray[np.int64]) -> Sparse:
        """Only the chosen rows, in that order."""
        spans = [slice(self.starts[row], self.starts[row + 1]) for row in chosen]
        return Sparse.of([(self.columns[span], self.values[span]) for span in spans], self.width)

    @property
    def height(self) -> int:
        return len(self.starts) - 1

    def times(self, weights: Matrix) -> Matrix:
        parts = weights.take(self.columns, axis=0)  # four times as fast as indexing
        parts *= self.values[:, None]
        return _summed(parts, self.starts)

    def backward(self) -> Sparse:
        """The transposed matrix."""
        order = np.argsort(self.columns, kind="stable")
        rows = np.repeat(np.arange(self.height, dtype=np.int32), np.diff(self.starts))
        starts = np.concatenate(([0], np.cumsum(np.bincount(self.columns, minlength=self.width))))
        return Sparse(starts, rows[order], self.values[order], self.height)


def _summed(parts: Matrix, starts: NDArray[np.int64]) -> Matrix:
    """Sums of consecutive stretches; an empty one is 0."""
    summed = np.zeros((len(starts) - 1, parts.shape[1]), np.float32)
    filled = np.diff(starts) > 0
    if filled.any():
        summed[filled] = np.add.reduceat(parts, starts[:-1][filled], axis=0)
    return summed


@dataclass(frozen=True, slots=True)
class Fit:
    weights: Matrix
    bias: Matrix


def fit(
    rows: Sparse,
    targets: Matrix,
    *,
    strength: float,
    exclusive: bool = True,
    weights: Matrix | None = None,
    known: Matrix | None = None,
) -> Fit:
    """The weights that explain `targets` (rows by classes, shares of 0..1). `strength` is C: more fits closer.

    `known` is what another model says of the rows already, in logits: then only what it lacks is learnt.
    """
    before = np.zeros_like(targets) if known is None else known
    weight = (np.ones(rows.height, np.float32) if weights is None else weights)[:, None]
    columns, classes = rows.backward(), targets.shape[1]

    def goal(flat: Matrix) -> tuple[float, Matrix]:
        matrix = flat.reshape(rows.width + 1, classes)
        guess, loss = _outcome(before + rows.times(matrix[:-1]) + matrix[-1], targets, weight, exclusive)
        error = (guess - targets) * weight
        slope = np.vstack([columns.times(error) * strength + matrix[:-1], error.sum(axis=0) * strength])
        penalty = 0.5 * float(np.vdot(matrix[:-1], matrix[:-1]))
        return strength * loss + penalty, slope.ravel().astype(np.float32)

    found = lbfgs(goal, np.zeros((rows.width + 1) * classes, np.float32), _STEPS).reshape(-1, classes)
    return Fit(found[:-1].astype(np.float32), found[-1].astype(np.float32))


def _outcome(logits: Matrix, targets: Matrix, weight: Matrix, exclusive: bool) -> tuple[Matrix, float]:
    if exclusive:
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        guess = raised / raised.sum(axis=1, keepdims=True)
        return guess, float(-(weight * targets * np.log(guess + 1e-9)).sum())
    guess = (1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
    inner = targets * np.log(guess + 1e-9) + (1 - targets) * np.log(1 - guess + 1e-9)
    return guess, float(-(weight * inner).sum())


def lbfgs(goal: Goal, start: Matrix, steps: int, memory: int = 10) -> Matrix:
    """The point near the least `goal` after at most `steps` steps; stops early when nothing moves."""
    point, (value, slope) = start, goal(start)
    past: list[tuple[Matrix, Matrix]] = []
    for _ in range(steps):
        move = _direction(slope, past)
        size = 1.0 if past else min(1.0, 1.0 / (float(np.abs(slope).sum()) + 1e-12))
        tried = _descend(goal, point, value, slope, move, size)
        if tried is None:
            break
        new_point, new_value, new_slope = tried
        past = [*past[-(memory - 1) :], (new_point - point, new_slope - slope)]
        settled = abs(value - new_value) < 1e-5 * abs(value)
        point, value, slope = new_point, new_value, new_slope
        if settled:
            break
    return point


def _direction(slope: Matrix, past: list[tuple[Matrix, Matrix]]) -> Matrix:
    turned, kept = slope.copy(), []
    for moved, bent in reversed(past):
        share = float(np.vdot(moved, turned)) / (float(np.vdot(moved, bent)) + 1e-12)
        kept.append(share)
        turned -= share * bent
    if past:
        moved, bent = past[-1]
        turned *= float(np.vdot(moved, bent)) / (float(np.vdot(bent, bent)) + 1e-12)
    for (moved, bent), share in zip(past, reversed(kept), strict=True):
        turned += moved * (share - float(np.vdot(bent, turned)) / (float(np.vdot(moved, bent)) + 1e-12))
    return -turned


def _descend(
    goal: Goal, point: Matrix, value: float, slope: Matrix, move: Matrix, size: float
) -> tuple[Matrix, float, Matrix] | None:
    gain = float(np.vdot(slope, move))
    for _ in range(15):
        tried = point + np.float32(size) * move
        new_value, new_slope = goal(tried)
        if new_value <= value + 1e-4 * size * gain:
            return tried, new_value, new_slope
        size *= 0.5
    return None
