"""What a scenario changes in the simulation of the drivers: forced arrivals, rates, and shifts of the overdose and opposition paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forecast.typing import Floats


@dataclass(frozen=True)
class ForcedArrival:
    """An arrival that happens on every path: `month` months after the origin (from 1), in a stream, with its mark.

    ends: a relaxation that is sure to end a standing measure of its channel, where there is one; others end one as often as simulated
    relaxations do.
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
    rates       stream → factor on its rate, from month `rates_from` to `rates_to` after the origin
    deaths      [H + 1] added to log deaths, month 0 is the origin; opposition [H + 1] added to d (logit); leverage [H + 1] added to L
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
