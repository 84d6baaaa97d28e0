"""The history a tolerance model sees: the coded levels of one reading, and the drivers every reading shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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

    pressure        ℓ, the bent leverage
    log2_deaths     log2(deaths/3000), posterior mean
    change          log deaths less those twelve months before
    opposition      d − logit 0.6, posterior mean
    mobilisation    E
    administration  index of the Mexican administration in office on the 15th
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
    """Coded levels [T] of one reading, and its drivers."""

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
        """[T]: whether the month came just after a rise, i.e. its level is above the month before; false for the first month."""
        return np.concatenate([[False], self.levels[1:] > self.levels[:-1]])


def in_office(administrations: Sequence[Administration], country: str, first: Month, last: Month) -> NDArray[np.int_]:
    """Index, in order of taking office, of the administration of each month first..last.

    A month for which no term is known has the index after all known ones: someone else will govern, of whom nothing is known yet.
    """
    ordered = sorted((a for a in administrations if a.country == country), key=lambda a: a.start)
    out = np.full(last - first + 1, len(ordered))
    for i, a in enumerate(ordered):
        out[max(a.start - first, 0) : max(a.end - first + 1, 0)] = i
    return out
