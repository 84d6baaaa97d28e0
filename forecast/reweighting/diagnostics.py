"""How far an answer from weighted draws can be trusted: the rule it must pass, and the Monte Carlo error of a difference of two answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.psis import weight_problem
from forecast.typing import Floats

type Stored = NDArray[np.float32]
type Values = Mapping[str, float]

MCSE_MAX: Final = 0.1
"""Largest Monte Carlo error of the headline, as a share of it, in every reading."""
UNSUPPORTED_MAX: Final = 0.01
"""Largest mass that an edited prior may have where there are no draws."""


@dataclass(frozen=True)
class ReweightingDiagnostics:
    """How well the draws of one reading answer the headline.

    probability  the headline in this reading
    k_hat        shape of the tail of the weights, −inf if all are equal; the worst of draws and paths
    ess          effective number of independent draws; the smallest of draws and paths
    mcse         Monte Carlo standard error of the probability
    fitted       whether the draws were fitted to just this, so that no rule is needed
    """

    probability: float
    k_hat: float
    ess: float
    mcse: float
    fitted: bool = False

    @property
    def accepted(self) -> bool:
        """k̂ below 0.7, at least 400 effective draws, and an error of at most a tenth of the headline."""
        return self.fitted or (not weight_problem(self.k_hat, self.ess) and self.mcse <= MCSE_MAX * self.probability)


@dataclass(frozen=True, kw_only=True)
class AnsweredByReading:
    """A forecast from weighted draws; diagnostics: reading → how well its draws answer the headline."""

    diagnostics: Mapping[str, ReweightingDiagnostics]

    @property
    def readings_accepted(self) -> bool:
        return all(reading.accepted for reading in self.diagnostics.values())

    @property
    def k_hat(self) -> float:
        """The largest of all readings."""
        return max(reading.k_hat for reading in self.diagnostics.values())

    @property
    def ess(self) -> float:
        """The smallest of all readings."""
        return min(reading.ess for reading in self.diagnostics.values())


@dataclass(frozen=True, eq=False)
class Influence:
    """What each draw and each path adds to each of Q probabilities, so that the error of a difference accounts for shared draws.

    ids                  of the questions [Q]
    draws                fit → [Q, S]: S times weight times (value − mean), as shares of the mixture, chain after chain
    unfitted             [Q, S]: the same of draws that no fit is behind, made by the seed
    slots                [Q, P]: means by path slot
    resampling_variance  [Q]: the variance that resampling to whole draws adds
    """

    ids: tuple[str, ...]
    draws: Mapping[str, Stored]
    unfitted: Stored
    slots: Stored
    resampling_variance: Floats

    def se(self) -> dict[str, float]:
        """Monte Carlo standard error by question."""
        return self._by_id(_over_draws(self.draws) + _independent(self.unfitted) + _independent(self.slots))

    def resampling_se(self) -> dict[str, float]:
        """Standard error by question of an answer from resampled draws against that from the weighted ones."""
        return self._by_id(self.resampling_variance)

    def difference_se(self, other: Influence, same_draws: bool, same_paths: bool) -> dict[str, float]:
        """Monte Carlo standard error of the difference of two answers, by question that both have.

        same_draws: both are from the same fitted draws, each with its weights; same_paths: one seed made the paths of both
        """
        one, two = self._of(other.ids), other._of(self.ids)
        if same_draws:
            fits = dict.fromkeys([*one.draws, *two.draws])
            variance = _over_draws({fit: _difference(two.draws.get(fit), one.draws.get(fit)) for fit in fits})
        else:
            variance = _over_draws(one.draws) + _over_draws(two.draws)
        for a, b in ((one.unfitted, two.unfitted), (one.slots, two.slots)):
            variance = variance + (_independent(_difference(b, a)) if same_paths else _independent(a) + _independent(b))
        return one._by_id(variance)

    def _of(self, ids: tuple[str, ...]) -> Influence:
        if ids == self.ids:
            return self
        rows = [i for i, id_ in enumerate(self.ids) if id_ in ids]
        kept = tuple(self.ids[i] for i in rows)
        draws = {fit: x[rows] for fit, x in self.draws.items()}
        return Influence(kept, draws, self.unfitted[rows], self.slots[rows], self.resampling_variance[rows])

    def _by_id(self, variance: Floats) -> dict[str, float]:
        return dict(zip(self.ids, np.sqrt(variance).tolist(), strict=True))


def _difference(a: Stored | None, b: Stored | None) -> Stored:
    """a − b, where one of them may be missing and counts as zero."""
    if a is None or b is None:
        assert a is not None or b is not None
        return a if a is not None else -b  # type: ignore[operator]
    return np.asarray(a - b)


def _independent(x: Stored) -> Floats:
    """The variance [Q] of the means of independent values [Q, S]."""
    return np.asarray(x.var(1, ddof=1, dtype=float) / x.shape[1])


def _over_draws(draws: Mapping[str, Stored]) -> Floats:
    """The variance [Q] of the sum over fits of the means of draws [Q, S], which are autocorrelated within their chain."""
    from forecast.forecasting.question_forecasts import relative_ess  # here, so that edits of priors need NumPy alone

    return np.asarray(sum(np.array([row.var(ddof=1) / (len(row) * relative_ess(row)) for row in x.astype(float)]) for x in draws.values()))
