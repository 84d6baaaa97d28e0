"""Where the headline crosses a line: along an effect, if its value were known, and along the bias that all pollsters share.

To know an effect is to have a prior that is all at one value v: the rest of the model is then p(rest | data, effect = v), in each
reading. That is also the posterior given the effect, whatever its own prior is, so both questions have one answer. The draws give it:
the effect is set to v in all of them, a draw with the rest θ weighs L(v, θ) / ∫ L(v′, θ) π(v′) dv′, where L is the likelihood of the
record, and the recursion runs again. (Drawn from p(θ | data) ∝ π(θ) ∫ L(v′, θ) π(v′) dv′, these weights give p(θ | data, v).)

Polls cannot show a bias that all of them share, so the question is how large it would have to be. If all polls understate opposition by
b logits, then d is b higher in every month, past and to come. A draw weighs the likelihood of the record under the shifted driver over
that under the driver as it is, and the recursion runs again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np

from forecast.arrays.ladder import rise_logit
from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.arrays.transforms import expit, logit
from forecast.model.tolerance_data import LOGIT_60
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, SKIP
from forecast.reweighting.importance_ratios import PARAMETER_READERS, model_prior, to_own_unit, with_parameter_fixed
from forecast.sensitivity.target_question import Point, ReadingDraws, TargetQuestion
from forecast.typing import Floats

LINES: Final = (0.02, 0.05, 0.10, 0.25)
EFFECTS: Final = (
    "leverage.effect",
    "leverage.effect_on_falls",
    "overdose.level_effect",
    "overdose.change_effect",
    "opposition.effect",
    "opposition.mobilisation",
    RISE,
    SKIP,
)
REACH: Final = 3.09
"""Values range from the 0.1 to the 99.9 % quantile of the prior: this many standard normal deviations to each side."""
_STEPS: Final = 6  # from the middle to each end, half a standard deviation apart: the trapezoid rule is exact for what a likelihood can be
_MORE: Final = 2  # and as many beyond, where the integral over the prior still has mass
_SHOWN: Final = 2  # the recursion runs at every second of them
BIAS_MAX: Final = 2.0
"""Largest bias, in logits, either way: 60 % opposed would be 17 % or 92 %."""
_BIAS_STEP: Final = 0.5


@dataclass(frozen=True)
class Crossing:
    """Where the headline crosses a line.

    value  of what is varied; None if it crosses nowhere in the range
    error  Monte Carlo standard error of the value
    rough  whether the draws carry a neighbouring point badly
    """

    line: float
    value: float | None = None
    error: float | None = None
    rough: bool = False


def crossing(curve: Sequence[Point], line: float, now: float) -> Crossing:
    """Where the headline crosses `line`, linear between neighbours on the logit; the crossing nearest to `now` if there are several."""
    crossings = []
    for a, b in itertools.pairwise(curve):
        above, below = float(logit(a.probability) - logit(line)), float(logit(b.probability) - logit(line))
        if above * below <= 0 and above != below:
            slope = (b.probability - a.probability) / (b.value - a.value)
            at = a.value + (b.value - a.value) * above / (above - below)
            crossings.append((abs(at - now), Crossing(line, at, max(a.mcse, b.mcse) / abs(slope), not (a.trusted and b.trusted))))
    return min(crossings, key=lambda pair: pair[0])[1] if crossings else Crossing(line)


@dataclass(frozen=True)
class TippingPoint:
    """The headline along the range of an effect, in the unit of its prior; now: the posterior mean of the effect."""

    name: str
    now: float
    low: float
    high: float
    curve: tuple[Point, ...]
    crossings: tuple[Crossing, ...]


def tipping_points(target: TargetQuestion, priors: Priors) -> tuple[TippingPoint, ...]:
    """Every effect of EFFECTS."""
    return tuple(tipping_point(target, priors, name) for name in EFFECTS)


def tipping_point(target: TargetQuestion, priors: Priors, name: str) -> TippingPoint:
    """The headline along the range of one effect."""
    z: Floats = REACH / _STEPS * np.arange(-_STEPS - _MORE, _STEPS + _MORE + 1, dtype=float)
    values = model_prior(priors, name).quantile([NormalDist().cdf(x) for x in z])
    weights = {r.name: weights_given_effect(r, name, values, np.exp(-0.5 * z**2)) for r in target.readings}
    curve = []
    for g in range(_MORE, len(z) - _MORE, _SHOWN):
        value = float(to_own_unit(name, values[g]))
        probabilities = {r.name: target.resimulate(r, with_parameter_fixed(r.subsample, name, value)).mean(1) for r in target.readings}
        curve.append(target.point(value, probabilities, {reading: w[g] for reading, w in weights.items()}))
    now = float(sum(r.weight * to_own_unit(name, PARAMETER_READERS[name](r.draws)).mean() for r in target.readings))
    crossings = tuple(crossing(curve, line, now) for line in LINES)
    return TippingPoint(name, now, curve[0].value, curve[-1].value, tuple(curve), crossings)


def weights_given_effect(reading: ReadingDraws, name: str, values: Floats, density: Floats) -> list[SmoothedWeights]:
    """By value [V] of the effect, on the scale of the model: weights of the subsample given that value; density [V]: of the prior there."""
    if name == SKIP:  # nothing else depends on it, given the record
        return [pareto_smooth(np.zeros(reading.subsample.size))] * len(values)
    logs = np.array([likelihood_ratio(reading, name, v) for v in values])
    top = logs.max(0)
    integral = top + np.log((density[:, None] * np.exp(logs - top)).sum(0))
    return [pareto_smooth(row - integral) for row in logs]


def likelihood_ratio(reading: ReadingDraws, name: str, value: float) -> Floats:
    """Log likelihood [S'] of the record with the effect at a value in every draw of the subsample, less that of the draws as they are."""
    rise, fall = _log_odds_per_unit(reading, name)
    by = (_linear(name, np.array(value)) - _linear(name, PARAMETER_READERS[name](reading.subsample)))[:, None]
    return reading.subsample_record.log_ratio(by * rise, by * fall)


def _linear(name: str, values: Floats) -> Floats:
    """The quantity that the log-odds are linear in."""
    return rise_logit(to_own_unit(name, values)) if name == RISE else values


def _log_odds_per_unit(reading: ReadingDraws, name: str) -> tuple[Floats, Floats]:
    """What a unit adds to the log-odds of a rise and of a fall, [S' or 1, T − 1] each."""
    draws, d = reading.subsample, reading.history.drivers
    none = np.zeros((1, len(d.pressure) - 1))

    def seen(series: Floats) -> Floats:
        return series[None, :-1]

    if name == RISE:
        return (reading.history.levels[None, :-1] == int(name[-1])).astype(float), none
    if name == "leverage.effect":
        return seen(d.pressure), none
    if name == "leverage.effect_on_falls":
        return none, seen(d.pressure)
    if name == "opposition.effect":
        tolerance = -(seen(d.opposition) + draws.mobilisation[:, None] * seen(d.mobilisation))
    elif name == "opposition.mobilisation":
        tolerance = -draws.opposition[:, None] * seen(d.mobilisation)
    else:
        tolerance = seen(d.log2_deaths if name == "overdose.level_effect" else d.change)
    return tolerance, -tolerance


@dataclass(frozen=True)
class SharedBias:
    """The headline by shared bias of the polls; above zero, more are opposed than polls say.

    crossings       of the LINES
    halved, doubled where the headline is half or twice what it is; None where it nowhere is
    opposed_now     the share opposed at the origin, as estimated
    """

    curve: tuple[Point, ...]
    crossings: tuple[Crossing, ...]
    halved: Crossing | None
    doubled: Crossing | None
    opposed_now: float

    @property
    def trusted(self) -> float:
        """The largest bias up to which the draws carry the answer, either way."""
        bad = [abs(p.value) for p in self.curve if not p.trusted]
        return max((abs(p.value) for p in self.curve if abs(p.value) < min(bad, default=np.inf)), default=0.0)


def shared_bias(target: TargetQuestion) -> SharedBias:
    """The headline under every bias from −BIAS_MAX to BIAS_MAX."""
    curve = tuple(_biased(target, float(b)) for b in np.arange(-BIAS_MAX, BIAS_MAX + _BIAS_STEP / 2, _BIAS_STEP))

    def where(p: float) -> Crossing | None:
        at = crossing(curve, p, 0.0)
        return None if at.value is None else at

    p = target.probability
    return SharedBias(
        curve=curve,
        crossings=tuple(crossing(curve, line, 0.0) for line in LINES),
        halved=where(p / 2),
        doubled=where(2 * p) if p < 0.5 else None,
        opposed_now=opposed_share(float(target.readings[0].history.drivers.opposition[-1])),
    )


def opposed_share(d: float) -> float:
    """The share opposed from d, logits above 60 %."""
    return float(expit(LOGIT_60 + d))


def _biased(target: TargetQuestion, bias: float) -> Point:
    pool = replace(target.pool, opposition=target.pool.opposition + bias)
    weights: dict[str, SmoothedWeights] = {}
    probabilities: Mapping[str, Floats] = {r.name: target.resimulate(r, pool=pool).mean(1) for r in target.readings}
    for r in target.readings:
        own = r.history.drivers
        weights[r.name] = pareto_smooth(r.subsample_record.driver_ratio(replace(own, opposition=own.opposition + bias)))
    return target.point(bias, probabilities, weights)
