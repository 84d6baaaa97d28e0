"""Leave-one-state-out cross-validation of the outside view: entries of level 4 or 5 in a state, predicted from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecast.model.outside_view_data import PressureYear, Transitions
from forecast.model.outside_view_predictive import NewStatePredictive, entry_probability
from forecast.typing import Bools

TARGET: Final = 4
PSEUDO: Final = 0.5


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """Log scores of entering level 4 or 5, month by month below 4, summed over the states left out in turn (nats; nearer 0 is better).

    model: joint for each state, its own effects integrated out.
    constant: by the rate of the other states. by_level: by their rates at level 3 and below 3. A rate is (entries + ½)/(months + 1).
    by_state: state → its contributions to the three.
    """

    model: float
    constant: float
    by_level: float
    by_state: dict[str, tuple[float, float, float]]


def leave_one_out(transitions: Transitions, pressure: PressureYear, fit: Callable[[Bools], NewStatePredictive]) -> LeaveOneOut:
    """Score every state by a fit to the months of the others; `fit` takes the months to use (True) and predicts a new state."""
    t = transitions
    at_risk = t.level < TARGET
    scores = {}
    for i, name in enumerate(t.states):
        held = (t.state == i) & at_risk
        if held.any():
            others = t.state != i
            rest = others & at_risk
            constant = _rate_score(t, held, rest)
            by_level = sum(_rate_score(t, held & part, rest & part) for part in (t.level == TARGET - 1, t.level < TARGET - 1))
            scores[name] = (score_state(t, held, pressure, fit(others)), constant, by_level)
    model, constant, by_level = (float(sum(s[k] for s in scores.values())) for k in range(3))
    return LeaveOneOut(model, constant, by_level, scores)


def score_state(transitions: Transitions, held: Bools, pressure: PressureYear, state: NewStatePredictive) -> float:
    """log E Π_t P(entry or none in month t), the expectation over the draws of one state: its effects are the same in all its months."""
    t = transitions
    chance = entry_probability(state, target=TARGET)
    entered = np.zeros(chance.shape[:-1])
    not_entered = np.zeros(chance.shape[:-1])
    cell = (t.level[held], t.pressed(pressure)[held].astype(int), t.just_risen[held].astype(int))
    np.add.at(entered, cell, t.entries[held])
    np.add.at(not_entered, cell, ~t.entries[held])
    log_p = (entered[..., None] * np.log(chance) + not_entered[..., None] * np.log1p(-chance)).sum((0, 1, 2))
    return float(np.logaddexp.reduce(log_p) - np.log(log_p.size))


def _rate_score(t: Transitions, held: Bools, rest: Bools) -> float:
    rate = (t.entries[rest].sum() + PSEUDO) / (rest.sum() + 2 * PSEUDO)
    entered = t.entries[held]
    return float(entered.sum() * np.log(rate) + (~entered).sum() * np.log1p(-rate))
