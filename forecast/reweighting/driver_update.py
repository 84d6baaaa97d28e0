"""The drivers under edited priors, from what `draws.npz` keeps of the data and draws they were made from.

Leverage is computed anew from measures and impulses, over history and on every path. Mobilisations respond to leverage, so paths are
weighted by the likelihood ratio of their arrivals. The priors of models 3 and 4 weight the paths, each a draw from those models, by the
ratio of prior densities; opposition over history moves by the weighted mean of the paths less their plain mean. A path has an event part
and an opposition part, which are independent: each is weighted and resampled by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forecast.arrays.ladder import saturate_pressure
from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.domain import CHANNELS, FIRST_MONTH
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import PATHS_A_DRAW
from forecast.model.events import STREAMS
from forecast.model.hyperparameters import leverage_settings_at
from forecast.model.leverage import combine, impulse_memory
from forecast.model.opposition_marginal import HYPER, OFFSETS
from forecast.model.tolerance_data import Drivers
from forecast.priors.load import Priors
from forecast.reweighting.draws_archive import KNOT_MONTHS, unpack_drivers, unpack_pool
from forecast.typing import Arrays, Floats, Ints

LEVERAGE: Final = ("leverage.weights", *(f"leverage.half_life.{c}" for c in CHANNELS))
ELASTICITIES: Final = ("events.demand", "events.sufficiency", "events.backlash")
"""In the order of the columns of `DriverPaths.eta`."""
POLLS: Final[Mapping[str, tuple[str, int | None]]] = {
    **{f"opposition.{name}": ("hyper", i) for i, name in enumerate(HYPER)},
    **{f"opposition.wording.{name}": ("wording", i) for i, name in enumerate(OFFSETS)},
    "opposition.start": ("start", None),
    "opposition.favourability_intercept": ("intercept", None),
}
"""Prior of model 3 → the array under polls/ that has its draws, and the column of it."""


@dataclass(frozen=True, eq=False)
class UpdatedDrivers:
    """The drivers after an edit.

    drivers        over history
    pool           their paths
    path_weights   the weights by which paths were resampled; empty if they were not
    history_moved  whether the drivers over history differ from the run's
    pool_moved     whether the paths differ from the run's
    """

    drivers: Drivers
    pool: DriverPaths
    path_weights: tuple[SmoothedWeights, ...] = ()
    history_moved: bool = False
    pool_moved: bool = False


def update_drivers(arrays: Arrays, old: Priors, new: Priors, names: Collection[str]) -> UpdatedDrivers:
    """The drivers of a run under other values of the named priors."""
    drivers, pool = unpack_drivers(arrays), unpack_pool(arrays)
    log_ratio = np.zeros(len(pool.leverage))
    path_weights: list[SmoothedWeights] = []
    leverage_edited = any(n in LEVERAGE for n in names)
    if leverage_edited:
        value, pool, log_ratio = _update_leverage(arrays, pool, old, new)
        drivers = drivers.with_pressure(saturate_pressure(value))
    log_ratio = log_ratio + _prior_ratio(arrays, old, new, [n for n in names if n in ELASTICITIES])
    if np.ptp(log_ratio) > 0:
        path_weights.append(pareto_smooth(log_ratio))
        rows = resample_paths(path_weights[-1].weights)
        pool = replace(pool, **{f: getattr(pool, f)[rows] for f in DriverPaths.__dataclass_fields__ if f != "opposition"})
    opposition_names = [n for n in names if n in POLLS]
    if opposition_names:
        weights = pareto_smooth(_prior_ratio(arrays, old, new, opposition_names))
        path_weights += [weights, _hyperparameter_weights(arrays, old, new, opposition_names)]
        pool = replace(pool, opposition=pool.opposition[resample_paths(weights.weights)])
        drivers = replace(drivers, opposition=drivers.opposition + opposition_change(arrays, weights.weights))
    return UpdatedDrivers(
        drivers, pool, tuple(path_weights), leverage_edited or bool(opposition_names), leverage_edited or bool(path_weights)
    )


def _update_leverage(arrays: Arrays, pool: DriverPaths, old: Priors, new: Priors) -> tuple[Floats, DriverPaths, Floats]:
    """Leverage under the new weights and half-lives, by month of history [T] and on the paths; and the log likelihood ratio by path [P] of
    its mobilisations under the new leverage, those of the window that its rate was fitted to and those it simulates."""
    old_value, old_pool = _leverage(arrays, pool, old)
    value, new_pool = _leverage(arrays, pool, new)
    counts = arrays["mobilised/counts"].astype(float)
    window = int(arrays["mobilised/start"]) - FIRST_MONTH + np.arange(len(counts))
    simulated = pool.arrivals[:, :, STREAMS.index("mobilisation")]
    eta, total = pool.eta[:, 2], np.zeros(len(simulated))
    for sign, history, paths in ((1, value, new_pool.leverage), (-1, old_value, old_pool.leverage)):
        mean = history[window].mean()
        past, future = history[window - 1] - mean, paths[:, :-1] - mean
        arrived = eta * (past @ counts + (simulated * future).sum(1))
        expected = np.exp(np.outer(eta, past)).sum(1) + np.exp(eta[:, None] * future).sum(1)
        total += sign * (arrived - pool.mobilising * expected)
    return value, new_pool, total


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
    """The parameter of a prior of models 3 and 4 that each path was simulated with, [P]."""
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


def _hyperparameter_weights(arrays: Arrays, old: Priors, new: Priors, names: Collection[str]) -> SmoothedWeights:
    """The weights of model 3's draws of its hyperparameters under the new priors. Many paths share one such draw, so the weights of the
    paths alone would look too good. The effective number of draws is stated as a number of paths, in proportion."""
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
    """The change [T] of opposition over history: the weighted mean of d on the paths less their plain mean, weights [P]."""
    knots = arrays["polls/knots"].astype(np.float32)
    change = (weights - 1 / len(weights)) @ knots
    months = np.arange(int(arrays["origin"]) - FIRST_MONTH + 1)
    return np.interp(months, KNOT_MONTHS * np.arange(len(change)), change)


def resample_paths(weights: Floats, batches: int = PATHS_A_DRAW) -> Ints:
    """The path in each place [P] after resampling by weights [P], batch by batch, for batches are independent.

    Resampling is systematic, so each path comes as often as its weight says but for rounding. A path that is drawn keeps its place, so
    small changes of the weights move few paths.
    """
    size = len(weights) // batches
    out = np.arange(len(weights))
    for first in range(0, batches * size, size):
        own = slice(first, first + size)
        often = np.bincount(systematic_resample(weights[own], size), minlength=size)
        out[own][often == 0] = first + np.repeat(np.arange(size), np.maximum(often - 1, 0))
    return out


def systematic_resample(weights: Floats, n: int) -> Ints:
    """n of the indices of weights [S] (which need not sum to one), evenly along their sum, in order."""
    cumulative = np.cumsum(weights)
    indices = np.searchsorted(cumulative, (np.arange(n) + 0.5) / n * cumulative[-1])
    return np.asarray(np.minimum(indices, len(weights) - 1))
