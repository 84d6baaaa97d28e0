"""Draws of a fit as of one month's end, weighted to the next, beside the fit to the next: equal within Monte Carlo error.

The pairs are the rows of the table in docs/reweighting.md, with what `forecast refit` does of each.
"""

from __future__ import annotations

import functools
from datetime import date

import numpy as np
import pytest
from arviz_stats.base import array_stats

from forecast import workspace as places
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import load_workspace
from forecast.forecasting.ladder_forecast import forecast_from_history, question_probability
from forecast.forecasting.question_forecasts import CHAINS, QuestionForecast, forecast_questions
from forecast.forecasting.questions import build_questions
from forecast.jobs.refit.reweight import _far, _recoded
from forecast.jobs.run import fit
from forecast.report.payload.questions import questions
from forecast.reweighting.data_update import FittedDraws, ReweightedForecast, resample_reading, reweight_to_inputs

SEED = 20060101
LIMIT = 4.0
"""Of |z|; some 50 questions, which hang together, in each of four readings."""


@functools.cache
def fitted(day: str) -> Forecast:
    """As of a day, with the priors as they are: what is compared is the fit, so they need not be those of the day."""
    return fit(load_workspace(places.bundled_root(), as_of=date.fromisoformat(day)), SEED, explored=False)


def weighted(old: Forecast, new: Forecast) -> ReweightedForecast:
    draws = {name: made.draws for name, made in old.readings.items()}
    return reweight_to_inputs(FittedDraws(old.origin_state, draws, old.readings["main"].prior_draws), new.origin_state, new.pool)


def differences(found: ReweightedForecast, new: Forecast, reading: str) -> dict[str, float]:
    """z by question of one reading. Both are told on the same paths, so only the draws differ by chance."""
    history, kept = new.origin_state.histories[reading], found.weighted[reading]
    futures = forecast_from_history(new.origin_state, kept.draws, new.pool, history), new.readings[reading].ladder
    out = {}
    for answer in new.answers.values():
        q = answer.question
        if q.level is None:
            continue
        ours, theirs = (question_probability(ladder, q.kind, q.level, q.horizon) for ladder in futures)
        mean = float(ours @ kept.weights)
        variance = float((kept.weights**2 * (ours - mean) ** 2).sum()) * len(ours) / _effective(ours) + theirs.var(ddof=1) / _effective(
            theirs
        )
        if variance > 1e-14:
            out[q.id] = float((mean - theirs.mean()) / np.sqrt(variance))
    return out


def _effective(values: np.ndarray) -> float:
    if np.ptp(values) == 0:
        return float(len(values))
    return float(array_stats.ess(values.reshape(CHAINS, -1), chain_axis=0, draw_axis=1, method="mean"))


def agree(before: str, after: str) -> ReweightedForecast:
    """The weights are good enough, and what they say is what a fit says; so is what the draws say once they are taken whole."""
    new = fitted(after)
    found = weighted(fitted(before), new)
    assert found.accepted
    for reading in found.diagnostics:
        z = differences(found, new, reading)
        assert max(map(abs, z.values())) < LIMIT, (reading, max(z.items(), key=lambda item: abs(item[1])))
    for id_, answer in published(found, new).items():
        assert answer.probability == pytest.approx(found.probability[id_], abs=LIMIT * found.influence.resampling_se()[id_] + 1e-9), id_
    for id_, answer in new.answers.items():
        if answer.question.level is None:  # no draws of model 5 in them, and the same random numbers
            assert found.probability[id_] == pytest.approx(answer.probability, abs=1e-12)
    return found


def published(found: ReweightedForecast, new: Forecast) -> dict[str, QuestionForecast]:
    """The answers of the run that is made of these weights: of draws taken as often as they weigh."""
    made = {
        name: resample_reading(found, fit.constants, new.pool, name, fit.posterior, fit.diagnostics)
        for name, w in found.weighted.items()
        for fit in [new.readings[w.fit]]
    }
    return forecast_questions(new.origin_state, made, new.pool, build_questions(new.origin_state.data.questions, new.origin_state.origin))


def refitted_for(before: str, after: str, found: ReweightedForecast) -> str:
    """Why it is no small change all the same, in words; empty if it is one."""
    old = fitted(before)
    headline = next(q for q in questions(old) if q.id == old.headline.question.id)
    return _recoded(old.origin_state, found.origin_state) or _far(found, headline)


@pytest.mark.slow
def test_weighting_a_month_on_is_fitting_again() -> None:
    """In May 2026 the covert reading was given a further month at level 4, so its history was coded anew: its weights are uneven."""
    found = agree("2026-04-30", "2026-05-31")
    assert 200 < found.diagnostics["covert_true"].ess < 1_500
    assert refitted_for("2026-04-30", "2026-05-31", found).startswith("the history of covert_true has another change of level")


@pytest.mark.soak
@pytest.mark.parametrize(
    ("before", "after", "refitted"),
    [
        ("2025-02-28", "2025-03-31", "the headline moves by"),
        ("2025-03-31", "2025-04-30", ""),
        ("2025-04-30", "2025-11-30", ""),
        ("2025-11-30", "2025-12-31", ""),
        ("2025-12-31", "2026-01-31", "another change of level"),
        ("2026-01-31", "2026-02-28", "another change of level"),
        ("2026-02-28", "2026-03-31", ""),
        ("2026-03-31", "2026-04-30", ""),
        ("2026-05-31", "2026-06-30", ""),
    ],
)
def test_so_it_is_over_other_months(before: str, after: str, refitted: str) -> None:
    why = refitted_for(before, after, agree(before, after))
    assert refitted in why if refitted else why == ""
