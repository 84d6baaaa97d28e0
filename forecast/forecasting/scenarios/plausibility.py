"""Drivers of a pool over a span of months: what a scenario moves, how far the simulation goes there by itself, which paths qualify."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.scenarios.specification import Condition, Driver
from forecast.model.tolerance_data import LOG_3000, LOGIT_60
from forecast.typing import Floats

DRIVERS: Final[Mapping[Driver, Callable[[DriverPaths], Floats]]] = MappingProxyType(
    {
        "leverage": lambda pool: pool.leverage,
        "deaths": lambda pool: np.asarray(LOG_3000 + np.log(2.0) * pool.log2_deaths),
        "opposition": lambda pool: pool.opposition,
        "mobilisation": lambda pool: pool.mobilisation,
    }
)
"""Driver → paths [P, H + 1] on the scale on which it is judged: L, log monthly deaths, d − logit .6, E."""

_SHOWN: Final[Mapping[Driver, Callable[[Floats], Floats]]] = MappingProxyType(
    {
        "leverage": lambda x: x,
        "deaths": np.exp,
        "opposition": lambda x: np.asarray(100.0 * expit(x + LOGIT_60)),
        "mobilisation": lambda x: x,
    }
)
"""From that scale to the unit in which it is read and conditioned on: L, deaths a month, per cent opposed, E."""


@dataclass(frozen=True, slots=True)
class DriverMove:
    """How a driver differs under a scenario: the median path's mean over the story's months, here and in the forecast, in its own unit.

    tail: how often a simulated path is, on its mean over those months, at least as far out on that side, twice; at most 1.
    """

    driver: Driver
    here: float
    forecast: float
    tail: float


def driver_moves(patched: DriverPaths, plain: DriverPaths, months: tuple[int, int]) -> tuple[DriverMove, ...]:
    """The drivers that the patched pool moves in `months` (first and last, from 1), the least plausible first."""
    found = []
    span = slice(months[0], months[1] + 1)
    for name, series in DRIVERS.items():
        here, there = series(patched)[:, span], series(plain)[:, span]
        if np.array_equal(here, there):
            continue
        path = np.median(here, axis=0)
        shown = _SHOWN[name]
        means = float(shown(path).mean()), float(shown(np.median(there, axis=0)).mean())
        found.append(DriverMove(name, *means, two_sided_tail(float(path.mean()), there.mean(1))))
    return tuple(sorted(found, key=lambda move: move.tail))


def two_sided_tail(value: float, simulated: Floats) -> float:
    """Twice the share of simulated values [P] at least as extreme on the nearer side; the value counts as one of them, so never zero."""
    above, below = (simulated >= value).sum(), (simulated <= value).sum()
    return min(1.0, 2.0 * (1 + int(min(above, below))) / (1 + simulated.size))


def qualifying_paths(pool: DriverPaths, conditions: Sequence[Condition]) -> NDArray[np.int_]:
    """The paths that meet every condition, by their number in the pool."""
    meets = np.ones(len(pool.leverage), bool)
    for condition in conditions:
        first, last = condition.months
        mean = _SHOWN[condition.driver](DRIVERS[condition.driver](pool)[:, first : last + 1]).mean(1)
        if condition.below is not None:
            meets &= mean < condition.below
        if condition.above is not None:
            meets &= mean > condition.above
    return np.flatnonzero(meets)
