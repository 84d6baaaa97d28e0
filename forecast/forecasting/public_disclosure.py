"""From what happens to what is publicly known by the resolution date: secret levels are exposed with a delay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecast.domain import TOP
from forecast.priors.load import Priors
from forecast.typing import Floats

DOCUMENTED_WITHIN = 24.0
"""Months after which an act counts as never exposed: the coded record holds what came out by then."""
LAG_MONTHS = 2
"""From the end of a window to its resolution date."""


@dataclass(frozen=True)
class DisclosureDelay:
    """Draws [S] of the median months from act to exposure, for the levels that are kept secret (3 and 4)."""

    delays: Mapping[int, Floats]

    @classmethod
    def draw(cls, priors: Priors, size: int, rng: np.random.Generator) -> DisclosureDelay:
        return cls({k: priors.distribution(f"exposure.delay.{k}").sample(rng, size) for k in (3, 4)})

    def exposed(self, level: int, months: float) -> Floats | float:
        """F_i(x): the chance that a level is public `months` after its first month, given that it is within 24."""
        if level not in self.delays:
            return 1.0
        x = min(max(months, 0.0), DOCUMENTED_WITHIN)
        mu = self.delays[level]
        return np.asarray(-np.expm1(-x / mu * np.log(2.0)) / -np.expm1(-DOCUMENTED_WITHIN / mu * np.log(2.0)))

    @cached_property
    def by_month(self) -> Mapping[int, tuple[Floats | float, ...]]:
        """`exposed` at 0..24 whole months, by secret level."""
        return {level: tuple(self.exposed(level, x) for x in range(int(DOCUMENTED_WITHIN) + 1)) for level in self.delays}

    def after(self, level: int, months: int) -> Floats | float:
        """`exposed` after whole months, which is asked often."""
        return self.by_month[level][min(max(months, 0), int(DOCUMENTED_WITHIN))] if level in self.delays else 1.0


def probability_disclosed(entered: Floats, k: int, horizon: int, exposure: DisclosureDelay, public_now: int) -> Floats:
    """P(publicly known by the resolution date that level >= k was reached within `horizon` months), by draw [S].

    entered [H, 6, S]: P(first month at >= k is T + t, at level i), row 0 being t = 1. public_now: the level that is public at the origin;
    a question at or below it needs no exposure, nor does a first month at such a level.
    A second entry after an unexposed first is left out: a lower bound.
    """
    total = np.zeros(entered.shape[-1])
    for t in range(1, horizon + 1):
        for i in range(k, TOP + 1):
            seen = 1.0 if min(i, k) <= public_now else exposure.after(i, horizon + LAG_MONTHS - t)
            total += entered[t - 1, i] * seen
    return total
