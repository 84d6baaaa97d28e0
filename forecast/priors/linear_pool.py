"""Joining what several sources say of one number: the linear pool, a widening for what none of them knows, and quantiles of the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from forecast.priors.distributions import Normal
from forecast.typing import Floats

_NODES: Final = 41
_IQR: Final = NormalDist().inv_cdf(0.75) - NormalDist().inv_cdf(0.25)


@dataclass(frozen=True, eq=False)
class WeightedSample:
    """A distribution as values and their weights, which sum to one; one-dimensional, of one length."""

    values: Floats
    weights: Floats

    def quantile(self, p: ArrayLike) -> Floats:
        """Quantiles at `p`, linear between the midpoints of the steps of the distribution function."""
        order = np.argsort(self.values, kind="stable")
        weights = self.weights[order]
        return np.asarray(np.interp(np.asarray(p, dtype=float), np.cumsum(weights) - weights / 2, self.values[order]))

    def interval(self) -> Floats:
        """The 5, 50 and 95 % quantiles."""
        return self.quantile([0.05, 0.5, 0.95])


def linear_pool(samples: Mapping[str, Floats], weights: Mapping[str, float]) -> WeightedSample:
    """The mixture of the sources' distributions: each sample, of any length, has the weight of its source.

    Stone 1961. ValueError unless the sources are the same and the weights are positive; they are made to sum to one.
    """
    if set(samples) != set(weights):
        raise ValueError(f"sources {sorted(samples)} but weights of {sorted(weights)}")
    if not samples or min(weights.values()) <= 0:
        raise ValueError("every source needs a weight above 0")
    total = sum(weights.values())
    values = [np.asarray(samples[name], float).ravel() for name in weights]
    shares = [np.full(v.size, weights[name] / total / v.size) for name, v in zip(weights, values, strict=True)]
    return WeightedSample(np.concatenate(values), np.concatenate(shares))


def widen(pooled: WeightedSample, sd: float) -> WeightedSample:
    """Add an independent normal of this standard deviation: each value is spread over normal steps, so that no noise comes in."""
    if sd < 0:
        raise ValueError("a distribution cannot be widened by less than nothing")
    edges = [NormalDist().inv_cdf(k / _NODES) for k in range(1, _NODES)]
    density = np.array([0.0, *(NormalDist().pdf(z) for z in edges), 0.0])
    nodes = _NODES * (density[:-1] - density[1:])  # means of parts of equal probability
    return WeightedSample((pooled.values[:, None] + sd * nodes).ravel(), np.repeat(pooled.weights / _NODES, _NODES))


def central_normal(pooled: WeightedSample) -> Normal:
    """The normal with the pool's median and quartiles: its middle is matched, long tails that one thin source adds are not."""
    low, middle, high = pooled.quantile([0.25, 0.5, 0.75])
    return Normal(float(middle), float((high - low) / _IQR))
