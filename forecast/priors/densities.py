"""Log densities and quantiles that several families share, in NumPy."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from forecast.typing import Floats

_LOG_2PI = math.log(2 * math.pi)
_STANDARD = NormalDist()


def inside(p: ArrayLike) -> Floats:
    p = np.asarray(p, dtype=float)
    if not np.all((p > 0) & (p < 1)):
        raise ValueError("quantiles are for probabilities strictly between 0 and 1")
    return p


def standard_quantile(p: ArrayLike) -> Floats:
    p = inside(p)
    return np.array([_STANDARD.inv_cdf(v) for v in p.ravel()]).reshape(p.shape)


def normal_logpdf(x: Floats, mean: float, sd: float) -> Floats:
    return np.asarray(-0.5 * (((x - mean) / sd) ** 2 + _LOG_2PI) - math.log(sd))


def beta_logpdf(x: Floats, a: float, b: float) -> Floats:
    clipped = np.clip(x, 0.0, 1.0)
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return np.where((x < 0) | (x > 1), -np.inf, constant + times_log(a - 1, clipped) + times_log(b - 1, 1 - clipped))


def times_log(factor: float, x: Floats) -> Floats:
    """factor · log x, with 0 · log 0 = 0."""
    if factor == 0:
        return np.zeros_like(x)
    with np.errstate(divide="ignore"):
        return factor * np.log(x)
