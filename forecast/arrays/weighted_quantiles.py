"""Quantiles of draws that stand in rows of unequal weight."""

from __future__ import annotations

import numpy as np

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
