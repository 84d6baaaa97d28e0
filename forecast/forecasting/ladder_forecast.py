"""The future of the ladder: the exact recursion for every draw of model 5, averaged over some of the simulated driver paths. No PyMC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import (
    Kernel,
    fall_destinations,
    forward_recursion,
    odds,
    rise_destinations,
    saturate_pressure,
    stopping,
)
from forecast.domain import HORIZONS, TOP, Month, QuestionId
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.parameter_draws import ParameterDraws, from_prior
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.forecasting.origin_state import OriginState
    from forecast.model.tolerance_data import History, TolerancePriors

PATHS_A_DRAW = 20
THREADS: Final = 2
"""Readings whose recursion runs at once."""
_CHUNK = 250  # draws worked on at once, to bound memory

type PressureTransform = Callable[[Floats], Floats]
"""From leverage L to pressure ℓ."""


@dataclass(frozen=True)
class LadderForecast:
    """Probabilities of the ladder's levels, for S draws over H months; index t − 1 is month T + t.

    in_force       [H, 6, S]     P(level i in month T + t)
    entered        [5, H, 6, S]  index k − 1: P(the first month at level k or above is T + t, at level i)
    fallen         [2, H, S]     index k: P(level k or below in some month up to T + t)
    by_path_batch  the same three averaged over draws; the last axis [P] are the batches of driver paths
    """

    in_force: Floats
    entered: Floats
    fallen: Floats
    by_path_batch: tuple[Floats, Floats, Floats]

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

    def path_batch_means(self, kind: str, k: int, h: int) -> Floats:
        """The same probability by batch of paths [P], for the Monte Carlo error that the paths cause."""
        in_force, entered, fallen = self.by_path_batch
        if kind == "reached_by":
            return np.asarray(entered[k - 1, :h].sum((0, 1)))
        if kind == "in_force_at":
            return np.asarray(in_force[h - 1, k:].sum(0))
        return np.asarray(fallen[k, h - 1])


def question_probability(forecast: LadderForecast, kind: str, level: int, horizon: int) -> Floats:
    """Probability of a question about a level, by draw [S]."""
    if kind == "reached_by":
        return forecast.reached(level, horizon)
    return forecast.at_least(level, horizon) if kind == "in_force_at" else forecast.fell(level, horizon)


def _questions() -> Iterator[QuestionId]:
    for h in HORIZONS:
        for k in range(1, TOP + 1):
            yield from (QuestionId("reached_by", k, None, h), QuestionId("in_force_at", k, None, h))
        yield from (QuestionId("fallen_to", k, None, h) for k in (0, 1))


QUESTIONS: Final = {str(id_): id_ for id_ in _questions()}
"""All questions about levels."""


def question_probabilities(forecast: LadderForecast) -> dict[str, Floats]:
    """Probabilities [S] of all questions about levels, by question id."""
    return {id_: question_probability(forecast, asked.kind, asked.level or 0, asked.horizon) for id_, asked in QUESTIONS.items()}


def assign_paths(
    n_draws: int, n_paths: int, seed: int, each: int = PATHS_A_DRAW, among: NDArray[np.int_] | None = None
) -> NDArray[np.int_]:  # fmt: skip
    """[S, each]: which driver paths each draw uses. Column p only takes paths of batch p, so that the columns are independent.

    among: the paths to choose from, all if None; they are divided into batches anew (at most `each` − 1 at the end stay unused).
    """
    paths = np.arange(n_paths) if among is None else among
    batch = len(paths) // each
    rng = np.random.default_rng(seed)
    return np.asarray(paths[np.arange(each) * batch + rng.integers(batch, size=(n_draws, each))])


def forecast_from_history(
    origin_state: OriginState,
    draws: ParameterDraws,
    pool: DriverPaths,
    history: History,
    among: NDArray[np.int_] | None = None,
    **link: Any,
) -> LadderForecast:
    """The ladder's future from the end of a history. The seed of the origin state decides which paths each draw uses.

    among: the paths to choose from (those that meet a scenario's condition), all if None.
    """
    return _from_start(origin_state, draws, pool, (history.level_now, history.just_risen_now), among, **link)


def forecast_from_prior(
    origin_state: OriginState, constants: TolerancePriors, pool: DriverPaths, history: History, size: int
) -> tuple[ParameterDraws, LadderForecast]:
    """Draws from the prior and the ladder's future by them; readings that end alike have the same."""
    return _from_prior(origin_state, constants, pool, (history.level_now, history.just_risen_now), size)


@lru_cache(maxsize=2)
def _from_prior(
    origin_state: OriginState, constants: TolerancePriors, pool: DriverPaths, start: tuple[int, bool], size: int
) -> tuple[ParameterDraws, LadderForecast]:
    prior = from_prior(constants, origin_state.origin, size, np.random.default_rng(origin_state.seed + 3))
    return prior, _from_start(origin_state, prior, pool, start)


def _from_start(
    origin_state: OriginState, draws: ParameterDraws, pool: DriverPaths, start: tuple[int, bool],
    among: NDArray[np.int_] | None = None, **link: Any,
) -> LadderForecast:  # fmt: skip
    paths = assign_paths(draws.size, len(pool.leverage), origin_state.seed + 2, among=among)
    return forecast_ladder(draws, pool, paths, *start, origin_state.origin, origin_state.administrations, compiled=True, **link)


def forecast_ladder(
    draws: ParameterDraws,
    pool: DriverPaths,
    paths: NDArray[np.int_],
    level: int,
    just_risen: bool,
    origin: Month,
    administration: NDArray[np.int_],
    link: PressureTransform = saturate_pressure,
    weights: Floats | None = None,
    compiled: bool = False,
) -> LadderForecast:
    """All probabilities of the ladder, from a level at the origin that was just risen to (`just_risen`) or not.

    paths           [S, P] from `assign_paths`
    administration  [H] index of the administration in office in the months T + 1..T + H
    weights         [S] of the draws, which sum to one, for the means by batch of paths; None: equal
    compiled        with `arrays.compiled_ladder`, which takes a quarter of the time, after half a second to load it or some to compile it
    """
    months = np.arange(origin + 1, origin + 1 + pool.horizon)
    pressure = link(pool.leverage)
    if compiled:
        return _compiled(draws, pool, pressure, paths, level, just_risen, _slow(draws, months, administration), weights)
    means: list[list[Floats]] = []
    batches: list[list[Floats]] = []
    for first in range(0, draws.size, _CHUNK):
        chunk = np.arange(first, min(first + _CHUNK, draws.size))
        kernel = make_kernel(draws.take(chunk), pool, pressure, paths[chunk], months, administration)
        result = forward_recursion(kernel, level, just_risen)
        arrays = (result.in_force, result.entered, result.fallen)
        means.append([a.mean(-1) for a in arrays])
        batches.append([a.sum(-2) / draws.size if weights is None else np.moveaxis(a, -2, -1) @ weights[chunk] for a in arrays])
    in_force, entered, fallen = (np.concatenate(parts, axis=-1) for parts in zip(*means, strict=True))
    by_batch = [np.asarray(sum(parts)) for parts in zip(*batches, strict=True)]
    return LadderForecast(in_force, entered, fallen, (by_batch[0], by_batch[1], by_batch[2]))


def _compiled(
    draws: ParameterDraws, pool: DriverPaths, pressure: Floats, paths: NDArray[np.int_], level: int, just_risen: bool, slow: Floats,
    weights: Floats | None,
) -> LadderForecast:  # fmt: skip
    from forecast.arrays.compiled_ladder import mean_probabilities

    weights = np.full(draws.size, 1 / draws.size) if weights is None else weights
    inputs = _compiled_inputs(draws, driver_array(pool, pressure), paths)
    by_draw, by_batch = mean_probabilities(**inputs, slow=slow, weights=weights, level=level, just_risen=just_risen)
    return LadderForecast(*by_draw, by_batch)


def probability_reached(
    draws: ParameterDraws,
    drivers: Floats,
    paths: NDArray[np.int_],
    level: int,
    just_risen: bool,
    origin: Month,
    administration: NDArray[np.int_],
    target: int,
) -> Floats:
    """P(level >= target within the months of `administration`) by draw and path [S, P]; drivers: of `driver_array`. Always compiled."""
    from forecast.arrays import compiled_ladder

    months = np.arange(origin + 1, origin + 1 + len(administration))
    inputs = _compiled_inputs(draws, drivers, paths)
    slow = _slow(draws, months, administration)
    return compiled_ladder.probability_reached(**inputs, slow=slow, level=level, just_risen=just_risen, target=target)


def driver_array(pool: DriverPaths, pressure: Floats) -> Floats:
    """[paths, H + 1, driver], as the compiled recursion reads them."""
    return np.stack((pool.log2_deaths, pool.change, pool.opposition, pool.mobilisation, pressure), axis=-1)


def _compiled_inputs(draws: ParameterDraws, drivers: Floats, paths: NDArray[np.int_]) -> dict[str, Any]:
    tolerance = [draws.overdose_level, draws.overdose_change, -draws.opposition, -draws.opposition * draws.mobilisation]
    return {
        "odds": odds(np.stack([draws.rise_logits(), draws.fall_logits()])),
        "stops": np.stack([stopping(draws.skip_up), stopping(draws.skip_down)]),
        "phi": odds(draws.just_risen),
        "effects": np.array([[*tolerance, draws.leverage], [*(-e for e in tolerance), draws.leverage_on_falls]]),
        "drivers": drivers,
        "paths": paths,
    }


def _slow(draws: ParameterDraws, months: NDArray[np.int_], administration: NDArray[np.int_]) -> Floats:
    """[S, H]: what administration and drift add to tolerance."""
    return np.asarray(draws.alpha[:, administration] + draws.drift_at(months))


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

    def on_paths(series: Floats) -> Floats:  # [P, H + 1] → [H, S, paths a draw]
        return np.moveaxis(series[paths, :h], -1, 0)

    slow = _slow(draws, months, administration).T  # [H, S]
    pushed = on_paths(pressure)
    return Kernel(
        a=draws.rise_logits(),
        b=draws.fall_logits(),
        theta=draws.tolerance(slow[:, :, None], pool, on_paths),
        rise_push=draws.leverage[:, None] * pushed,
        fall_push=draws.leverage_on_falls[:, None] * pushed,
        just_risen=draws.just_risen,
        up=np.moveaxis(rise_destinations(draws.skip_up), 0, -1),
        down=np.moveaxis(fall_destinations(draws.skip_down), 0, -1),
    )
