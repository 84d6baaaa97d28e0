"""What each draw and each path adds to a forecast; from it follows the Monte Carlo error of a difference, where shared draws cancel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from forecast.inference.settings import CHAINS
from forecast.typing import Floats

type Stored = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Influence:
    """Of one forecast of Q questions by S draws and P batches of paths.

    ids: of the questions.
    draws: fit → [Q, S], S times weight times (value − mean) as shares of the mixture of readings, chain after chain.
    unfitted: [Q, S], the same of questions that no fit is behind; drawn by the seed.
    paths: [Q, P], means over batches of paths.
    resampling_variance: [Q], the variance added if weighted draws are replaced by whole ones, each taken as often as it weighs.
    """

    ids: tuple[str, ...]
    draws: Mapping[str, Stored]
    unfitted: Stored
    paths: Stored
    resampling_variance: Floats

    def standard_error(self) -> dict[str, float]:
        """The Monte Carlo standard error of each probability."""
        return self._by_question(_over_draws(self.draws) + _independent(self.unfitted) + _independent(self.paths))

    def resampling_se(self) -> dict[str, float]:
        """The standard error of the difference between the forecast by whole draws and the forecast by weighted ones."""
        return self._by_question(self.resampling_variance)

    def difference_se(self, other: Influence, same_draws: bool, same_paths: bool) -> dict[str, float]:
        """The Monte Carlo standard error of the difference of two forecasts, by question of both.

        same_draws: both come from the same fitted draws, weighted in two ways; same_paths: one seed made the paths of both.
        """
        shared = tuple(id_ for id_ in self.ids if id_ in other.ids)
        one, two = self._of(shared), other._of(shared)
        if same_draws:
            fits = dict.fromkeys([*one.draws, *two.draws])
            variance = _over_draws({fit: _minus(two.draws.get(fit), one.draws.get(fit)) for fit in fits})
        else:
            variance = _over_draws(one.draws) + _over_draws(two.draws)
        for a, b in ((one.unfitted, two.unfitted), (one.paths, two.paths)):
            variance = variance + (_independent(_minus(b, a)) if same_paths else _independent(a) + _independent(b))
        return one._by_question(variance)

    def _of(self, ids: tuple[str, ...]) -> Influence:
        rows = [self.ids.index(id_) for id_ in ids]
        draws = {fit: x[rows] for fit, x in self.draws.items()}
        return Influence(ids, draws, self.unfitted[rows], self.paths[rows], self.resampling_variance[rows])

    def _by_question(self, variance: Floats) -> dict[str, float]:
        return dict(zip(self.ids, np.sqrt(variance).tolist(), strict=True))


def _minus(a: Stored | None, b: Stored | None) -> Stored:
    """A difference in which one side may be missing."""
    if a is None or b is None:
        assert a is not None or b is not None
        return a if a is not None else -b  # type: ignore[operator]
    return np.asarray(a - b)


def _independent(x: Stored) -> Floats:
    """The variance [Q] of the means of independent values [Q, S]."""
    return np.asarray(x.var(1, ddof=1, dtype=float) / x.shape[1])


def _over_draws(draws: Mapping[str, Stored]) -> Floats:
    """The variance [Q] of the sum over fits of the means of autocorrelated draws [Q, S]."""
    return np.asarray(sum(np.array([_over_chains(row) for row in x.astype(float)]) for x in draws.values()))


def _over_chains(row: Floats) -> float:
    if np.ptp(row) == 0:
        return 0.0
    return float(row.var(ddof=1) / array_stats.ess(row.reshape(CHAINS, -1), chain_axis=0, draw_axis=1, method="mean"))
