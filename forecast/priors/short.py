"""Every prior in so few words that they fit in a table or beside a bar."""

from __future__ import annotations

from typing import Final

from forecast.priors.catalogue import CATALOGUE

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
    """A few words for a prior, at most 32 characters; KeyError if there is no such prior."""
    if name in _WORDS:
        return _WORDS[name]
    stem, _, last = CATALOGUE[name].name.rpartition(".")
    return _STEMS[stem].format(last)
