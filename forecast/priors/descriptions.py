"""Priors in words: chances in per cent, effects as odds, half-lives in months; and short labels for tables and charts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from forecast.domain import LEVELS
from forecast.formatting import fine_percent, trimmed
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.distributions import Distribution, Fixed
from forecast.priors.specs import Constants, PriorSpec, expit

CENTRE: Final = math.log(0.6 / 0.4)
"""Logit of the share opposed at which opposition counts as zero."""


def describe_prior(name: str, spec: PriorSpec) -> str:
    """One sentence for the prior `name` with the value `spec`, without a full stop."""
    if isinstance(spec, Constants):
        return _WITH_PARTS[name](spec)
    assert isinstance(spec, Distribution)
    if name in _SINGLE:
        return _SINGLE[name](spec)
    stem, _, last = name.rpartition(".")
    return _FAMILIES[stem](last, spec)


def odds_cause(name: str) -> tuple[str, float] | None:
    """The cause by which an effect on tolerance is described: (words, size in units of the coefficient)."""
    return _CAUSES.get(name)


def _between(spec: Distribution, say: Callable[[float], str] = trimmed) -> str:
    low, middle, high = spec.interval()
    return f"about {say(middle)}, 90 % between {say(low)} and {say(high)}"


def _factors(spec: Distribution, size: float = 1.0) -> str:
    low, middle, high = sorted(math.exp(size * q) for q in spec.interval())
    return f"by {trimmed(middle)} (90 %: {trimmed(low)} to {trimmed(high)})"


def _opposed(shift: float) -> float:
    """The share opposed, `shift` logits from 60 %."""
    return expit(CENTRE + shift)


def _points(spec: Distribution) -> str:
    _, usual, _ = spec.interval()
    most = float(spec.quantile(0.95))
    points = (100 * (_opposed(sd) - 0.6) for sd in (usual, most))
    return "usually {} points around 60 % opposed, 95 %: at most {}".format(*map(trimmed, points))


def _rise(level: str, spec: Distribution) -> str:
    return f"a rise from {LEVELS[int(level)]} within a year, without pressure: {_between(spec, fine_percent)}"


def _stay(level: str, spec: Distribution) -> str:
    low, middle, high = map(trimmed, spec.interval())
    return f"without pressure, {LEVELS[int(level)]} lasts {middle} months or more in half of cases (90 %: {low} to {high})"


def _skip(verb: str) -> Callable[[str, Distribution], str]:
    return lambda level, spec: (
        f"a {verb} that reaches {LEVELS[int(level)]} goes on to the next level at once: {_between(spec, fine_percent)}"
    )


def _half_life(channel: str, spec: Distribution) -> str:
    return f"{channel} threats and acts have half their effect after {trimmed(spec.interval()[1])} months; a setting"


def _wording(kind: str, spec: Distribution) -> str:
    low, middle, high = (fine_percent(_opposed(q)) for q in spec.interval())
    return f"where 60 % oppose without such words, {middle} do with them (90 %: {low} to {high})"


def _companion(slug: str, spec: Distribution) -> str:
    low, middle, high = (trimmed(12 * q) for q in spec.interval())
    return f"{middle} times a year (90 %: {low} to {high}) by the prior alone; data soon outweigh it"


def _delay(level: str, spec: Distribution) -> str:
    low, middle, high = map(trimmed, spec.interval())
    return f"of what comes out about {LEVELS[int(level)]}, half is out after {middle} months (90 %: {low} to {high})"


def _never(level: str, spec: Distribution) -> str:
    return f"what never comes out about {LEVELS[int(level)]}: {_between(spec, fine_percent)}"


_CAUSES: Final = {
    "leverage.effect": ("full pressure", 1.0),
    "overdose.level_effect": ("a doubling of US opioid deaths", 1.0),
    "overdose.change_effect": ("deaths doubled within a year", math.log(2)),
    "opposition.effect": (f"one logit more opposition, from 60 % to {fine_percent(_opposed(1.0))},", -1.0),
}


def _rise_odds(name: str) -> Callable[[Distribution], str]:
    cause, size = _CAUSES[name]
    verb = "multiply" if cause.startswith("deaths") else "multiplies"
    return lambda spec: f"{cause} {verb} the monthly odds of a rise {_factors(spec, size)}"


def _shares(text: str) -> Callable[[Distribution], str]:
    def say(spec: Distribution) -> str:
        low, middle, high = (fine_percent(expit(q)) for q in spec.interval())
        return text.format(f"{middle} (90 %: {low} to {high})")

    return say


def _mobilisation(spec: Distribution) -> str:
    usual, most = (fine_percent(_opposed(float(spec.quantile(p)))) for p in (0.5, 0.95))
    return f"a mobilisation as strong as in 2025 counts like 60 % opposed becoming {usual} (95 %: at most {most})"


def _spread_of_odds(who: str) -> Callable[[Distribution], str]:
    def say(spec: Distribution) -> str:
        usual, most = (trimmed(math.exp(float(spec.quantile(p)))) for p in (0.5, 0.95))
        return f"{who} move the monthly odds of a rise by a factor of {usual}, up or down (95 %: at most {most})"

    return say


def _selection(spec: Distribution) -> str:
    assert isinstance(spec, Fixed)
    return f"other states' rates of reaching covert action or more are multiplied by {trimmed(spec.value)}; a setting"


_SINGLE: Final[dict[str, Callable[[Distribution], str]]] = {
    **{name: _rise_odds(name) for name in _CAUSES},
    "leverage.effect_on_falls": lambda s: f"full pressure multiplies the monthly odds of a fall {_factors(s)}",
    "ladder.just_risen": lambda s: f"just after a rise the odds of a fall are multiplied {_factors(s)}",
    "opposition.mobilisation": _mobilisation,
    "administration.sd": _spread_of_odds("administrations"),
    "drift.sd": _spread_of_odds("unmeasured causes"),
    "drift.half_life": lambda s: "half of an unmeasured influence is gone after {1} months (90 %: {0} to {2})".format(
        *map(trimmed, s.interval())
    ),
    "opposition.house_sd": lambda s: f"pollsters and their questions differ, {_points(s)}",
    "opposition.walk_sd": lambda s: f"opposition moves in a quarter, {_points(s)}",
    "opposition.poll_noise": lambda s: f"a poll misses beyond its sampling error, {_points(s)}",
    "opposition.favourability": lambda s: f"per logit of opposition, disfavour of the United States moves by {_between(s)}",
    "opposition.favourability_intercept": _shares("when 60 % oppose operations, {} are unfavourable to the United States"),
    "opposition.start": _shares("in early 2000, {} opposed US operations"),
    "events.sufficiency": lambda s: f"a recent concession multiplies the rate of threats, measures and acts {_factors(s, -1)}",
    "events.backlash": lambda s: f"full pressure multiplies the rate of mobilisations {_factors(s)}",
    "events.demand": lambda s: f"a doubling of deaths multiplies the rate of threats, measures and acts {_factors(s)}",
    "events.determination": lambda s: f"a determination says 'failed demonstrably': {_between(s, fine_percent)}",
    "direct.rate": lambda s: f"a resisted US act within a year at full pressure: {_between(s, fine_percent)}",
    "direct.leverage": lambda s: f"full pressure, against none, multiplies the monthly odds of a resisted US act {_factors(s)}",
    "outside_view.selection": _selection,
}

_FAMILIES: Final[dict[str, Callable[[str, Distribution], str]]] = {
    "ladder.rise": _rise,
    "ladder.stay": _stay,
    "ladder.skip_up": _skip("rise"),
    "ladder.skip_down": _skip("fall"),
    "leverage.half_life": _half_life,
    "opposition.wording": _wording,
    "companion": _companion,
    "exposure.delay": _delay,
    "exposure.never": _never,
}


def _listed(spec: Constants, say: Callable[[float], str]) -> str:
    return ", ".join(f"{part.replace('_', ' ')} {say(value)}" for part, value in spec.values.items())


def _widening(spec: Constants) -> str:
    return "added uncertainty, as a factor up or down: " + _listed(spec, lambda sd: trimmed(math.exp(sd)))


_WITH_PARTS: Final[dict[str, Callable[[Constants], str]]] = {
    "leverage.weights": lambda s: f"{_listed(s, fine_percent)}; a setting",
    "readings.weights": lambda s: f"{_listed(s, fine_percent)}; not updated by the data",
    "outside_view.classes": lambda s: _listed(s, fine_percent),
    "outside_view.widening": _widening,
}


def format_value(name: str, x: float) -> str:
    """A value of the prior `name` as text, as on an axis."""
    return fine_percent(x) if "probability" in CATALOGUE[name].unit or CATALOGUE[name].unit == "share" else trimmed(x)


_STEMS: Final = {
    "ladder.rise": "rise from {} within a year",
    "ladder.stay": "median stay at {}",
    "ladder.skip_up": "a rise that reaches {} goes on",
    "ladder.skip_down": "a fall that reaches {} goes on",
    "leverage.half_life": "memory of {} pressure",
    "opposition.wording": "polls that ask about {}",
    "exposure.delay": "delay until {} is known",
    "exposure.never": "share of {} never known",
}
_WORDS: Final = {
    "ladder.just_risen": "falls just after a rise",
    "leverage.effect": "pressure on rises",
    "leverage.effect_on_falls": "pressure on falls",
    "leverage.weights": "weights of the channels",
    "overdose.level_effect": "a doubling of deaths",
    "overdose.change_effect": "growth of deaths",
    "opposition.effect": "opposition, a logit more",
    "opposition.mobilisation": "mobilisation",
    "opposition.house_sd": "differences between pollsters",
    "opposition.walk_sd": "how fast opposition moves",
    "opposition.poll_noise": "noise of polls",
    "opposition.favourability": "favourability and opposition",
    "opposition.favourability_intercept": "favourability at 60 % opposed",
    "opposition.start": "opposition in 2000",
    "administration.sd": "between administrations",
    "drift.sd": "drift",
    "drift.half_life": "half-life of the drift",
    "events.sufficiency": "concessions calm Washington",
    "events.backlash": "pressure mobilises",
    "events.demand": "deaths raise demands",
    "events.determination": "yearly US determination",
    "companion.senate-vote-in": "rate of Senate votes",
    "companion.mass-hand-over": "rate of mass hand-overs",
    "companion.designation": "rate of designations",
    "companion.new-tariff": "rate of new tariffs",
    "companion.deemed-sufficient": "rate of “sufficient”",
    "companion.deemed-insufficient": "rate of “insufficient”",
    "direct.rate": "rate of direct US action",
    "direct.leverage": "pressure on direct US action",
    "readings.weights": "weights of the readings",
    "outside_view.selection": "selection factor",
    "outside_view.classes": "weights of the classes",
    "outside_view.widening": "widening of the outside view",
}


def short_label(name: str) -> str:
    """A label of at most 32 characters for a prior. KeyError if there is no such prior."""
    if name in _WORDS:
        return _WORDS[name]
    stem, _, last = CATALOGUE[name].name.rpartition(".")
    return _STEMS[stem].format(last)
