"""What fades with a half-life: memories of events, by month, and the stationary AR(1) drift, at yearly knots."""

from __future__ import annotations

import numpy as np

from forecast.typing import Floats


def decay(half_life: float) -> float:
    """The share of a memory that one month leaves; the half-life is in months."""
    return float(2.0 ** (-1.0 / half_life))


def impulse_step(memory: Floats, gain: Floats, relief: Floats, keep: float | Floats) -> Floats:
    """The impulse memory a month later, of any shape.

    memory        the memory so far
    gain, relief  intensities of the month's strongest impulse and strongest relaxation, 0 for none
    keep          the share that a month leaves
    A gain lifts the memory to log1p(gain) if that is more than what is kept. A relaxation takes half of log1p(relief). Never below zero.
    """
    kept = np.maximum(keep * memory, np.where(gain > 0, np.log1p(gain), 0.0))
    return np.asarray(np.maximum(kept - 0.5 * np.log1p(relief), 0.0))


def peak_memory(strength: Floats, keep: float) -> Floats:
    """A memory of peaks over the last axis of non-negative strengths: e_t = max(keep · e_{t−1}, log1p(strength_t))."""
    out = np.zeros_like(strength, dtype=float)
    e = np.zeros(strength.shape[:-1])
    for t in range(strength.shape[-1]):
        e = np.maximum(keep * e, np.log1p(strength[..., t]))
        out[..., t] = e
    return out


def knot_weights(n_months: int, n_knots: int) -> Floats:
    """Weights [n_months, n_knots] of linear interpolation between knots each January; month 0 is a January."""
    years, part = np.divmod(np.arange(n_months), 12)
    out = np.zeros((n_months, n_knots))
    out[np.arange(n_months), years] = 1.0 - part / 12.0
    out[np.arange(n_months), years + 1] += part / 12.0
    return out


def yearly_persistence(half_life: Floats | float) -> Floats:
    """ρ, the autocorrelation of the drift from one knot to the next, from half-lives in months (any shape)."""
    return np.asarray(2.0 ** (-12.0 / np.asarray(half_life, float)))


def with_persistence(drift: Floats, old: Floats, new: Floats) -> Floats:
    """A stationary AR(1) [S, knots] with another ρ, from the same normals and with the same variance; old, new: ρ by draw [S]."""
    scale = np.sqrt((1.0 - new**2) / (1.0 - old**2))
    out = drift.copy()
    for k in range(1, drift.shape[1]):
        out[:, k] = new * out[:, k - 1] + scale * (drift[:, k] - old * drift[:, k - 1])
    return out


def extended(drift: Floats, sd: Floats, rho: Floats, n_knots: int, rng: np.random.Generator) -> Floats:
    """A stationary AR(1) [S, knots] carried on to `n_knots` knots; sd [S] of a knot, rho [S]. Unchanged if it has so many."""
    missing = n_knots - drift.shape[1]
    if missing <= 0:
        return drift
    knots = list(drift.T)
    for _ in range(missing):
        knots.append(rho * knots[-1] + sd * np.sqrt(1.0 - rho**2) * rng.standard_normal(len(sd)))
    return np.array(knots).T
