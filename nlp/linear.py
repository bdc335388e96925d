"""A linear model over features: what it says, and how much each word had to do with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .grams import Features

Scores = NDArray[np.float32]


class Linear:
    """Weights per feature and class. Scores are logits divided by `temperature`."""

    def __init__(self, labels: tuple[str, ...], weights: Scores, bias: Scores, temperature: float = 1.0) -> None:
        self.labels, self.weights, self.bias, self.temperature = labels, weights, bias, temperature

    def logits(self, features: Features) -> Scores:
        seen: Scores = features.values @ self.weights.take(features.rows, axis=0)
        return (seen + self.bias) / np.float32(self.temperature)

    def contributions(self, features: Features, label: int) -> Scores:
        """What each source added to the label's logit beyond what it added to the labels on average; sums exactly."""
        weights = self.weights.take(features.rows, axis=0)
        gained = features.values * (weights[:, label] - weights.mean(axis=1))
        ends = np.cumsum((0, *features.counts))
        totals = np.concatenate(([0.0], np.cumsum(gained)))
        return ((totals[ends[1:]] - totals[ends[:-1]]) / self.temperature).astype(np.float32)

    def with_rows(self, more: int) -> Linear:
        """The same model with room for more features, which say nothing yet."""
        weights = np.vstack([self.weights, np.zeros((more, len(self.labels)), np.float32)])
        return Linear(self.labels, weights, self.bias, self.temperature)

    def with_labels(self, names: tuple[str, ...]) -> Linear:
        """The same model with more labels, of which it knows nothing and which are as unlikely as its rarest."""
        weights = np.hstack([self.weights, np.zeros((len(self.weights), len(names)), np.float32)])
        bias = np.concatenate([self.bias, np.full(len(names), self.bias.min(initial=0.0), np.float32)])
        return Linear((*self.labels, *names), weights, bias, self.temperature)

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float16),
            bias=self.bias.astype(np.float32),
            temperature=np.float32(self.temperature),
        )

    @classmethod
    def load(cls, path: Path) -> Linear:
        with np.load(path) as stored:
            labels = tuple(map(str, stored["labels"]))
            return cls(labels, stored["weights"].astype(np.float32), stored["bias"], float(stored["temperature"]))

    @classmethod
    def nothing(cls, labels: tuple[str, ...]) -> Linear:
        """A model that has learnt nothing and knows no feature."""
        return cls(labels, np.zeros((0, len(labels)), np.float32), np.zeros(len(labels), np.float32))


def softmax(logits: Scores) -> Scores:
    raised: Scores = np.exp(logits - logits.max())
    return raised / raised.sum()


def sigmoid(logits: Scores) -> Scores:
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
