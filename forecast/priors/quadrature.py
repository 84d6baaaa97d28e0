"""Quantiles of Beta and Gamma, and the Beta that fits three quantiles, in NumPy alone.

Both densities are smooth and unbounded on the logit or log scale, where the trapezoid rule with its first end correction is
exact to about 1e-8; importing SciPy for it would cost more than all the rest of the priors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from forecast.typing import Floats

_STEP = 0.05
_POINTS = (1001, 200_001)
PROBABILITIES = (0.05, 0.5, 0.95)
_GRID = (0.1, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0)


def quantile_on_line(
    log_density: Callable[[Floats], Floats], slope: Callable[[Floats], Floats], low: float, high: float, p: Floats
) -> Floats:
    """Quantiles at `p` of a density on the line.

    `log_density` may miss its constant, `slope` is its derivative, and [low, high] holds all but a negligible part of the mass.
    """
    n = int(np.clip((high - low) / _STEP, *_POINTS))
    z, h = np.linspace(low, high, n, retstep=True)
    log_f = log_density(z)
    f = np.exp(log_f - log_f.max())
    df = f * slope(z)
    pieces = h / 2 * (f[:-1] + f[1:]) + h * h / 12 * (df[:-1] - df[1:])
    cdf = np.concatenate([[0.0], np.cumsum(pieces)])
    f, cdf = f / cdf[-1], cdf / cdf[-1]
    i = np.clip(np.searchsorted(cdf, p) - 1, 0, n - 2)
    return z[i] + h * _solve_cubic(cdf[i], cdf[i + 1], h * f[i], h * f[i + 1], p)


def _solve_cubic(c0: Floats, c1: Floats, d0: Floats, d1: Floats, target: Floats) -> Floats:
    """Where in [0, 1] the cubic with values c and slopes d at the ends reaches `target`: Newton from the chord."""
    rise = c1 - c0
    t = (target - c0) / np.where(rise > 0, rise, 1.0)
    for _ in range(6):
        value = c0 + t * (d0 + t * (3 * rise - 2 * d0 - d1 + t * (d0 + d1 - 2 * rise)))
        speed = d0 + t * (2 * (3 * rise - 2 * d0 - d1) + 3 * t * (d0 + d1 - 2 * rise))
        t = np.clip(t - (value - target) / np.where(speed > 0, speed, np.inf), 0.0, 1.0)
    return t


def beta_quantile(a: float, b: float, p: Floats) -> Floats:
    """Quantiles of Beta(a, b) at `p`, by quadrature on the logit scale."""
    spread, middle = 9 * math.sqrt(1 / a + 1 / b), math.log(a / b)
    z = quantile_on_line(
        lambda z: -a * np.logaddexp(0, -z) - b * np.logaddexp(0, z),
        lambda z: a - (a + b) * expit(z),
        middle - spread - 34 / a,
        middle + spread + 34 / b,
        p,
    )
    return expit(z)


def gamma_quantile(shape: float, rate: float, p: Floats) -> Floats:
    """Quantiles of Gamma(shape, rate) at `p`, by quadrature on the log scale."""
    z = quantile_on_line(
        lambda z: shape * z - np.exp(z),
        lambda z: shape - np.exp(z),
        math.log(shape) - 9 / math.sqrt(shape) - 34 / shape,
        math.log(shape + 9 * math.sqrt(shape) + 40),
        p,
    )
    return np.asarray(np.exp(z) / rate)


@lru_cache(maxsize=256)
def fit_beta(q05: float, q50: float, q95: float) -> tuple[float, float]:
    """(a, b) of the Beta whose 5, 50 and 95 % quantiles are nearest to those given, by least squares (Levenberg and Marquardt)."""
    target, p = np.array([q05, q50, q95]), np.array(PROBABILITIES)
    variance = max(((q95 - q05) / 3.29) ** 2, 1e-12)
    usual = float(np.clip(q50 * (1 - q50) / variance - 1, 0.2, 1e6))

    def miss(log_ab: Floats) -> Floats:
        a, b = np.exp(log_ab)
        return np.asarray(beta_quantile(float(a), float(b), p) - target)

    def size_of(residual: Floats) -> float:
        return float(residual @ residual)

    at, residual = _least_squares(miss, np.log([q50 * usual, (1 - q50) * usual]))
    if np.abs(residual).max() > 0.02 * (q95 - q05):  # a skewed one: the interval's width may be a poor guide to where to begin
        other, left = _least_squares(miss, min((np.log([a, b]) for a in _GRID for b in _GRID), key=lambda start: size_of(miss(start))))
        at = other if size_of(left) < 0.9 * size_of(residual) else at
    return float(np.exp(at[0])), float(np.exp(at[1]))


def _least_squares(miss: Callable[[Floats], Floats], at: Floats) -> tuple[Floats, Floats]:
    """Where, near `at`, the squares of `miss` sum to least, and what it misses by there: Levenberg and Marquardt."""
    residual, damping = miss(at), 1e-3
    for _ in range(60):
        jacobian = np.column_stack([(miss(at + step) - residual) / 1e-5 for step in 1e-5 * np.eye(2)])
        gram, gradient = jacobian.T @ jacobian, jacobian.T @ residual
        damped = gram + damping * np.diag(np.diag(gram)) + 1e-18 * np.eye(2)
        if np.linalg.matrix_rank(damped) < 2:
            break  # nothing moves any more
        step = np.clip(-np.linalg.solve(damped, gradient), -2.0, 2.0)
        trial = miss(np.clip(at + step, -4.0, 14.0))
        if trial @ trial <= residual @ residual:
            at, residual, damping = np.clip(at + step, -4.0, 14.0), trial, damping / 5
            if np.abs(step).max() < 1e-8:
                break
        else:
            damping *= 8
            if damping > 1e9:
                break
    return at, residual


def expit(z: Floats) -> Floats:
    """1 / (1 + e^{−z}), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(z, dtype=float))))
