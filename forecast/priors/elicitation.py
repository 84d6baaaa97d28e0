"""From what a person can say to a prior: three quantiles, odds in two situations that can be pictured, a chance within a year.

Quantiles are the 5, 50 and 95 % ones. Every result is of a family that the prior may have, with numbers to three figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecast.priors.catalogue import CATALOGUE, PriorDefinition, check_suits
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
from forecast.priors.selection_bias import RISE
from forecast.priors.specs import PriorSpec, SpecError, logit

type Three = tuple[float, float, float]

_LARGEST: Final = 1e9


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two situations that a person can picture, and what is how many times likelier in the second: odds = exp(size · effect)."""

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


def may_be_elicited(name: str) -> PriorDefinition:
    """The catalogue's entry of a belief about one number; SpecError for settings and for sets of numbers."""
    entry = CATALOGUE[name]
    if not issubclass(family_of(entry), Distribution) or family_of(entry) is Fixed:
        remedy = f"Change it with `forecast priors set {name}`; see `forecast priors show {name}`."
        raise SpecError(f"{name}, a setting", "a belief about one uncertain number", remedy)
    return entry


def from_quantiles(name: str, stated: Three, now: PriorSpec) -> Distribution:
    """The prior `name` whose quantiles are those stated, or come nearest in its family; `now` lends a LogNormal its shift.

    Normal and LogNormal: median and 90 % interval, (q95 − q05)/3.29. Half-normal: least squares. Beta: least squares. Gamma: the shape by
    q95/q05, the rate by least squares on the log. SpecError for quantiles that cannot be.
    """
    entry = may_be_elicited(name)
    _rising(stated)
    low, middle, high = stated
    family = family_of(entry)
    if family is Normal:
        sd = figures((high - low) / WIDTH_90)
        return suited(entry, Normal(middle, sd))
    least = now.shift if isinstance(now, LogNormal) and family is LogNormal else 0.0
    if low <= least and not (family is HalfNormal and low == least):
        raise SpecError(_listed(stated), f"quantiles above {least:g}", f"{entry.what} It is never {least:g} or less.")
    if 0 < low - least < 1 / _LARGEST:
        raise SpecError(_listed(stated), "numbers of a usual size", "Less than a thousandth of a millionth is as good as none.")
    if entry.support[1] == 1 and high >= 1:
        raise SpecError(_listed(stated), "probabilities below 1", "Write 4 % as 0.04.")
    if family is Quantiles:
        assert entry.scale
        return suited(entry, Quantiles(low, middle, high, entry.scale))
    if family is HalfNormal:
        at = HalfNormal(1.0).quantile(PROBABILITIES)
        return suited(entry, HalfNormal(figures(float(at @ np.array(stated) / (at @ at)))))
    if family is LogNormal:
        sd = math.log((high - least) / (low - least)) / WIDTH_90
        return suited(entry, LogNormal(figures(middle - least), figures(sd), least))
    if family is Gamma:
        return suited(entry, _gamma(stated))
    return suited(entry, Beta(*map(figures, fit_beta(*stated))))


def from_odds(name: str, stated: Three, now: PriorSpec) -> Distribution:
    """The effect under which the second picture's odds are so many times the first's: 5, 50 and 95 % of that factor."""
    if name not in CONTRASTS:
        raise SpecError(name, f"an effect: {', '.join(CONTRASTS)}", "State the quantiles of what it is about.")
    _rising(stated)
    if stated[0] <= 0:
        raise SpecError(_listed(stated), "factors above 0", "Write 3 for three times as likely, 0.5 for half as likely.")
    low, middle, high = sorted(math.log(factor) / CONTRASTS[name].size for factor in stated)
    made = from_quantiles(name, (low, middle, high), now)
    assert isinstance(made, Normal)  # as all effects are
    return Normal(at_precision(made.mean, made.sd), made.sd)


def may_be_within_a_year(name: str) -> bool:
    """Whether the prior is about a chance within a year, in ordinary times."""
    return name.startswith("ladder.rise.")


def from_year(name: str, low: float, high: float, now: PriorSpec, selection: float = 1.0) -> Distribution:
    """The rise whose chance within a year, in ordinary times, has these 5 and 95 % quantiles; the median lies midway on the logit scale.

    selection: the factor that acts on the rise from embedded; it is taken out, so that what is said of Mexico is what is left after it.
    """
    if not may_be_within_a_year(name):
        right = ", ".join(filter(may_be_within_a_year, CATALOGUE))
        raise SpecError(name, f"a chance within a year: {right}", "State the quantiles of what it is about.")
    if not 0 < low < high < 1:
        raise SpecError(f"{low:g} to {high:g}", "two chances between 0 and 1, the lower one first", "Write 2 to 10 % as 0.02,0.10.")
    taken_out = math.log(selection) if name == RISE else 0.0
    low, middle, high = (1 / (1 + math.exp(taken_out - z)) for z in (logit(low), (logit(low) + logit(high)) / 2, logit(high)))
    if low < figures(middle, 4) < high:  # else it is so narrow that four figures do not tell them apart
        low, middle, high = (figures(q, 4) for q in (low, middle, high))
    return from_quantiles(name, (low, middle, high), now)


def figures(x: float, n: int = 3) -> float:
    """`x` to so many significant figures."""
    return float(f"{x:.{n}g}")


def at_precision(x: float, sd: float) -> float:
    """A location to a hundredth of its spread or better: more would be invented. What is no spread is refused by the family itself."""
    return round(x, 2 - math.floor(math.log10(sd))) + 0.0 if 0 < sd < math.inf else x


def _gamma(stated: Three) -> Gamma:
    target = math.log(stated[2] / stated[0])

    def spread(log_shape: float) -> float:
        low, _, high = Gamma(math.exp(log_shape), 1.0).interval()
        return math.log(high / low)

    low, high = math.log(0.02), math.log(1e5)
    if not spread(high) < target < spread(low):
        raise SpecError(_listed(stated), "quantiles that a Gamma can have", "Move them a little apart, or nearer.")
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if spread(middle) > target else (low, middle)
    shape = figures(math.exp(low))
    rate = math.exp(float(np.mean(np.log(Gamma(shape, 1.0).quantile(PROBABILITIES)) - np.log(stated))))
    return Gamma(shape, figures(rate))


def family_of(entry: PriorDefinition) -> type[PriorSpec]:
    """The family that quantiles are fitted in: themselves, where the prior may be stated so."""
    return Quantiles if Quantiles in entry.families else entry.families[0]


def suited(entry: PriorDefinition, spec: Distribution) -> Distribution:
    check_suits(entry, spec)
    return spec


def _rising(stated: Three) -> None:
    if not all(map(math.isfinite, stated)):
        raise SpecError(_listed(stated), "finite numbers", "Write three plain numbers.")
    if max(map(abs, stated)) > _LARGEST:
        raise SpecError(_listed(stated), "numbers of a usual size", "Nothing here is that large; see the unit in `forecast priors show`.")
    if not stated[0] < stated[1] < stated[2]:
        raise SpecError(_listed(stated), "numbers that rise: 5 % < 50 % < 95 %", "Put them in order, from the lowest to the highest.")


def _listed(stated: Three) -> str:
    return ", ".join(f"{q:g}" for q in stated)
