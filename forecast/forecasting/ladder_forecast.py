"""The ladder's future: the exact recursion for every draw of model 5 over a share of the pool of driver paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import Kernel, fall_destinations, forward_recursion, rise_destinations, saturate_pressure
from forecast.domain import FIRST_MONTH, TOP, Month
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.typing import Floats

PATHS_A_DRAW = 20
_CHUNK = 250


@dataclass(frozen=True)
class LadderForecast:
    """Per-draw probabilities, averaged over each draw's paths; and per path slot, averaged over draws.

    in_force [H, 6, S], entered [5, H, 6, S], fallen [2, H, S] as in `arrays.ladder.Chances` (index t − 1 is month T + t).
    by_slot: the same three averaged over draws, last axis [P] the path slots, each of its own batch of the pool.
    """

    in_force: Floats
    entered: Floats
    fallen: Floats
    by_slot: tuple[Floats, Floats, Floats]

    @property
    def horizon(self) -> int:
        return int(self.in_force.shape[0])

    def reached(self, k: int, h: int) -> Floats:
        """P(level >= k within h months) by draw [S]."""
        return np.asarray(self.entered[k - 1, :h].sum((0, 1)))

    def at_least(self, k: int, h: int) -> Floats:
        """P(level >= k in month h) by draw [S]."""
        return np.asarray(self.in_force[h - 1, k:].sum(0))

    def fell(self, k: int, h: int) -> Floats:
        """P(level <= k within h months) by draw [S]."""
        return np.asarray(self.fallen[k, h - 1])

    def slot_means(self, kind: str, k: int, h: int) -> Floats:
        """The same probability by path slot [P], for the Monte Carlo error of the pool."""
        in_force, entered, fallen = self.by_slot
        if kind == "reached_by":
            return np.asarray(entered[k - 1, :h].sum((0, 1)))
        if kind == "in_force_at":
            return np.asarray(in_force[h - 1, k:].sum(0))
        return np.asarray(fallen[k, h - 1])


def question_probability(found: LadderForecast, kind: str, level: int, horizon: int) -> Floats:
    """Per-draw probabilities [S] of a question about a level."""
    if kind == "reached_by":
        return found.reached(level, horizon)
    return found.at_least(level, horizon) if kind == "in_force_at" else found.fell(level, horizon)


def assign_paths(
    n_draws: int, n_paths: int, seed: int, each: int = PATHS_A_DRAW, among: NDArray[np.int_] | None = None
) -> NDArray[np.int_]:  # fmt: skip
    """[S, each]: which paths a draw uses; slot p only ever takes from batch p of the pool, so that slots are independent.

    among: the paths to choose from, all of the pool if None; they are cut into batches anew (at most `each` − 1 at the end stay unused).
    """
    paths = np.arange(n_paths) if among is None else among
    batch = len(paths) // each
    rng = np.random.default_rng(seed)
    return np.asarray(paths[np.arange(each) * batch + rng.integers(batch, size=(n_draws, each))])


type PressureTransform = Callable[[Floats], Floats]
"""What turns leverage L into ℓ."""


def forecast_ladder(
    draws: ParameterDraws,
    pool: DriverPaths,
    paths: NDArray[np.int_],
    level: int,
    fresh: bool,
    origin: Month,
    administration: NDArray[np.int_],
    link: PressureTransform = saturate_pressure,
    weights: Floats | None = None,
) -> LadderForecast:
    """All probabilities of the ladder from (level, fresh) at the origin.

    paths [S, P] from `assign_paths`; administration [H]: slot of the one in office in the months T + 1..T + H; weights [S] of the draws,
    which sum to one, for the means by path slot (None: all alike).
    """
    months = np.arange(origin + 1, origin + 1 + pool.horizon)
    pressure = link(pool.leverage)
    parts = []
    for first in range(0, draws.size, _CHUNK):
        some = np.arange(first, min(first + _CHUNK, draws.size))
        kernel = make_kernel(draws.take(some), pool, pressure, paths[some], months, administration)
        found = forward_recursion(kernel, level, fresh)
        arrays = (found.in_force, found.entered, found.fallen)
        slots = [a.sum(-2) / draws.size if weights is None else np.moveaxis(a, -2, -1) @ weights[some] for a in arrays]
        parts.append(([a.mean(-1) for a in arrays], slots))
    by_draw = [np.concatenate([p[0][i] for p in parts], axis=-1) for i in range(3)]
    by_slot = [np.asarray(sum(p[1][i] for p in parts)) for i in range(3)]
    return LadderForecast(by_draw[0], by_draw[1], by_draw[2], by_slot=(by_slot[0], by_slot[1], by_slot[2]))


def make_kernel(
    draws: ParameterDraws,
    pool: DriverPaths,
    pressure: Floats,
    paths: NDArray[np.int_],
    months: NDArray[np.int_],
    administration: NDArray[np.int_],
) -> Kernel:
    """The kernel of each month, for these draws on their paths. The transition into T + t sees the drivers of T + t − 1."""
    h = len(months)

    def seen(series: Floats) -> Floats:  # [P, H + 1] → [H, S, paths a draw]
        return np.moveaxis(series[paths, :h], -1, 0)

    def by_draw(values: Floats) -> Floats:  # [S] → [S, 1]
        return values[:, None]

    slow = draws.alpha[:, administration].T + draws.drift_at(months).T  # [H, S]
    opposed = seen(pool.opposition) + by_draw(draws.mobilisation) * seen(pool.mobilisation)
    theta = (
        slow[:, :, None]
        + by_draw(draws.overdose_level) * seen(pool.log2_deaths)
        + by_draw(draws.overdose_change) * seen(pool.change)
        - by_draw(draws.opposition) * opposed
    )
    pushed = seen(pressure)
    return Kernel(
        a=draws.rise_logits(),
        b=draws.fall_logits(),
        theta=theta,
        rise_push=by_draw(draws.leverage) * pushed,
        fall_push=by_draw(draws.leverage_on_falls) * pushed,
        just_risen=draws.fresh,
        up=np.moveaxis(rise_destinations(draws.skip_up), 0, -1),
        down=np.moveaxis(fall_destinations(draws.skip_down), 0, -1),
    )


assert FIRST_MONTH % 12 == 0
assert TOP == 5
