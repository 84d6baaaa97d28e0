"""Turning a person's answers into a prior: three quantiles, odds in two situations, a chance within a year, or the headline.

Quantiles are the 5, 50 and 95 % ones. Every result is of a family that the prior may have, with numbers to three figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecast.priors.catalogue import CATALOGUE, PriorDefinition, check_spec
from forecast.priors.distributions import (
    PROBABILITIES,
    WIDTH_90,
    Beta,
    Distribution,
    Fixed,
    Gamma,
    HalfNormal,
    LogNormal,
    Normal,
    Quantiles,
    fit_beta,
)
from forecast.priors.outside_view import RISE
from forecast.priors.specs import PriorSpec, SpecError, expit, logit

type ThreeQuantiles = tuple[float, float, float]

_LARGEST: Final = 1e9


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two situations to compare. An effect multiplies the odds of `what` in the second by exp(size · effect)."""

    first: str
    second: str
    what: str
    size: float


CONTRASTS: Final[Mapping[str, Contrast]] = {
    "leverage.effect": Contrast("no US pressure", "full US pressure, as in 2025", "a rise within a month", 1.0),
    "leverage.effect_on_falls": Contrast("no US pressure", "full US pressure, as in 2025", "a fall within a month", 1.0),
    "overdose.level_effect": Contrast("3,000 US opioid deaths a month", "6,000", "a rise within a month", 1.0),
    "overdose.change_effect": Contrast(
        "US opioid deaths as a year ago", "twice as many as a year ago", "a rise within a month", math.log(2)
    ),
    "opposition.effect": Contrast("60 % opposed in Mexico", "80 % opposed", "a rise within a month", -(logit(0.8) - logit(0.6))),
    "ladder.just_risen": Contrast("a level that has lasted", "one just risen to", "a fall within a month", 1.0),
    "direct.leverage": Contrast("no US pressure", "full US pressure, as in 2025", "a US act that Mexico resists within a month", 1.0),
    "events.sufficiency": Contrast("no recent concession", "one last month", "a US threat or measure", -1.0),
    "events.backlash": Contrast("no US pressure", "full US pressure, as in 2025", "a mobilisation", 1.0),
    "events.demand": Contrast("3,000 US opioid deaths a month", "6,000", "a US threat or measure", 1.0),
}


def check_elicitable(name: str) -> PriorDefinition:
    """The definition of the prior `name`. SpecError for settings and sets of numbers, which cannot be elicited."""
    entry = CATALOGUE[name]
    if not issubclass(fitted_family(entry), Distribution) or fitted_family(entry) is Fixed:
        remedy = f"Change it with `forecast priors set {name}`; see `forecast priors show {name}`."
        raise SpecError(f"{name}, a setting", "a belief about one uncertain number", remedy)
    return entry


def from_quantiles(name: str, stated: ThreeQuantiles, now: PriorSpec) -> Distribution:
    """The prior `name` with the stated quantiles, or the nearest of its family. A LogNormal gets the shift of `now`.

    Normal and LogNormal: median and 90 % interval, (q95 − q05)/3.29. Half-normal: least squares. Beta: least squares. Gamma: the shape by
    q95/q05, the rate by least squares on the log. SpecError for impossible quantiles.
    """
    entry = check_elicitable(name)
    _rising(stated)
    low, middle, high = stated
    family = fitted_family(entry)
    if family is Normal:
        sd = round_figures((high - low) / WIDTH_90)
        return checked_spec(entry, Normal(middle, sd))
    least = now.shift if isinstance(now, LogNormal) and family is LogNormal else 0.0
    if low <= least and not (family is HalfNormal and low == least):
        raise SpecError(_listed(stated), f"quantiles above {least:g}", f"{entry.what} It is never {least:g} or less.")
    if 0 < low - least < 1 / _LARGEST:
        raise SpecError(_listed(stated), "numbers of a usual size", "A value below 1e-9 cannot be distinguished from none.")
    if entry.support[1] == 1 and high >= 1:
        raise SpecError(_listed(stated), "probabilities below 1", "Write 4 % as 0.04.")
    if family is Quantiles:
        assert entry.scale
        return checked_spec(entry, Quantiles(low, middle, high, entry.scale))
    if family is HalfNormal:
        at = HalfNormal(1.0).quantile(PROBABILITIES)
        return checked_spec(entry, HalfNormal(round_figures(float(at @ np.array(stated) / (at @ at)))))
    if family is LogNormal:
        sd = math.log((high - least) / (low - least)) / WIDTH_90
        return checked_spec(entry, LogNormal(round_figures(middle - least), round_figures(sd), least))
    if family is Gamma:
        return checked_spec(entry, _gamma(stated))
    return checked_spec(entry, Beta(*map(round_figures, fit_beta(*stated))))


