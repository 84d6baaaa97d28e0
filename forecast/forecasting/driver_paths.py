"""Simulated paths of the drivers after the origin, and what a scenario changes in their simulation. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecast.typing import Floats


@dataclass(frozen=True, eq=False)
class DriverPaths:
    """P simulated paths of the drivers over the H months after the origin; month 0 is the origin. C = 3 channels.

    leverage      [P, H + 1]     L, before it is saturated
    log2_deaths   [P, H + 1]     log2(monthly deaths/3000)
    change        [P, H + 1]     log deaths less those twelve months before
    opposition    [P, H + 1]     d − logit 0.6
    mobilisation  [P, H + 1]     E
    arrivals      [P, H, K]      number of events, by stream
    measures      [P, C, H + 1]  the part of L that stands for measures in force
    impulses      [P, C, H + 1]  the part of L that remembers single events
    gains         [P, C, H + 1]  strongest impulse of the month, of which `impulses` is made (0 at the origin)
    reliefs       [P, C, H + 1]  strongest relaxation of the month that ended no measure, likewise
    eta           [P, 3]         elasticities of the event rates
    mobilising    [P]            monthly rate Λ of mobilisations
    """

    leverage: Floats
    log2_deaths: Floats
    change: Floats
    opposition: Floats
    mobilisation: Floats
    arrivals: NDArray[np.int64]
    measures: Floats
    impulses: Floats
    gains: NDArray[np.int_]
    reliefs: NDArray[np.int_]
    eta: Floats
    mobilising: Floats

    @property
    def horizon(self) -> int:
        return int(self.leverage.shape[1]) - 1


@dataclass(frozen=True)
class ForcedArrival:
    """An event that happens on every path.

    month      months after the origin, from 1
    stream     the stream it belongs to
    channel    its channel, empty where the stream has none
    intensity  1 to 5
    ends       of a relaxation: it ends a standing measure of its channel if there is one. Other relaxations end one only by chance
    """

    month: int
    stream: str
    channel: str
    intensity: int
    ends: bool = False


@dataclass(frozen=True)
class Intervention:
    """Changes to the driver simulation; the default changes nothing.

    forced      arrivals added to those simulated
    rates       stream → factor on its rate
    rates_from  first month in which the factors hold, counted from the origin
    rates_to    last such month
    deaths      [H + 1] added to log deaths; month 0 is the origin
    opposition  [H + 1] added to d, on the logit scale
    leverage    [H + 1] added to L
    """

    forced: tuple[ForcedArrival, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    rates_from: int = 1
    rates_to: int = 10_000
    deaths: Floats | None = None
    opposition: Floats | None = None
    leverage: Floats | None = None

    @property
    def empty(self) -> bool:
        shifts = (self.deaths, self.opposition, self.leverage)
        return not self.forced and not self.rates and all(s is None for s in shifts)


NO_INTERVENTION = Intervention()
