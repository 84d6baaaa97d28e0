"""How far chance may have moved what draws tell: what each draw and each path adds, so that what two tellings share cancels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from forecast.inference.settings import CHAINS
from forecast.typing import Floats

type Stored = NDArray[np.float32]
type Values = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Influence:
    """Of each question Q of one telling, what each draw and each path adds to its probability.

    draws: fit → [Q, S], S times weight times (value − mean), as shares of the mixture, chain after chain; lone [Q, S]: the same of what
    no fit is behind, drawn by the seed; slots [Q, P]: means by path slot; comb [Q]: the variance that taking draws whole adds, each as
    often as it weighs.
    """

    ids: tuple[str, ...]
    draws: Mapping[str, Stored]
    lone: Stored
    slots: Stored
    comb: Floats

    def error(self) -> dict[str, float]:
        """Monte Carlo standard errors."""
        return self._told(_over_draws(self.draws) + _plain(self.lone) + _plain(self.slots))

    def comb_error(self) -> dict[str, float]:
        """By how much draws that are taken whole may differ from weighted ones: a standard error."""
        return self._told(self.comb)

    def apart(self, other: Influence, same_draws: bool, same_paths: bool) -> dict[str, float]:
        """Monte Carlo standard errors of the difference of two tellings, of the questions of both.

        same_draws: the same fitted draws told both, weighted each time; same_paths: one seed made the paths of both.
        """
        one, two = self._of(other.ids), other._of(self.ids)
        if same_draws:
            fits = dict.fromkeys([*one.draws, *two.draws])
            variance = _over_draws({fit: _minus(two.draws.get(fit), one.draws.get(fit)) for fit in fits})
        else:
            variance = _over_draws(one.draws) + _over_draws(two.draws)
        for a, b in ((one.lone, two.lone), (one.slots, two.slots)):
            variance = variance + (_plain(_minus(b, a)) if same_paths else _plain(a) + _plain(b))
        return one._told(variance)

    def _of(self, ids: tuple[str, ...]) -> Influence:
        if ids == self.ids:
            return self
        rows = [i for i, id_ in enumerate(self.ids) if id_ in ids]
        kept = tuple(self.ids[i] for i in rows)
        return Influence(kept, {fit: x[rows] for fit, x in self.draws.items()}, self.lone[rows], self.slots[rows], self.comb[rows])

    def _told(self, variance: Floats) -> dict[str, float]:
        return dict(zip(self.ids, np.sqrt(variance).tolist(), strict=True))


def _minus(a: Stored | None, b: Stored | None) -> Stored:
    """A difference where one side may be missing."""
    if a is None or b is None:
        assert a is not None or b is not None
        return a if a is not None else -b  # type: ignore[operator]
    return np.asarray(a - b)


def _plain(x: Stored) -> Floats:
    """The variance [Q] of the means of independent values [Q, S]."""
    return np.asarray(x.var(1, ddof=1, dtype=float) / x.shape[1])


def _over_draws(draws: Mapping[str, Stored]) -> Floats:
    """The variance [Q] of the sum over fits of the means of draws [Q, S], which remember their chain."""
    return np.asarray(sum(np.array([_chained(row) for row in x.astype(float)]) for x in draws.values()))


def _chained(row: Floats) -> float:
    if np.ptp(row) == 0:
        return 0.0
    return float(row.var(ddof=1) / array_stats.ess(row.reshape(CHAINS, -1), chain_axis=0, draw_axis=1, method="mean"))
