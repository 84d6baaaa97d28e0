"""The headline along something that is varied, and where it crosses a line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from forecast.arrays.psis import K_HAT_MAX
from forecast.reweighting.prior_edits import MCSE_MAX

LINES: Final = (0.02, 0.05, 0.10, 0.25)
SHARE_MIN: Final = 0.2
"""Share of the draws that must count: 400 of 2,000, as `priors try` has it."""


@dataclass(frozen=True)
class Point:
    """The headline at one value; its Monte Carlo error, and how well the draws carry it, at worst: k̂, the share of them that counts, and
    the error of a reading over its probability."""

    value: float
    probability: float
    mcse: float
    k_hat: float
    share: float
    relative: float = 0.0

    @property
    def trusted(self) -> bool:
        """By the rule of `priors try`."""
        return self.k_hat < K_HAT_MAX and self.share >= SHARE_MIN and self.relative <= MCSE_MAX


@dataclass(frozen=True)
class Crossing:
    """The value at which the headline is `line`, give or take `error` by chance; rough if the draws carry a neighbouring point badly."""

    line: float
    value: float
    error: float
    rough: bool


def crossing(curve: Sequence[Point], line: float, now: float) -> Crossing | None:
    """Where the headline crosses `line`, by straight lines between neighbours on the logit; the one nearest to `now` if it does so twice.

    None if it does not.
    """
    found = []
    for a, b in itertools.pairwise(curve):
        above, below = _logit(a.probability) - _logit(line), _logit(b.probability) - _logit(line)
        if above * below <= 0 and above != below:
            slope = (b.probability - a.probability) / (b.value - a.value)
            at = a.value + (b.value - a.value) * above / (above - below)
            found.append(Crossing(line, at, max(a.mcse, b.mcse) / abs(slope), not (a.trusted and b.trusted)))
    return min(found, key=lambda c: abs(c.value - now), default=None)


def _logit(p: float) -> float:
    return log(p) - log(1.0 - p)
