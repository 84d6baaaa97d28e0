"""How far two forecasts of identical inputs may differ by chance, and when what remains of a difference is more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

type Values = Mapping[str, float]

LOUD: Final = 4.0
"""What remains is noise as long as it is within so many of its standard errors."""
FACTOR_MAX: Final = 3.0
"""Stated Monte Carlo errors are stretched by at most this: fits that differ by more are at fault themselves."""
SHARE_MIN: Final = 0.1
"""One part told twice cannot show that less of the noise than this is left in the others."""
LEAST: Final = 2e-4
"""Less than a fiftieth of a point is never called unexplained."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard errors, by question, of a difference of two forecasts.

    factor: what two fits of identical inputs had the stated Monte Carlo errors multiplied by, at least 1; None if there were no two fits.
    share: what part of them a part has whose two states were told by the same draws.
    """

    se: Values
    factor: float | None
    share: float = 1.0

    def unexplained(self, remainder: Values) -> tuple[str, ...]:
        """Questions of which more remains than chance leaves, the worst first."""
        over = {q: abs(x) / max(LOUD * self.se[q], LEAST) for q, x in remainder.items()}
        return tuple(sorted((q for q in over if over[q] > 1), key=lambda q: -over[q]))


def stretched(one: Values, other: Values, mcse_one: Values, mcse_other: Values) -> float:
    """By how much two fits of identical inputs differ more than their Monte Carlo errors say: the root mean square over questions.

    Within 1 and FACTOR_MAX. Questions that chance moves by less than LEAST say nothing. One pair of fits, whose questions move together,
    is a check of the stated errors rather than an estimate of its own.
    """
    z = []
    for q in one.keys() & other.keys():
        se = float(np.hypot(mcse_one.get(q, 0.0), mcse_other.get(q, 0.0)))
        if se > LEAST / LOUD:
            z.append((one[q] - other[q]) / se)
    return float(np.clip(np.sqrt(np.mean(np.square(z))), 1.0, FACTOR_MAX)) if z else 1.0


def cancelled(part: Values, again: Values, se: Values) -> float:
    """What share of the noise is left in a part, since both its states were told by the same draws: from one part told twice.

    part, again: what the draws of one forecast and those of the other say of it. The root mean square of their difference over
    questions, in standard errors `se` of the whole difference; within SHARE_MIN and 1.
    """
    z = [(part[q] - again[q]) / se[q] for q in part if se[q] > LEAST / LOUD]
    return float(np.clip(np.sqrt(np.mean(np.square(z))), SHARE_MIN, 1.0)) if z else 1.0


def noise(mcse_before: Values, mcse_after: Values, share_before: float, share_after: float, hand_overs: int, factor: float | None) -> Noise:
    """The noise of a difference told in parts.

    share_before, share_after: effective over all draws at the state where each set of draws ended, which widens its error; hand_overs: how
    often draws changed hands, each time with the same noise again.
    """
    ids = mcse_before.keys() & mcse_after.keys()
    scale = (factor or 1.0) * float(np.sqrt(max(hand_overs, 1)))
    se = {q: scale * float(np.hypot(mcse_before[q] / np.sqrt(share_before), mcse_after[q] / np.sqrt(share_after))) for q in ids}
    return Noise(se, factor)
