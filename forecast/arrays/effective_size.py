"""The effective number of draws of a chain for its mean. `arviz_stats` is the reference; it takes seconds to load."""

from __future__ import annotations

import math

import numpy as np

from forecast.typing import Floats


def mean_ess(chains: Floats) -> float:
    """For draws [chain, draw], at least 8 a chain; each chain is split in two, and Geyer's sequences end the sum of autocorrelations.

    Vehtari, Gelman, Simpson, Carpenter and Bürkner, Rank-normalization, folding, and localization, Bayesian Analysis 16 (2021).
    """
    half = chains.shape[1] // 2
    halves = np.concatenate([chains[:, :half], chains[:, -half:]])
    if np.ptp(halves) < np.finfo(float).resolution:
        return float(halves.size)
    covariance = _autocovariance(halves).mean(0)  # over chains, by lag
    within = covariance[0] * half / (half - 1.0)
    total = covariance[0] + halves.mean(1).var(ddof=1)
    rho = 1.0 - (within - covariance) / total
    rho[0] = 1.0
    pairs = rho[: 2 * ((half - 1) // 2)].reshape(-1, 2).sum(1)
    ends = np.flatnonzero(pairs <= 0.0)  # the sum ends in the first pair that is not above zero, else in the last there is
    last = int(ends[0]) if ends.size else len(pairs) - 1
    rest = float(rho[2 * last])
    tau = -1.0 + 2.0 * np.minimum.accumulate(pairs[:last]).sum() + (max(rest, 0.0) if pairs[last] < 0.0 else rest)
    return float(halves.size / max(tau, 1.0 / math.log10(halves.size)))


def _autocovariance(chains: Floats) -> Floats:
    """[chain, lag], by Fourier transforms of twice the length."""
    n = chains.shape[1]
    spectrum = np.fft.rfft(chains - chains.mean(1, keepdims=True), 2 * n)
    return np.asarray(np.fft.irfft(spectrum * spectrum.conj(), 2 * n)[:, :n] / n)
