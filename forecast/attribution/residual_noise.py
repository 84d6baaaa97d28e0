"""How far two forecasts may differ by chance, and when what remains of a difference is more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

type Values = Mapping[str, float]

ALARM_Z: Final = 4.0
"""What remains is noise as long as it is within so many of its standard errors."""
FACTOR_MAX: Final = 3.0
"""Stated Monte Carlo errors are stretched by at most this: fits that differ by more are at fault themselves, and stretch nothing."""
NEGLIGIBLE: Final = 2e-4
"""Less than a fiftieth of a point is never called unexplained."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard errors, by question, of a difference of two forecasts, and of what remains of it when its parts are told.

    They are the same unless one set of draws told both forecasts: then what remains is the rounding of weights to whole draws.
    factor: what fits of identical inputs had the stated Monte Carlo errors multiplied by, at least 1; None if there were none.
    note: in a sentence, what must be known of it; empty if nothing.
    """

    se: Values
    remainder_se: Values
    factor: float | None
    note: str = ""

    def unexplained(self, remainder: Values) -> tuple[str, ...]:
        """Questions of which more remains than chance leaves, the worst first."""
        over = {q: abs(x) / max(ALARM_Z * self.remainder_se[q], NEGLIGIBLE) for q, x in remainder.items()}
        return tuple(sorted((q for q in over if over[q] > 1), key=lambda q: -over[q]))


def error_inflation(one: Values, other: Values, mcse_one: Values, mcse_other: Values) -> float:
    """By how much two fits of identical inputs differ more than their Monte Carlo errors say: the root mean square over questions, at
    least 1.

    Questions that chance moves by less than LEAST say nothing. One pair of fits, whose questions move together, is a check of the stated
    errors rather than an estimate of its own.
    """
    z = []
    for q in one.keys() & other.keys():
        se = float(np.hypot(mcse_one.get(q, 0.0), mcse_other.get(q, 0.0)))
        if se > NEGLIGIBLE / ALARM_Z:
            z.append((one[q] - other[q]) / se)
    return max(float(np.sqrt(np.mean(np.square(z)))), 1.0) if z else 1.0


def in_quadrature(*errors: Values) -> dict[str, float]:
    """Independent standard errors as one, of the questions of all."""
    ids = [q for q in errors[0] if all(q in e for e in errors)]
    return {q: float(np.sqrt(sum(e[q] ** 2 for e in errors))) for q in ids}


def scaled(error: Values, factor: float) -> dict[str, float]:
    return {q: factor * x for q, x in error.items()}
