"""The data of model 5: the coded levels of one reading, the drivers, and the constants of the priors, as arrays of fixed shape. No PyMC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.decay import knot_weights
from forecast.domain import FIRST_MONTH, Month
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.data.records import Administration

LOG_3000 = float(np.log(3000.0))
LOGIT_60 = float(np.log(0.6 / 0.4))
"""Opposition is centred at 60 % opposed, overdoses at 3,000 deaths a month."""


@dataclass(frozen=True)
class Drivers:
    """Monthly drivers, all [T] from FIRST_MONTH to the origin.

    pressure        ℓ, the saturated leverage
    log2_deaths     log2(deaths/3000), posterior mean
    change          log deaths less those twelve months before
    opposition      d − logit 0.6, posterior mean
    mobilisation    E
    administration  index of the Mexican administration in office
    """

    pressure: Floats
    log2_deaths: Floats
    change: Floats
    opposition: Floats
    mobilisation: Floats
    administration: NDArray[np.int_]

    @property
    def origin(self) -> Month:
        return Month(FIRST_MONTH + len(self.pressure) - 1)

    def with_pressure(self, pressure: Floats) -> Drivers:
        return replace(self, pressure=pressure)


@dataclass(frozen=True)
class History:
    """The history that model 5 is fitted to.

    levels   [T] coded levels of one reading
    drivers  the drivers in the same months
    """

    levels: NDArray[np.int_]
    drivers: Drivers

    def __post_init__(self) -> None:
        if len(self.levels) != len(self.drivers.pressure):
            raise ValueError("levels and drivers must cover the same months")

    @property
    def level_now(self) -> int:
        return int(self.levels[-1])

    @property
    def just_risen_now(self) -> bool:
        return bool(self.levels[-1] > self.levels[-2])

    @property
    def just_risen(self) -> NDArray[np.bool_]:
        """[T]: whether the level is higher than in the month before; false for the first month."""
        return np.concatenate([[False], self.levels[1:] > self.levels[:-1]])


def in_office(administrations: Sequence[Administration], country: str, first: Month, last: Month) -> NDArray[np.int_]:
    """Index, in order of taking office, of the administration of each month first..last.

    A month without a known term has the index after all known ones: an administration of which nothing is known yet.
    """
    ordered = sorted((a for a in administrations if a.country == country), key=lambda a: a.start)
    out = np.full(last - first + 1, len(ordered))
    for i, a in enumerate(ordered):
        out[max(a.start - first, 0) : max(a.end - first + 1, 0)] = i
    return out


MODEL_VERSION = "1"
ADMINISTRATIONS = 8
"""Slots for Mexican administrations. Those not observed yet are drawn from the prior; future administrations use them."""
SLOT_YEARS = 25
"""The graph has a fixed number of months from 2006 on. A longer history adds ten years, and compiles again."""
AHEAD_YEARS = 3
"""Years of drift knots beyond the last month, so that the simulation only interpolates."""


@dataclass(frozen=True, eq=False)
class TolerancePriors:
    """Constants of model 5's priors: (location, scale) on the scale on which the parameter is normal.

    rise               [5, 2] logit of the 12-month probability of a rise from 0..4
    stay               [5, 2] log of the median months before a fall from 1..5
    leverage           [2] effect of pressure on rises
    leverage_on_falls  [2] effect of pressure on falls
    just_risen         [2] effect of the month after a rise on falls
    overdose_level     [2] effect of the number of deaths
    overdose_change    [2] effect of its change over a year
    opposition         [2] effect of opposition
    mobilisation_sd    scale of the half-normal weight of mobilisation
    administration_sd  scale of the half-normal sd of administrations
    drift_sd           scale of the half-normal sd of the drift
    half_life          log median, log sd and shift in months of the drift's half-life
    skip_up            [4, 2] Beta parameters of a rise going on; conjugate, outside the sampler
    skip_down          [4, 2] Beta parameters of a fall going on
    symmetric          the effect of pressure on falls is minus that on rises
    """

    rise: Floats
    stay: Floats
    leverage: Floats
    leverage_on_falls: Floats
    just_risen: Floats
    overdose_level: Floats
    overdose_change: Floats
    opposition: Floats
    mobilisation_sd: float
    administration_sd: float
    drift_sd: float
    half_life: Floats
    skip_up: Floats
    skip_down: Floats
    symmetric: bool = False

    def constants(self) -> dict[str, Floats]:
        """The constants that enter the graph: name → array."""
        skip = ("skip_up", "skip_down")
        return {f"prior_{f.name}": np.asarray(getattr(self, f.name), float) for f in fields(self) if f.name not in skip}


def slots(origin: Month) -> tuple[int, int]:
    """Number of months and of drift knots of the graph that holds a history up to the origin."""
    years = SLOT_YEARS
    while FIRST_MONTH + 12 * years <= origin:
        years += 10
    return 12 * years, years + AHEAD_YEARS


def model_data(history: History, priors: TolerancePriors) -> dict[str, NDArray[np.generic]]:
    """The data of the graph by name, in shapes that depend only on `slots`.

    Entry t is the transition into month FIRST_MONTH + t. It uses the drivers and the level of t − 1, and whether t − 1 had just risen.
    """
    n, n_knots = slots(history.drivers.origin)
    d, y = history.drivers, history.levels

    def lagged(series: Floats) -> Floats:
        out = np.zeros(n)
        out[1 : len(series)] = series[:-1]
        return out

    used, rose, fell = np.zeros(n), np.zeros(n), np.zeros(n)
    level, administration = np.zeros(n, int), np.zeros(n, int)
    used[1 : len(y)] = 1.0
    rose[1 : len(y)] = y[1:] > y[:-1]
    fell[1 : len(y)] = y[1:] < y[:-1]
    level[1 : len(y)] = y[:-1]
    administration[: len(y)] = d.administration
    return {
        "used": used, "rose": rose, "fell": fell, "level": level, "in_office": administration,
        "just_risen": lagged(history.just_risen.astype(float)), "pressure": lagged(d.pressure),
        "log2_deaths": lagged(d.log2_deaths), "change": lagged(d.change),
        "opposition": lagged(d.opposition), "mobilised": lagged(d.mobilisation),
        "knot_weights": knot_weights(n, n_knots), "knot_lag": np.subtract.outer(np.arange(n_knots), np.arange(n_knots)).astype(float),
        **priors.constants(),
    }  # fmt: skip
