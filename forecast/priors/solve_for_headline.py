"""Which prior gives the headline that someone has in mind, if one prior alone is moved."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from forecast.priors.catalogue import PriorDefinition
from forecast.priors.distributions import WIDTH_90, Beta, Distribution, Gamma, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.elicitation import at_precision, figures, may_be_elicited, suited
from forecast.priors.specs import PriorSpec, SpecError, logit

NEAR: Final = 0.02
"""How near, as a share of it, a solved headline comes to the one asked for."""
FARTHEST: Final = 4.0
"""How many of its standard deviations a prior is moved at most."""
_STEPS: Final = (0.5, 1.0, 2.0, 3.0, FARTHEST)
_HALVINGS: Final = 12


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a prior makes of the headline, and whether that can be relied on."""

    probability: float
    accepted: bool
    how: str


@dataclass(frozen=True, slots=True)
class Solved:
    """The prior whose headline came nearest to the one asked for, its answer, and whether that is near enough."""

    spec: Distribution
    answer: Evaluation
    reached: bool


def solve(name: str, now: PriorSpec, target: float, ask: Callable[[Distribution], Evaluation]) -> Solved:
    """Move the location of a prior, its spread kept, until the headline is `target`: outward in steps up to four sd, then by halving.

    `ask` answers for a prior; it is asked some twenty times. What cannot be relied on still says which way to go. The prior's numbers are
    rounded before `ask` sees them, so the answer is that of the prior returned. SpecError for a target that is no chance.
    """
    entry = may_be_elicited(name)
    if not 0 < target < 1:
        raise SpecError(f"a headline of {target:g}", "a chance between 0 and 1", "Write 5 % as 0.05.")
    asked: dict[Distribution, Evaluation] = {}

    def miss(by: float) -> float:
        try:
            spec = moved(entry, now, by)
        except (SpecError, OverflowError):
            return math.nan  # so far out that it is no prior any more
        if spec not in asked:
            asked[spec] = ask(spec)
        return asked[spec].probability / target - 1

    bracket = _bracket(miss)
    if unknown := next((answer for answer in asked.values() if answer.how == "refit"), None):  # the draws say nothing of this prior
        return Solved(moved(entry, now, 0.0), unknown, False)
    if bracket:
        _halve(miss, *bracket)
    spec, answer = min(asked.items(), key=lambda item: abs(item[1].probability / target - 1))
    return Solved(spec, answer, abs(answer.probability / target - 1) <= NEAR)


def _bracket(miss: Callable[[float], float]) -> tuple[float, float] | None:
    """Two neighbouring steps between which the miss changes its sign, the nearest to where one stands; None if it never does."""
    if abs(miss(0.0)) <= NEAR / 4:
        return None
    for inner, outer in zip((0.0, *_STEPS), _STEPS, strict=False):
        for way in (1, -1):
            if miss(way * outer) * miss(way * inner) <= 0:
                return way * inner, way * outer
    return None


def _halve(miss: Callable[[float], float], low: float, high: float) -> None:
    below = miss(low) < 0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = miss(middle)
        if abs(found) <= NEAR / 4:
            return
        low, high = (middle, high) if (found < 0) == below else (low, middle)


def moved(entry: PriorDefinition, now: PriorSpec, by: float) -> Distribution:
    """A prior moved by so many of its standard deviations on the scale on which it has a location; a spread is made wider or narrower.

    Unmoved it is what it was. A half-normal and a Gamma are multiplied by e^{by/2}; a Beta keeps a + b.
    """
    if not isinstance(now, Distribution):
        raise SpecError(str(now), "a belief about one uncertain number", "Change it with `forecast priors set`.")
    if by == 0:
        return now
    match now:
        case Normal(mean, sd):
            made: Distribution = Normal(at_precision(mean + by * sd, sd), sd)
        case HalfNormal(sd):
            made = HalfNormal(figures(sd * math.exp(by / 2)))
        case LogNormal(median, sd, shift):
            made = LogNormal(figures(median * math.exp(by * sd)), sd, shift)
        case Gamma(shape, rate):
            made = Gamma(shape, figures(rate * math.exp(-by / 2)))
        case Beta(a, b):
            size = a + b
            mean = _share(math.log(a / b) + by * math.sqrt(1 / a + 1 / b))
            made = Beta(*(figures(min(max(part, 1e-3), size)) for part in (size * mean, size * (1 - mean))))
        case Quantiles():
            made = _moved_quantiles(now, by)
        case _:
            raise SpecError(str(now), "a belief about one uncertain number", "Change it with `forecast priors set`.")
    return suited(entry, made)


def _moved_quantiles(now: Quantiles, by: float) -> Quantiles:
    stated = (now.q05, now.q50, now.q95)
    if now.scale == "log":
        low, middle, high = (figures(q * math.exp(by * now.sd), 4) for q in stated)
    else:
        step = by * (logit(now.q95) - logit(now.q05)) / WIDTH_90
        low, middle, high = (figures(_share(logit(q) + step), 4) for q in stated)
    return Quantiles(low, middle, high, now.scale)


def _share(z: float) -> float:
    return 1 / (1 + math.exp(-z))
