"""Pareto-smoothed importance sampling: weights whose largest are replaced by quantiles of a generalised Pareto fitted to them.

Vehtari, Simpson, Gelman, Yao and Gabry, Pareto smoothed importance sampling, JMLR 25 (2024); the fit is that of Zhang and Stephens,
Technometrics 51 (2009), with the weak prior on the shape that the former recommend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from forecast.typing import Floats

K_HAT_MAX: Final = 0.7
"""From this k̂ on, a few draws dominate the estimate."""
ESS_MIN: Final = 400.0
"""Smallest effective number of draws. Both limits apply to every estimate from weighted draws."""

_PRIOR_DRAWS = 10  # weight of the prior shape of one half, in draws
_GRID = 30
_MIN_TAIL = 5


@dataclass(frozen=True)
class SmoothedWeights:
    """Normalised weights [S], the shape k̂ of their tail (−inf if there is none to fit), and the effective number of draws."""

    weights: Floats
    k_hat: float
    ess: float


def weight_problem(k_hat: float, ess: float) -> str:
    """Why weighted draws are too poor for an estimate, in words; empty if they are good enough. NaN is not."""
    reasons = []
    if not k_hat < K_HAT_MAX:
        reasons.append(f"k̂ is {k_hat:.2f} and must be below {K_HAT_MAX}")
    if not ess >= ESS_MIN:
        reasons.append(f"{ess:,.0f} draws are effective where at least {ESS_MIN:,.0f} must be")
    return "; ".join(reasons)


def finite_k_hat(k_hat: float) -> float | None:
    """k̂ for JSON, which has no infinities: None for −inf (all weights are equal) and for +inf (no Pareto fits the tail)."""
    return k_hat if np.isfinite(k_hat) else None


def pareto_smooth(log_ratios: Floats) -> SmoothedWeights:
    """Smoothed weights from log ratios [S] of target over proposal density; a constant added to all changes nothing.

    Ratios are finite or −inf. If all are equal, so are the weights, and there is no tail. If all are −inf, no draw is where the target is:
    weights are equal, k̂ is infinite and none is effective.
    """
    n, top = len(log_ratios), np.max(log_ratios)
    if top == -np.inf:
        return SmoothedWeights(np.full(n, 1.0 / n), np.inf, 0.0)
    log_weights = np.asarray(log_ratios, float) - top
    tail = int(min(0.2 * n, 3.0 * np.sqrt(n)))
    order = np.argpartition(log_weights, n - tail - 1) if tail < n else np.arange(n)
    cut = log_weights[order[n - tail - 1]] if tail < n else -np.inf
    largest = order[n - tail :]
    largest = largest[np.argsort(log_weights[largest])]
    k_hat = -np.inf
    if tail >= _MIN_TAIL and np.isfinite(cut) and log_weights[largest[-1]] - log_weights[largest[0]] > 1e-10:
        threshold = np.exp(cut)
        k_hat, scale = fit_generalised_pareto(np.exp(log_weights[largest]) - threshold)
        if np.isfinite(k_hat):
            ranks = (np.arange(tail) + 0.5) / tail
            log_weights[largest] = np.minimum(np.log(threshold + generalised_pareto_quantile(ranks, k_hat, scale)), 0.0)
    weights = np.exp(log_weights)
    weights /= weights.sum()
    return SmoothedWeights(weights, float(k_hat), float(1.0 / np.sum(weights**2)))


def fit_generalised_pareto(excess: Floats) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto for sorted excesses over a threshold; positive shapes have heavy tails.

    The shape is infinite if a quarter of them are equal: then nearly all the weight lies on a few, and no Pareto fits.
    """
    n = len(excess)
    quartile = excess[int(n / 4 + 0.5) - 1]
    if not quartile > excess[0]:
        return np.inf, np.nan
    m = _GRID + int(np.sqrt(n))
    b = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    b = b / (3.0 * quartile) + 1.0 / excess[-1]
    k = np.log1p(-b[:, None] * excess).mean(1)
    log_likelihood = n * (np.log(-b / k) - k - 1.0)
    weight = np.exp(log_likelihood - log_likelihood.max())
    weight /= weight.sum()
    keep = weight >= 10 * np.finfo(float).eps
    b, weight = b[keep], weight[keep] / weight[keep].sum()
    best = float(np.sum(b * weight))
    shape = float(np.log1p(-best * excess).mean())
    scale = -shape / best
    return (n * shape + _PRIOR_DRAWS * 0.5) / (n + _PRIOR_DRAWS), scale


def generalised_pareto_quantile(p: Floats, shape: float, scale: float) -> Floats:
    """Quantiles of a generalised Pareto at probabilities p, any shape."""
    if abs(shape) < 1e-12:
        return np.asarray(-scale * np.log1p(-p))
    return np.asarray(scale * np.expm1(-shape * np.log1p(-p)) / shape)
