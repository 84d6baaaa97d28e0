"""The drivers as edited priors would have them, from what `draws.npz` keeps of how they were made.

Leverage is made anew from measures and impulses, over history and on every path. Mobilisations answer leverage, so that paths weigh by
how much likelier their arrivals became. The priors of models 3 and 4 weigh the paths, each a draw from those models, by the ratio of
prior densities; opposition over history moves by what the weighted mean of the paths differs from their plain one. A path is made of an
event part and an opposition part, which are independent: each is weighted and redrawn by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import saturate_pressure
from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.domain import CHANNELS, FIRST_MONTH
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import PATHS_A_DRAW
from forecast.model.events import STREAMS
from forecast.model.history import Drivers
from forecast.model.hyperparameters import leverage_settings_at
from forecast.model.leverage import combine, impulse_memory
from forecast.model.opposition_marginal import HYPER
from forecast.model.poll_shares import OFFSETS
from forecast.priors.load import Priors
from forecast.reweighting.draws_archive import KNOT_MONTHS, unpack_drivers, unpack_pool
from forecast.typing import Arrays, Floats

LEVERAGE: Final = ("leverage.weights", *(f"leverage.half_life.{c}" for c in CHANNELS))
ELASTICITIES: Final = ("events.demand", "events.sufficiency", "events.backlash")
"""In the order of the columns of `Pool.eta`."""
POLLS: Final[Mapping[str, tuple[str, int | None]]] = {
    **{f"opposition.{name}": ("hyper", i) for i, name in enumerate(HYPER)},
    **{f"opposition.wording.{name}": ("wording", i) for i, name in enumerate(OFFSETS)},
    "opposition.start": ("start", None),
    "opposition.favourability_intercept": ("intercept", None),
}
"""Prior of model 3 → the array under polls/ that has its draws, and the column of it."""


@dataclass(frozen=True, eq=False)
class UpdatedDrivers:
    """Drivers over history and paths of them. path_weights: the weights by which paths were resampled, none if they were not.

    history_moved, pool_moved: whether they are others than those of the run.
    """

    drivers: Drivers
    pool: DriverPaths
    path_weights: tuple[SmoothedWeights, ...] = ()
    history_moved: bool = False
    pool_moved: bool = False


def update_drivers(arrays: Arrays, old: Priors, new: Priors, names: Collection[str]) -> UpdatedDrivers:
    """What becomes of the drivers of a run when the named priors are other ones."""
    drivers, pool = unpack_drivers(arrays), unpack_pool(arrays)
    log_ratio = np.zeros(len(pool.leverage))
    path_weights: list[SmoothedWeights] = []
    pressed = any(n in LEVERAGE for n in names)
    if pressed:
        value, there, log_ratio = _update_leverage(arrays, pool, old, new)
        drivers, pool = drivers.with_pressure(saturate_pressure(value)), there
    log_ratio = log_ratio + _prior_ratio(arrays, old, new, [n for n in names if n in ELASTICITIES])
    if np.ptp(log_ratio) > 0:
        path_weights.append(pareto_smooth(log_ratio))
        rows = resample_paths(path_weights[-1].weights)
        pool = replace(pool, **{f: getattr(pool, f)[rows] for f in DriverPaths.__dataclass_fields__ if f != "opposition"})
    polled = [n for n in names if n in POLLS]
    if polled:
        weights = pareto_smooth(_prior_ratio(arrays, old, new, polled))
        path_weights += [weights, _of_hyper(arrays, old, new, polled)]
        pool = replace(pool, opposition=pool.opposition[resample_paths(weights.weights)])
        drivers = replace(drivers, opposition=drivers.opposition + opposition_change(arrays, weights.weights))
    return UpdatedDrivers(drivers, pool, tuple(path_weights), pressed or bool(polled), pressed or bool(path_weights))


def _update_leverage(arrays: Arrays, pool: DriverPaths, old: Priors, new: Priors) -> tuple[Floats, DriverPaths, Floats]:
    """L by month of history [T] and on the paths, by the new weights and half-lives; and by path [P] the log ratio of the likelihoods of
    its mobilisations, those of the window that its rate was learnt from and those that it makes, now that they answer another pressure."""
    was, was_there = _leverage(arrays, pool, old)
    value, there = _leverage(arrays, pool, new)
    counts = arrays["mobilised/counts"].astype(float)
    window = int(arrays["mobilised/start"]) - FIRST_MONTH + np.arange(len(counts))
    made = pool.arrivals[:, :, STREAMS.index("mobilisation")]
    eta, total = pool.eta[:, 2], np.zeros(len(made))
    for sign, history, paths in ((1, value, there.leverage), (-1, was, was_there.leverage)):
        mean = history[window].mean()
        past, future = history[window - 1] - mean, paths[:, :-1] - mean
        arrived = eta * (past @ counts + (made * future).sum(1))
        expected = np.exp(np.outer(eta, past)).sum(1) + np.exp(eta[:, None] * future).sum(1)
        total += sign * (arrived - pool.mobilising * expected)
    return value, there, total


def _leverage(arrays: Arrays, pool: DriverPaths, priors: Priors) -> tuple[Floats, DriverPaths]:
    """L [T] over history, and the pool with L and impulses by these priors."""
    settings = leverage_settings_at(priors, float(arrays["leverage/scale"]))
    gains, reliefs = arrays["leverage/gains"].astype(float), arrays["leverage/reliefs"].astype(float)
    impulses = impulse_memory(gains, reliefs, settings)
    value = combine(np.asarray(arrays["leverage/measures"]), impulses, settings)
    start = np.repeat(impulses[:, -1:], len(pool.leverage), axis=1)
    gains, reliefs = (np.moveaxis(z, 1, 0)[..., 1:].astype(float) for z in (pool.gains, pool.reliefs))
    later = np.concatenate([start[..., None], impulse_memory(gains, reliefs, settings, start)], axis=-1)
    on_paths = combine(np.moveaxis(pool.measures, 1, 0), later, settings)
    return value, replace(pool, leverage=on_paths, impulses=np.moveaxis(later, 0, 1))


def parameter_by_path(arrays: Arrays, name: str) -> Floats:
    """The draw [P] of a prior of models 3 and 4 behind each path."""
    if name in ELASTICITIES:
        return np.asarray(arrays["pool/eta"], float)[:, ELASTICITIES.index(name)]
    field, column = POLLS[name]
    values = np.asarray(arrays[f"polls/{field}"], float)
    return values if column is None else values[:, column]


def _prior_ratio(arrays: Arrays, old: Priors, new: Priors, names: Collection[str]) -> Floats:
    """log of the new over the old prior density of the draws behind the paths, [P]; 0 without names."""
    total = np.zeros(len(arrays["pool/eta"]))
    for name in names:
        values = parameter_by_path(arrays, name)
        total += new.distribution(name).logpdf(values) - old.distribution(name).logpdf(values)
    return total


def _of_hyper(arrays: Arrays, old: Priors, new: Priors, names: Collection[str]) -> SmoothedWeights:
    """The weights that model 3's draws of its hyperparameters would have. Many paths share one of them, so that the paths alone would
    look better than they are. The effective number is that of paths, were they as much fewer as these draws became."""
    hyper, weights = np.asarray(arrays["opposition/hyper"]), np.asarray(arrays["opposition/weights"])
    log_ratio = np.log(weights)
    for name in names:
        field, column = POLLS[name]
        if field == "hyper" and column is not None:
            log_ratio = log_ratio + new.distribution(name).logpdf(hyper[:, column]) - old.distribution(name).logpdf(hyper[:, column])
    after = pareto_smooth(log_ratio)
    share = min(after.ess * float((weights**2).sum()) / float(weights.sum()) ** 2, 1.0)
    return SmoothedWeights(after.weights, after.k_hat, share * len(arrays["polls/start"]))


def opposition_change(arrays: Arrays, weights: Floats) -> Floats:
    """[T]: how far the weighted mean of d on the paths lies from their plain mean, by month of history."""
    knots = arrays["polls/knots"].astype(np.float32)
    moved = (weights - 1 / len(weights)) @ knots
    months = np.arange(int(arrays["origin"]) - FIRST_MONTH + 1)
    return np.interp(months, KNOT_MONTHS * np.arange(len(moved)), moved)


def resample_paths(weights: Floats, batches: int = PATHS_A_DRAW) -> NDArray[np.int_]:
    """[P]: which path stands in each place when paths are redrawn by their weights [P], batch by batch, for batches are independent.

    Systematically, so that each comes as often as its weight says but for a rounding; and a path that is drawn at all keeps its place, so
    that small changes of the weights move few.
    """
    size = len(weights) // batches
    out = np.arange(len(weights))
    for first in range(0, batches * size, size):
        own = slice(first, first + size)
        often = np.bincount(systematic_resample(weights[own], size), minlength=size)
        out[own][often == 0] = first + np.repeat(np.arange(size), np.maximum(often - 1, 0))
    return out


def systematic_resample(weights: Floats, n: int) -> NDArray[np.int_]:
    """n of the indices of weights [S] (which need not sum to one), evenly along their sum, in order."""
    cumulative = np.cumsum(weights)
    found = np.searchsorted(cumulative, (np.arange(n) + 0.5) / n * cumulative[-1])
    return np.asarray(np.minimum(found, len(weights) - 1))
