"""Distributions that are given by weighted values: quantiles, intervals, mean and variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from forecast.typing import Floats

INTERVAL: Final = 0.8
"""Probability of an interval; as much lies below it as above it."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightedSample:
    """A distribution as values and weights.

    values   [n]
    weights  [n], not negative; they need not sum to one
    """

    values: Floats
    weights: Floats

    @classmethod
    def equal(cls, values: Floats) -> WeightedSample:
        """Values [n] of equal weight, 1/n each."""
        return cls(values, np.full(len(values), 1.0 / len(values)))

    @classmethod
    def mixture(cls, rows: Floats, weights: ArrayLike) -> WeightedSample:
        """The mixture of rows [R, S]: the draws of a row share its weight, weights [R]."""
        return cls(rows.ravel(), np.repeat(np.asarray(weights, float) / rows.shape[1], rows.shape[1]))

    def quantile(self, p: ArrayLike) -> Floats:
        """Quantiles at probabilities p of any shape, linear between the midpoints of the steps of the distribution function."""
        order = np.argsort(self.values)
        weights = self.weights[order]
        cumulative = np.cumsum(weights)
        return np.asarray(np.interp(np.asarray(p, float) * cumulative[-1], cumulative - weights / 2, self.values[order]))

    def interval(self, level: float = INTERVAL) -> tuple[float, float]:
        """The ends of the equal-tailed interval of probability `level`."""
        low, high = self.quantile([(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    @property
    def mean(self) -> float:
        return float(self.weights @ self.values / self.weights.sum())

    @property
    def variance(self) -> float:
        return float(self.weights @ (self.values - self.mean) ** 2 / self.weights.sum())


def quantiles_by_row(rows: Floats, weights: Floats, p: Sequence[float]) -> Floats:
    """Quantiles [len(p), Q] of rows [Q, n] that share their weights [n]."""
    return np.array([WeightedSample(row, weights).quantile(p) for row in rows]).T
