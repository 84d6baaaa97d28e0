"""Where the headline flips: the value of an effect at which it crosses a line, if that value were known for certain.

To know an effect is to have a prior that is all at one value v: the rest of the model is then p(rest | data, effect = v), in each
reading. That is also the posterior given the effect, whatever its own prior is, so both ways of asking have one answer. It is had from
the draws: the effect is set to v in all of them, a draw with the rest θ weighs L(v, θ) / ∫ L(v′, θ) π(v′) dv′, where L is the likelihood
of the record, and the recursion runs again. (Drawn from p(θ | data) ∝ π(θ) ∫ L(v′, θ) π(v′) dv′, these weights give p(θ | data, v).)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forecast.arrays.ladder import rise_logit
from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.priors.distributions import Distribution, Normal
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, SKIP, rise_after_selection
from forecast.reweighting.importance_ratios import PARAMETER_READERS, skip_prior
from forecast.sensitivity.target_question import ReadingDraws, TargetQuestion, chosen
from forecast.sensitivity.tipping_points import LINES, Crossing, Point, crossing
from forecast.typing import Floats

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
"""Values are looked for between the 0.1 and the 99.9 % quantile of the prior: this many standard normal deviations to each side."""
_STEPS: Final = 6  # from the middle to each end, half a standard deviation apart: the trapezoid rule is exact for what a likelihood can be
_MORE: Final = 2  # and as many beyond, where the integral over the prior still has mass
_SHOWN: Final = 2  # the recursion runs at every second of them


@dataclass(frozen=True)
class TippingPoint:
    """An effect, in the unit of its prior: its posterior mean, the headline along its range, and where that crosses LINES.

    crossings: line → where the headline crosses it, None if nowhere in the range.
    """

    name: str
    now: float
    low: float
    high: float
    curve: tuple[Point, ...]
    crossings: Mapping[float, Crossing | None]


def tipping_points(headline: TargetQuestion, priors: Priors) -> tuple[TippingPoint, ...]:
    """Every effect of EFFECTS."""
    return tuple(tipping_point(headline, priors, name) for name in EFFECTS)


def tipping_point(headline: TargetQuestion, priors: Priors, name: str) -> TippingPoint:
    """The headline along the range of one effect."""
    prior = _prior(priors, name)
    z: Floats = REACH / _STEPS * np.arange(-_STEPS - _MORE, _STEPS + _MORE + 1, dtype=float)
    values = prior.quantile(_normal_cdf(z))
    density = np.exp(-0.5 * z**2)
    weights = {r.name: weights_given_effect(r, name, values, density) for r in headline.readings}
    inside = range(_MORE, len(z) - _MORE, _SHOWN)
    curve = tuple(_point(headline, name, float(values[g]), {n: w[g] for n, w in weights.items()}) for g in inside)
    now = float(sum(r.weight * _shown(name, PARAMETER_READERS[name](r.draws)).mean() for r in headline.readings))
    return TippingPoint(
        name=name,
        now=now,
        low=curve[0].value,
        high=curve[-1].value,
        curve=curve,
        crossings={line: crossing(curve, line, now) for line in LINES},
    )


def _prior(priors: Priors, name: str) -> Distribution:
    """On the scale of the draws, the selection factor applied."""
    if name == RISE:
        return Normal(*rise_after_selection(priors))
    return skip_prior(priors, name) if name == SKIP else priors.distribution(name)


def _shown(name: str, values: Floats) -> Floats:
    """From the scale of the draws to the unit of the prior."""
    return 1.0 / (1.0 + np.exp(-values)) if name == RISE else values


def weights_given_effect(reading: ReadingDraws, name: str, values: Floats, density: Floats) -> list[SmoothedWeights]:
    """By value: what each draw weighs if the effect is that."""
    if name == SKIP:  # nothing else depends on it, given the record
        return [pareto_smooth(np.zeros(reading.some.size))] * len(values)
    logs = np.array([likelihood_ratio(reading, name, v) for v in values])
    top = logs.max(0)
    whole = top + np.log((density[:, None] * np.exp(logs - top)).sum(0))
    return [pareto_smooth(row - whole) for row in logs]


def likelihood_ratio(reading: ReadingDraws, name: str, value: float) -> Floats:
    """Log likelihood [S] of the record with the effect at a value in every draw of `reading.some`."""
    rise, fall = reading.log_odds
    to_rise, to_fall = _pushes(reading, name)
    unit = _unit(name, np.array(value)) - _unit(name, PARAMETER_READERS[name](reading.some))
    by = unit[:, None]
    return chosen(rise + by * to_rise, fall + by * to_fall, reading.history).sum(1)


def _unit(name: str, values: Floats) -> Floats:
    """What the log-odds are linear in."""
    return rise_logit(_shown(name, values)) if name == RISE else values


def _pushes(reading: ReadingDraws, name: str) -> tuple[Floats, Floats]:
    """What a unit adds to the log-odds of a rise and of a fall, [S or 1, T − 1] each."""
    draws, d = reading.some, reading.history.drivers
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


def with_value(draws: ParameterDraws, name: str, value: float) -> ParameterDraws:
    """The draws with one parameter at a value, on the scale of the draws, in all of them."""
    if name == RISE:
        logit_rise = draws.logit_rise.copy()
        logit_rise[:, int(name[-1])] = value
        return replace(draws, logit_rise=logit_rise)
    if name == SKIP:
        skip_up = draws.skip_up.copy()
        skip_up[:, int(name[-1]) - 1] = value
        return replace(draws, skip_up=skip_up)
    return replace(draws, **{_FIELDS[name]: np.full(draws.size, value)})


_FIELDS: Final = {
    "leverage.effect": "leverage",
    "leverage.effect_on_falls": "leverage_on_falls",
    "overdose.level_effect": "overdose_level",
    "overdose.change_effect": "overdose_change",
    "opposition.effect": "opposition",
    "opposition.mobilisation": "mobilisation",
}


def _point(headline: TargetQuestion, name: str, value: float, weights: Mapping[str, SmoothedWeights]) -> Point:
    chances = {r.name: headline.again(r, with_value(r.some, name, value)).mean(1) for r in headline.readings}
    return headline.point(float(_shown(name, np.array(value))), chances, weights)


def _normal_cdf(z: Floats) -> Floats:
    from math import erf

    return np.array([0.5 * (1.0 + erf(v / 2**0.5)) for v in z])
