"""Scores of probabilities, small is good, and what a mean of them is worth when the questions overlap.

Brier (Brier 1950) and ranked probability score (Epstein 1969) are sums of squares; the logarithmic score is −log of the probability
given to what happened, in nats. All three are proper: nobody gains by saying another number than the one believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any, Final

import numpy as np

type Span = tuple[int, int]
"""First and last month of a window."""

FEWEST: Final = 5
"""Separate windows from which on a standard error is worth printing: two that came out alike would give none at all."""


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
    """A mean over n questions, its standard error (None where it cannot be told), and how many windows are separate."""

    value: float
    error: float | None
    n: int
    windows: int


def mean(values: Sequence[float], spans: Sequence[Span]) -> Mean:
    """The mean, and as its standard error sd/√m, m being the number of separate windows; none where m is below FEWEST.

    The sd is that of the means of questions of the same window, with the correction for m values, not for as many as overlap: where no
    windows overlap and each has as many questions, this is the error of a mean of independent values. Where some stretches of history
    hold more questions than others, the mean rests on fewer than m (n²/Σn², Kish 1965).
    """
    x, m = np.asarray(values, float), separate(spans)
    if m < FEWEST:
        return Mean(float(x.mean()), None, len(x), m)
    _, window, held = np.unique(np.asarray(spans), axis=0, return_inverse=True, return_counts=True)
    sd = float((np.bincount(window.ravel(), x) / held).std()) * sqrt(m / (m - 1))
    ends = np.asarray([end for _, end in spans], int)
    stretches = np.bincount((ends - int(ends.min())) // (_longest(spans) + 1))
    worth = min(float(m), len(x) ** 2 / float((stretches**2.0).sum()))
    return Mean(float(x.mean()), sd / sqrt(worth), len(x), m)


def separate(spans: Sequence[Span]) -> int:
    """The greatest number of windows of which no two share a month; if they differ in length, each is counted as long as the longest.

    Else a few short windows would vouch for the long ones beside them. Found by taking always the one that ends first.
    """
    longest = _longest(spans)
    count, last = 0, -inf
    for end in sorted(end for _, end in spans):
        if end - longest > last:
            count, last = count + 1, end
    return count


def _longest(spans: Sequence[Span]) -> int:
    """Months from the first to the last of the longest window."""
    return max(end - start for start, end in spans)
