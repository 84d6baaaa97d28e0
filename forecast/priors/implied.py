"""What a prior of the ladder or of an effect implies in probabilities and months, by formula, with the other priors at their medians.

Tolerance is at zero (3,000 deaths a month, 60 % opposed) unless the prior is about it; full pressure is that of 2025.
Chances of a rise ignore falls and chances of a fall ignore rises, as the priors do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecast.arrays.ladder import fall_logit, rise_logit
from forecast.arrays.transforms import expit
from forecast.domain import LEVELS, TOP
from forecast.priors.descriptions import odds_cause
from forecast.priors.distributions import PROBABILITIES
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, SKIP, rise_after_selection, skip_after_selection
from forecast.typing import Floats

PRESSURES = ((0.0, "without pressure"), (1.0, "at full pressure"))
_Z = np.array([-1.645, 0.0, 1.645])


@dataclass(frozen=True, slots=True)
class ImpliedQuantity:
    """A quantity at the 5, 50 and 95 % quantiles of a prior."""

    what: str
    unit: Literal["probability", "months"]
    low: float
    middle: float
    high: float

    def as_dict(self) -> dict[str, str | float]:
        """As a JSON object."""
        return {"what": self.what, "unit": self.unit, "q05": self.low, "q50": self.middle, "q95": self.high}


def implied_quantities(priors: Priors, name: str, at: Sequence[float] | None = None) -> tuple[ImpliedQuantity, ...]:
    """What the prior `name` implies; empty if only a simulation could show it.

    at: three values of its quantity, in its own unit and after the selection factor, in place of the prior's 5, 50 and 95 % quantiles.
    """
    return tuple(_implied(priors, name, np.asarray(at, float) if at is not None else None))


def chance_within_year(log_odds: Floats) -> Floats:
    """The chance that a monthly event of these log-odds comes within twelve months."""
    return -np.expm1(-12 * np.logaddexp(0.0, log_odds))


def _implied(priors: Priors, name: str, at: Floats | None) -> Iterator[ImpliedQuantity]:
    stem, _, last = name.rpartition(".")
    if stem == "ladder.rise":
        yield from _of_rise(priors, int(last), at)
    elif stem == "ladder.stay":
        yield from _of_stay(priors, int(last), at)
    elif stem in ("ladder.skip_up", "ladder.skip_down"):
        yield from _of_skip(priors, name, int(last), at)
    elif name == "leverage.effect_on_falls":
        yield from _of_push_on_falls(_stated(priors, name, at), priors)
    elif name == "ladder.just_risen":
        yield from _of_just_risen(_stated(priors, name, at), priors)
    elif name in ("administration.sd", "drift.sd"):
        yield from _of_spread(_stated(priors, name, at), priors)
    elif odds_cause(name):
        yield from _of_push(priors, name, at)


def _of_rise(priors: Priors, j: int, at: Floats | None) -> Iterator[ImpliedQuantity]:
    push = priors.median("leverage.effect")
    after = ", after the selection factor" if f"ladder.rise.{j}" == RISE else ""
    chances = _rise_chances(priors, j) if at is None else at
    for pressure, words in PRESSURES:
        odds = rise_logit(chances) + pressure * push
        yield _row(f"a rise from {LEVELS[j]} within a year {words}{after}", chance_within_year(odds))


def _of_stay(priors: Priors, j: int, at: Floats | None) -> Iterator[ImpliedQuantity]:
    base, push = fall_logit(_stated(priors, f"ladder.stay.{j}", at)), priors.median("leverage.effect_on_falls")
    for pressure, words in PRESSURES:
        yield _row(f"a fall from {LEVELS[j]} within a year {words}", chance_within_year(base + pressure * push))
    yield _row(f"months that {LEVELS[j]} lasts at full pressure, in half of cases", _median_stay(base + push), "months")


def _of_skip(priors: Priors, name: str, i: int, at: Floats | None) -> Iterator[ImpliedQuantity]:
    share = _stated(priors, name, at)
    if at is None and name == SKIP:
        share = skip_after_selection(priors).quantile(PROBABILITIES)
    after = ", after the selection factor" if name == SKIP else ""
    rising = name.startswith("ladder.skip_up")
    j, verb = (i - 1, "rise") if rising else (i + 1, "fall")
    for pressure, words in PRESSURES:
        odds = _rise(priors, j, pressure) if rising else _fall(priors, j, pressure)
        what = f"a {verb} from {LEVELS[j]} within a year that goes straight past {LEVELS[i]}, {words}{after}"
        yield _row(what, chance_within_year(odds) * share)


def _of_push(priors: Priors, name: str, at: Floats | None) -> Iterator[ImpliedQuantity]:
    cause = odds_cause(name)
    assert cause
    words, size = cause
    of_pressure = name == "leverage.effect"
    for j in range(TOP) if of_pressure else (2, 3):
        odds = _rise(priors, j, 0.0 if of_pressure else 1.0) + size * _stated(priors, name, at)
        with_it = "at full pressure" if of_pressure else f"at full pressure and with {words.rstrip(',')}"
        yield _row(f"a rise from {LEVELS[j]} within a year {with_it}", chance_within_year(odds))


def _of_push_on_falls(stated: Floats, priors: Priors) -> Iterator[ImpliedQuantity]:
    for j in range(1, TOP + 1):
        yield _row(f"a fall from {LEVELS[j]} within a year at full pressure", chance_within_year(_fall(priors, j, 0.0) + stated))


def _of_just_risen(stated: Floats, priors: Priors) -> Iterator[ImpliedQuantity]:
    for j in (3, 4):
        for pressure, words in PRESSURES:
            yield _row(f"a fall from {LEVELS[j]} in the month after rising to it, {words}", expit(_fall(priors, j, pressure) + stated))


def _of_spread(stated: Floats, priors: Priors) -> Iterator[ImpliedQuantity]:
    for j in (2, 3):
        for sign, words in ((1, "above"), (-1, "below")):
            odds = _rise(priors, j, 1.0) + sign * stated
            yield _row(f"a rise from {LEVELS[j]} within a year at full pressure, one sd {words} average", chance_within_year(odds))


def _rise_chances(priors: Priors, j: int) -> Floats:
    """The 12-month chance of a rise, after selection, at the three quantiles."""
    if f"ladder.rise.{j}" == RISE:
        location, sd = rise_after_selection(priors)
        return expit(location + sd * _Z)
    return _quantiles(priors, f"ladder.rise.{j}")


def _rise(priors: Priors, j: int, pressure: float) -> Floats:
    """Monthly log-odds of a rise at the medians."""
    return rise_logit(_rise_chances(priors, j)[1]) + pressure * priors.median("leverage.effect")


def _fall(priors: Priors, j: int, pressure: float) -> Floats:
    """Monthly log-odds of a fall at the medians."""
    return fall_logit(np.array(priors.median(f"ladder.stay.{j}"))) + pressure * priors.median("leverage.effect_on_falls")


def _median_stay(log_odds: Floats) -> Floats:
    return np.asarray(np.log(2.0) / np.logaddexp(0.0, log_odds))


def _stated(priors: Priors, name: str, at: Floats | None) -> Floats:
    return _quantiles(priors, name) if at is None else at


def _quantiles(priors: Priors, name: str) -> Floats:
    return priors.distribution(name).quantile(PROBABILITIES)


def _row(what: str, values: Floats, unit: Literal["probability", "months"] = "probability") -> ImpliedQuantity:
    low, middle, high = sorted(float(v) for v in values)
    return ImpliedQuantity(what, unit, low, middle, high)
