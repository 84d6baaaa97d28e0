"""Quantiles of draws that stand in rows of unequal weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecast.typing import Floats

INTERVAL = 0.8
"""The share of an interval, equal-tailed."""


def weighted_interval(draws: Floats, weights: Floats, level: float = INTERVAL) -> tuple[float, float]:
    """Equal-tailed interval over pooled draws [R, S], each row sharing its weight."""
    low, high = weighted_quantile(draws, weights, np.array([(1 - level) / 2, (1 + level) / 2]))
    return float(low), float(high)


def weighted_quantile(draws: Floats, weights: Floats, p: Floats) -> Floats:
    """Quantiles of pooled draws [R, S], each row sharing its weight [R]; linear between the middles of the draws' shares."""
    flat = draws.ravel()
    share = np.repeat(weights / draws.shape[1], draws.shape[1])
    order = np.argsort(flat)
    cumulative = np.cumsum(share[order])
    return np.asarray(np.interp(p * cumulative[-1], cumulative - share[order] / 2, flat[order]))


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
