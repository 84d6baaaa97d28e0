"""The bias that all pollsters share: polls cannot show it, so what is asked is how large it would have to be.

If all polls understate opposition by b logits, then d is b higher in every month, past and to come. The past is explained anew: a draw
weighs the likelihood of the record under the shifted driver over that under the driver as it is. Then the recursion runs again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forecast.arrays.psis import pareto_smooth
from forecast.model.tolerance_data import LOGIT_60
from forecast.sensitivity.target_question import ReadingDraws, TargetQuestion, chosen, log_odds
from forecast.sensitivity.tipping_points import LINES, Crossing, Point, crossing
from forecast.typing import Floats

MOST: Final = 2.0
"""Biases are looked for up to this many logits, either way: 60 % opposed would be 17 % or 92 %."""
_STEP: Final = 0.5


@dataclass(frozen=True)
class SharedBias:
    """The headline by bias, and the biases at which it crosses LINES, or is half or twice what it is; None where none within MOST does.

    A bias above zero means that more are opposed than polls say. opposed_now: the share opposed at the origin, as estimated.
    """

    curve: tuple[Point, ...]
    crossings: Mapping[float, Crossing | None]
    halved: Crossing | None
    doubled: Crossing | None
    opposed_now: float

    @property
    def trusted(self) -> float:
        """The largest bias up to which the draws carry the answer, either way."""
        bad = [abs(p.value) for p in self.curve if not p.trusted]
        return max((abs(p.value) for p in self.curve if abs(p.value) < min(bad, default=np.inf)), default=0.0)


def shared_bias(headline: TargetQuestion) -> SharedBias:
    """The headline under every bias from −MOST to MOST."""
    curve = tuple(_point(headline, float(b)) for b in np.arange(-MOST, MOST + _STEP / 2, _STEP))
    p = headline.probability
    return SharedBias(
        curve=curve,
        crossings={line: crossing(curve, line, 0.0) for line in LINES},
        halved=crossing(curve, p / 2, 0.0),
        doubled=crossing(curve, 2 * p, 0.0) if p < 0.5 else None,
        opposed_now=share(float(headline.readings[0].history.drivers.opposition[-1])),
    )


def share(d: float) -> float:
    """The share opposed from d − logit 60 %."""
    return float(1.0 / (1.0 + np.exp(-LOGIT_60 - d)))


def _point(headline: TargetQuestion, bias: float) -> Point:
    pool = replace(headline.pool, opposition=headline.pool.opposition + bias)
    weights = {r.name: pareto_smooth(_log_ratio(r, bias)) for r in headline.readings}
    chances = {r.name: headline.again(r, pool=pool).mean(1) for r in headline.readings}
    return headline.point(bias, chances, weights)


def _log_ratio(reading: ReadingDraws, bias: float) -> Floats:
    drivers = replace(reading.history.drivers, opposition=reading.history.drivers.opposition + bias)
    rise, fall = log_odds(reading.some, replace(reading.history, drivers=drivers))
    return np.asarray((chosen(rise, fall, reading.history) - chosen(*reading.log_odds, reading.history)).sum(1))
