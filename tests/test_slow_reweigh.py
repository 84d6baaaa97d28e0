"""Draws of a fit as of one month's end, weighted to the next, beside the fit to the next: equal within Monte Carlo error."""

from __future__ import annotations

import functools
from datetime import date

import numpy as np
import pytest
from arviz_stats.base import array_stats

from forecast import workspace as places
from forecast.forecasting.answers import CHAINS
from forecast.forecasting.carry import carry_forward
from forecast.forecasting.climb import ladder_question
from forecast.forecasting.result import Forecast
from forecast.forecasting.revised.update import Basis, Updated, updated
from forecast.jobs.run import fit
from forecast.jobs.workspace import load_workspace

SEED = 20060101
LIMIT = 4.0
"""Of |z|; some 50 questions, which hang together, in each of four readings."""


@functools.cache
def fitted(day: str) -> Forecast:
    """As of a day, with the priors as they are: what is compared is the fit, so they need not be those of the day."""
    return fit(load_workspace(places.bundled(), as_of=date.fromisoformat(day)), SEED, explored=False)


def weighted(old: Forecast, new: Forecast) -> Updated:
    draws = {name: made.draws for name, made in old.readings.items()}
    return updated(Basis(old.situation, draws, old.readings["main"].prior_draws), new.situation, new.pool)


def differences(found: Updated, new: Forecast, reading: str) -> dict[str, float]:
    """z by question of one reading. Both are told on the same paths, so only the draws differ by chance."""
    history, kept = new.situation.histories[reading], found.weighted[reading]
    futures = carry_forward(new.situation, kept.draws, new.pool, history), new.readings[reading].climb
    out = {}
    for answer in new.answers.values():
        q = answer.question
        if q.level is None:
            continue
        ours, theirs = (ladder_question(climb, q.kind, q.level, q.horizon) for climb in futures)
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


def agree(before: str, after: str) -> Updated:
    new = fitted(after)
    found = weighted(fitted(before), new)
    for reading, judged in found.judged.items():
        if judged.accepted:
            z = differences(found, new, reading)
            assert max(map(abs, z.values())) < LIMIT, (reading, max(z.items(), key=lambda item: abs(item[1])))
    for id_, answer in new.answers.items():
        if answer.question.level is None:  # no draws of model 5 in them, and the same random numbers
            assert found.probability[id_] == pytest.approx(answer.probability, abs=1e-12)
    return found


@pytest.mark.slow
def test_weighting_a_month_on_is_fitting_again() -> None:
    """In May 2026 the covert reading was given a further month at level 4, so its history was coded anew: its weights are uneven."""
    found = agree("2026-04-30", "2026-05-31")
    assert found.accepted
    assert 200 < found.judged["covert_true"].ess < 1_500


@pytest.mark.soak
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2025-02-28", "2025-03-31"),
        ("2025-03-31", "2025-04-30"),
        ("2025-12-31", "2026-01-31"),
        ("2026-01-31", "2026-02-28"),
        ("2026-05-31", "2026-06-30"),
    ],
)
def test_so_it_is_over_other_months(before: str, after: str) -> None:
    agree(before, after)
