"""Scores of probabilities, small is good, and what a mean of them is worth when the questions overlap.

Brier (Brier 1950) and ranked probability score (Epstein 1969) are sums of squares; the logarithmic score is −log of the probability
given to what happened, in nats. All three are proper: nobody gains by saying another number than the one believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Span = tuple[int, int]
"""First and last month of a window."""

FEWEST: Final = 5
"""Windows that share no month, from which on a standard error is worth printing: two that came out alike would give none at all."""


def brier(p: float, happened: bool) -> float:
    """Between 0 and 1; ¼ for saying one half."""
    return float(_rules().brier_score(int(happened), p, backend="numpy"))


def log_score(p: float, happened: bool) -> float:
    """−log of the probability of what happened; log 2 for saying one half, without end for certainty that was wrong."""
    with np.errstate(divide="ignore"):
        return float(_rules().log_score(int(happened), p, backend="numpy"))


def ranked(at_least: Sequence[float], reached: Sequence[bool]) -> float:
    """Ranked probability score of an ordered outcome, from P(≥ k) and whether ≥ k came true for every k but the least.

    It is the sum of the Brier scores of the thresholds, so a person's numbers that are not in order have one too.
    """
    return float(_rules().brier_score(np.asarray(reached, int), np.asarray(at_least, float), backend="numpy").sum())


def count_scores(chances: Sequence[float], count: int) -> tuple[float, float]:
    """(ranked, logarithmic) score of a distribution over 0, 1, …, the last or more."""
    outcome = min(count, len(chances) - 1)
    rps = float(_rules().rps_score(outcome + 1, np.asarray(chances, float), backend="numpy"))
    return rps, log_score(float(chances[outcome]), True)


def _rules() -> Any:
    """Loaded when there is something to score: it takes seconds, for it compiles for other uses."""
    import scoringrules

    return scoringrules


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over n questions, its standard error (None where it cannot be told), and how many windows share no month."""

    value: float
    error: float | None
    n: int
    windows: int


def mean(values: Sequence[float], spans: Sequence[Span]) -> Mean:
    """The mean, with a standard error in which questions whose windows share a month count as one.

    Windows are gathered into groups that each share a month, as few as can be: as many as there are windows that do not overlap. The
    error is that of a mean of clusters (Liang and Zeger 1986), times √(m/(m − 1)); of fewer than FEWEST groups it would be made up.
    """
    x, groups = np.asarray(values, float), np.asarray(together(spans))
    m = int(groups.max()) + 1
    if m < FEWEST:
        return Mean(float(x.mean()), None, len(x), m)
    sums = np.bincount(groups, x - x.mean(), m)
    return Mean(float(x.mean()), sqrt(m / (m - 1) * float((sums**2).sum())) / len(x), len(x), m)


def together(spans: Sequence[Span]) -> list[int]:
    """The group of each window: those of a group share a month, and there are as many groups as windows that do not overlap.

    By the last months of windows taken greedily, each of which every window not yet met begins after (interval stabbing).
    """
    stabs: list[int] = []
    for start, end in sorted(spans, key=lambda span: span[1]):
        if not stabs or start > stabs[-1]:
            stabs.append(end)
    return [next(i for i, at in enumerate(stabs) if start <= at <= end) for start, end in spans]