def from_odds(name: str, stated: ThreeQuantiles, now: PriorSpec) -> Distribution:
    """The effect that multiplies the odds by the stated factors (5, 50 and 95 % quantiles) from the first situation to the second."""
    if name not in CONTRASTS:
        raise SpecError(name, f"an effect: {', '.join(CONTRASTS)}", "State the quantiles of what it is about.")
    _rising(stated)
    if stated[0] <= 0:
        raise SpecError(_listed(stated), "factors above 0", "Write 3 for three times as likely, 0.5 for half as likely.")
    low, middle, high = sorted(math.log(factor) / CONTRASTS[name].size for factor in stated)
    spec = from_quantiles(name, (low, middle, high), now)
    assert isinstance(spec, Normal)  # as all effects are
    return Normal(round_to_spread(spec.mean, spec.sd), spec.sd)


def has_yearly_chance(name: str) -> bool:
    """Whether the prior is about a chance within a year in ordinary times."""
    return name.startswith("ladder.rise.")


def from_yearly_chance(name: str, low: float, high: float, now: PriorSpec, selection: float = 1.0) -> Distribution:
    """The prior of a rise whose chance within a year has these 5 and 95 % quantiles. The median is midway on the logit scale.

    selection: the selection factor on the rise from embedded. It is taken out, so that the answer about Mexico holds after it is applied.
    """
    if not has_yearly_chance(name):
        right = ", ".join(filter(has_yearly_chance, CATALOGUE))
        raise SpecError(name, f"a chance within a year: {right}", "State the quantiles of what it is about.")
    if not 0 < low < high < 1:
        raise SpecError(f"{low:g} to {high:g}", "two chances between 0 and 1, the lower one first", "Write 2 to 10 % as 0.02,0.10.")
    taken_out = math.log(selection) if name == RISE else 0.0
    low, middle, high = (expit(z - taken_out) for z in (logit(low), (logit(low) + logit(high)) / 2, logit(high)))
    if low < round_figures(middle, 4) < high:  # else the quantiles are too close for four figures
        low, middle, high = (round_figures(q, 4) for q in (low, middle, high))
    return from_quantiles(name, (low, middle, high), now)


def round_figures(x: float, n: int = 3) -> float:
    """`x` rounded to n significant figures."""
    return float(f"{x:.{n}g}")


def round_to_spread(x: float, sd: float) -> float:
    """A location rounded to about a hundredth of its spread. An invalid spread is left to the family to refuse."""
    return round(x, 2 - math.floor(math.log10(sd))) + 0.0 if 0 < sd < math.inf else x


def _gamma(stated: ThreeQuantiles) -> Gamma:
    target = math.log(stated[2] / stated[0])

    def spread(log_shape: float) -> float:
        low, _, high = Gamma(math.exp(log_shape), 1.0).interval()
        return math.log(high / low)

    low, high = math.log(0.02), math.log(1e5)
    if not spread(high) < target < spread(low):
        raise SpecError(_listed(stated), "quantiles that a Gamma can have", "Move them closer together or further apart.")
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if spread(middle) > target else (low, middle)
    shape = round_figures(math.exp(low))
    rate = math.exp(float(np.mean(np.log(Gamma(shape, 1.0).quantile(PROBABILITIES)) - np.log(stated))))
    return Gamma(shape, round_figures(rate))


def fitted_family(entry: PriorDefinition) -> type[PriorSpec]:
    """The family to which quantiles are fitted; `Quantiles` itself if the prior may be stated so."""
    return Quantiles if Quantiles in entry.families else entry.families[0]


def checked_spec(entry: PriorDefinition, spec: Distribution) -> Distribution:
    check_spec(entry, spec)
    return spec


def _rising(stated: ThreeQuantiles) -> None:
    if not all(map(math.isfinite, stated)):
        raise SpecError(_listed(stated), "finite numbers", "Write three plain numbers.")
    if max(map(abs, stated)) > _LARGEST:
        raise SpecError(_listed(stated), "numbers of a usual size", "Check the unit with `forecast priors show`.")
    if not stated[0] < stated[1] < stated[2]:
        raise SpecError(_listed(stated), "numbers that rise: 5 % < 50 % < 95 %", "Put them in order, from the lowest to the highest.")


def _listed(stated: ThreeQuantiles) -> str:
    return ", ".join(f"{q:g}" for q in stated)


