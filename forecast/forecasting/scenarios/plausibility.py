"""How far a scenario moves the drivers, how often the simulation goes as far without it, and which simulated paths meet a condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.transforms import expit
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
"""Driver → paths [P, H + 1] on the scale on which plausibility is judged: L, log monthly deaths, d − logit .6, E."""

_SHOWN: Final[Mapping[Driver, Callable[[Floats], Floats]]] = MappingProxyType(
    {
        "leverage": lambda x: x,
        "deaths": np.exp,
        "opposition": lambda x: np.asarray(100.0 * expit(x + LOGIT_60)),
        "mobilisation": lambda x: x,
    }
)
"""From that scale to the unit of reports and conditions: L, deaths a month, per cent opposed, E."""


@dataclass(frozen=True, slots=True)
class DriverMove:
    """How a scenario moves a driver, in the driver's unit.

    driver    its name
    here      mean over the story's months of the median path, under the scenario
    forecast  the same in the forecast
    tail      two-sided tail probability: twice the share of simulated paths whose mean is at least as extreme; at most 1
    """

    driver: Driver
    here: float
    forecast: float
    tail: float


def driver_moves(intervened: DriverPaths, plain: DriverPaths, months: tuple[int, int]) -> tuple[DriverMove, ...]:
    """The drivers that an intervention moves in `months` (first and last, from 1), the least plausible first."""
    moves = []
    span = slice(months[0], months[1] + 1)
    for name, series in DRIVERS.items():
        here, base = series(intervened)[:, span], series(plain)[:, span]
        if np.array_equal(here, base):
            continue
        path = np.median(here, axis=0)
        shown = _SHOWN[name]
        means = float(shown(path).mean()), float(shown(np.median(base, axis=0)).mean())
        moves.append(DriverMove(name, *means, two_sided_tail(float(path.mean()), base.mean(1))))
    return tuple(sorted(moves, key=lambda move: move.tail))


def two_sided_tail(value: float, simulated: Floats) -> float:
    """Twice the share of simulated values [P] at least as extreme as `value`, which counts as one of them, so it is never 0."""
    above, below = (simulated >= value).sum(), (simulated <= value).sum()
    return min(1.0, 2.0 * (1 + int(min(above, below))) / (1 + simulated.size))


def qualifying_paths(pool: DriverPaths, conditions: Sequence[Condition]) -> NDArray[np.int_]:
    """Indices of the paths that meet every condition."""
    meets = np.ones(len(pool.leverage), bool)
    for condition in conditions:
        first, last = condition.months
        mean = _SHOWN[condition.driver](DRIVERS[condition.driver](pool)[:, first : last + 1]).mean(1)
        if condition.below is not None:
            meets &= mean < condition.below
        if condition.above is not None:
            meets &= mean > condition.above
    return np.flatnonzero(meets)
