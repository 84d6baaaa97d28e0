"""Memories with a half-life: what a month keeps of the months before."""

from __future__ import annotations

import numpy as np

from forecast.typing import Floats


def decay(half_life: float) -> float:
    """What one month leaves of a memory with this half-life, in months."""
    return float(2.0 ** (-1.0 / half_life))


def impulse_step(memory: Floats, gain: Floats, relief: Floats, keep: float | Floats) -> Floats:
    """The impulse memory a month later.

    memory  what was kept so far, any shape
    gain, relief  intensities of the month's strongest impulse and strongest relaxation, 0 for none
    A gain lifts the memory to log1p(gain) if that is more than what is kept; a relaxation takes half of log1p(relief); never below zero.
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