TOLERANCE: Final = 0.02
"""Largest relative difference between the solved headline and the one asked for."""
MAX_SHIFT: Final = 4.0
"""Largest shift of a prior, in its standard deviations."""
_STEPS: Final = (0.5, 1.0, 2.0, 3.0, MAX_SHIFT)
_HALVINGS: Final = 12


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The headline under a prior.

    probability  of the headline
    accepted     whether it can be relied on
    how          how it was computed"""

    probability: float
    accepted: bool
    how: str


@dataclass(frozen=True, slots=True)
class SolvedPrior:
    """The prior whose headline came closest to the one asked for.

    spec     the prior
    answer   its headline
    reached  whether that is within `TOLERANCE`"""

    spec: Distribution
    answer: Evaluation
    reached: bool


def solve_for_headline(name: str, now: PriorSpec, target: float, ask: Callable[[Distribution], Evaluation]) -> SolvedPrior:
    """Shift the location of a prior, keeping its spread, until the headline is `target`: in steps up to four sd, then by bisection.

    `ask` returns the headline under a prior; it is called about twenty times. Unreliable answers still show the direction. The numbers of a
    prior are rounded before `ask` sees them, so the answer is exactly that of the prior returned. SpecError unless 0 < target < 1.
    """
    entry = check_elicitable(name)
    if not 0 < target < 1:
        raise SpecError(f"a headline of {target:g}", "a chance between 0 and 1", "Write 5 % as 0.05.")
    asked: dict[Distribution, Evaluation] = {}

    def miss(by: float) -> float:
        try:
            spec = shift_prior(entry, now, by)
        except (SpecError, OverflowError):
            return math.nan  # shifted so far that it is no valid prior
        if spec not in asked:
            asked[spec] = ask(spec)
        return asked[spec].probability / target - 1

    bracket = _bracket(miss)
    if unknown := next(
        (answer for answer in asked.values() if answer.how == "refit"), None
    ):  # the draws cannot show the effect of this prior
        return SolvedPrior(shift_prior(entry, now, 0.0), unknown, False)
    if bracket:
        _halve(miss, *bracket)
    spec, answer = min(asked.items(), key=lambda item: abs(item[1].probability / target - 1))
    return SolvedPrior(spec, answer, abs(answer.probability / target - 1) <= TOLERANCE)


def _bracket(miss: Callable[[float], float]) -> tuple[float, float] | None:
    """Two neighbouring steps between which the miss changes sign, the ones nearest to 0. None if it never does."""
    if abs(miss(0.0)) <= TOLERANCE / 4:
        return None
    for inner, outer in zip((0.0, *_STEPS), _STEPS, strict=False):
        for sign in (1, -1):
            if miss(sign * outer) * miss(sign * inner) <= 0:
                return sign * inner, sign * outer
    return None


def _halve(miss: Callable[[float], float], low: float, high: float) -> None:
    below = miss(low) < 0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        error = miss(middle)
        if abs(error) <= TOLERANCE / 4:
            return
        low, high = (middle, high) if (error < 0) == below else (low, middle)


def shift_prior(entry: PriorDefinition, now: PriorSpec, by: float) -> Distribution:
    """A prior shifted by a number of its standard deviations on the scale of its location; a spread is made wider or narrower.

    With 0 it is unchanged. A half-normal and a Gamma are multiplied by e^{by/2}; a Beta keeps a + b.
    """
    if not isinstance(now, Distribution):
        raise SpecError(str(now), "a belief about one uncertain number", "Change it with `forecast priors set`.")
    if by == 0:
        return now
    match now:
        case Normal(mean, sd):
            spec: Distribution = Normal(round_to_spread(mean + by * sd, sd), sd)
        case HalfNormal(sd):
            spec = HalfNormal(round_figures(sd * math.exp(by / 2)))
        case LogNormal(median, sd, shift):
            spec = LogNormal(round_figures(median * math.exp(by * sd)), sd, shift)
        case Gamma(shape, rate):
            spec = Gamma(shape, round_figures(rate * math.exp(-by / 2)))
        case Beta(a, b):
            size = a + b
            mean = expit(math.log(a / b) + by * math.sqrt(1 / a + 1 / b))
            spec = Beta(*(round_figures(min(max(part, 1e-3), size)) for part in (size * mean, size * (1 - mean))))
        case Quantiles():
            spec = _moved_quantiles(now, by)
        case _:
            raise SpecError(str(now), "a belief about one uncertain number", "Change it with `forecast priors set`.")
    return checked_spec(entry, spec)


def _moved_quantiles(now: Quantiles, by: float) -> Quantiles:
    stated = (now.q05, now.q50, now.q95)
    if now.scale == "log":
        low, middle, high = (round_figures(q * math.exp(by * now.sd), 4) for q in stated)
    else:
        step = by * (logit(now.q95) - logit(now.q05)) / WIDTH_90
        low, middle, high = (round_figures(expit(logit(q) + step), 4) for q in stated)
    return Quantiles(low, middle, high, now.scale)
