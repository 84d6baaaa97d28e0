"""Proper scores of probabilities (smaller is better), and the standard error of their mean when the questions' windows overlap.

Brier (Brier 1950) and ranked probability score (Epstein 1969) are sums of squares; the logarithmic score is −log of the probability
given to what happened, in nats. All three are proper: the best expected score comes from the number one believes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import inf, sqrt
from typing import Any, Final

import numpy as np

type Window = tuple[int, int]
"""First and last month of a window."""

MIN_WINDOWS: Final = 5
"""Fewest separate windows for which a standard error is given; two equal values would give an error of zero."""


def brier_score(p: float, happened: bool) -> float:
    """(p − outcome)², between 0 and 1; ¼ for p = ½."""
    return float(_rules().brier_score(int(happened), p, backend="numpy"))


def log_score(p: float, happened: bool) -> float:
    """−log of the probability of what happened, in nats; log 2 for p = ½, infinite for a certainty that was wrong."""
    with np.errstate(divide="ignore"):
        return float(_rules().log_score(int(happened), p, backend="numpy"))


def ranked_probability_score(at_least: Sequence[float], reached: Sequence[bool]) -> float:
    """Ranked probability score of an ordered outcome, from P(≥ k) and whether ≥ k came true for every k but the least.

    It is the sum of the Brier scores of the thresholds, so numbers that are not in order have one too.
    """
    return float(_rules().brier_score(np.asarray(reached, int), np.asarray(at_least, float), backend="numpy").sum())


def count_scores(chances: Sequence[float], count: int) -> tuple[float, float]:
    """(ranked, logarithmic) score of a distribution over 0, 1, …, the last or more."""
    outcome = min(count, len(chances) - 1)
    rps = float(_rules().rps_score(outcome + 1, np.asarray(chances, float), backend="numpy"))
    return rps, log_score(float(chances[outcome]), True)


@cache
def _rules() -> Any:
    """The library of scoring rules, imported only when there is something to score."""
    with _hidden("numba"):  # else each of its functions is compiled while it is imported, for seconds, though only NumPy's are called here
        import scoringrules

    return scoringrules


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """While the block runs, an import of the module fails as if it were not installed, also where it was imported before."""
    before = sys.modules.pop(module, None)
    sys.modules[module] = None  # type: ignore[assignment]  # documented: None makes an import fail
    try:
        yield
    finally:
        del sys.modules[module]
        if before is not None:
            sys.modules[module] = before


@dataclass(frozen=True, slots=True)
class MeanScore:
    """A mean over questions.

    value: the mean; error: its standard error, None with fewer than MIN_WINDOWS separate windows.
    n: number of questions; windows: number of separate windows.
    """

    value: float
    error: float | None
    n: int
    windows: int


def mean_score(values: Sequence[float], spans: Sequence[Window]) -> MeanScore:
    """The mean and its standard error sd/√m, where m is the number of separate windows.

    The sd is that of the means over questions of one window, corrected for m values rather than for as many as overlap: where no windows
    overlap and each has as many questions, this is the error of a mean of independent values. Where some stretches of history hold more
    questions than others, m is replaced by the effective n²/Σn² if that is smaller (Kish 1965).
    """
    x, m = np.asarray(values, float), separate_windows(spans)
    if m < MIN_WINDOWS:
        return MeanScore(float(x.mean()), None, len(x), m)
    _, window, held = np.unique(np.asarray(spans), axis=0, return_inverse=True, return_counts=True)
    sd = float((np.bincount(window.ravel(), x) / held).std()) * sqrt(m / (m - 1))
    ends = np.asarray([end for _, end in spans], int)
    stretches = np.bincount((ends - int(ends.min())) // (_longest(spans) + 1))
    worth = min(float(m), len(x) ** 2 / float((stretches**2.0).sum()))
    return MeanScore(float(x.mean()), sd / sqrt(worth), len(x), m)


def separate_windows(spans: Sequence[Window]) -> int:
    """The greatest number of windows of which no two share a month, by taking always the one that ends first.

    If windows differ in length, each counts as long as the longest; otherwise a few short ones would stand for the long ones beside them.
    """
    longest = _longest(spans)
    count, last = 0, -inf
    for end in sorted(end for _, end in spans):
        if end - longest > last:
            count, last = count + 1, end
    return count


def _longest(spans: Sequence[Window]) -> int:
    """Months from the first to the last of the longest window."""
    return max(end - start for start, end in spans)
