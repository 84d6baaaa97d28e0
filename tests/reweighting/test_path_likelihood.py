"""How well a path explains the data behind it: against SciPy, and against the algebra of polls that count more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forecast.reweighting.path_likelihood import of_events
from scipy.stats import poisson

from forecast.arrays.psis import pareto_smooth
from forecast.domain import FIRST_MONTH
from forecast.model.events import predictors
from forecast.model.opposition_marginal import draws, moments
from tests.support.bundled_state import bundled_situation


def test_the_likelihood_of_events_is_poisson() -> None:
    situation = bundled_situation()
    rates, pool = situation.rates, situation.pool()
    found = of_events(situation, pool)
    window = np.arange(rates.window[0], rates.window[1] + 1) - FIRST_MONTH - 1
    exact = []
    for path in range(20):
        row = int(np.flatnonzero((rates.eta == pool.eta[path]).all(1) & np.isin(rates.rate, pool.mobilising[path]).any(1))[0])
        deaths, conceded, pressed = (
            series[window] - mean
            for series, mean in zip(
                (situation.drivers.log2_deaths, situation.concessions, situation.leverage.value), rates.means, strict=True
            )
        )
        expected = rates.rate[row] * np.exp(predictors(deaths, conceded, pressed, rates.eta[row]))
        exact.append(poisson.logpmf(rates.counts.T, expected).sum())
    np.testing.assert_allclose(found[:20] - found[0], np.array(exact) - exact[0], atol=1e-8)


@pytest.mark.parametrize("alpha", [0.8, 1.25])
def test_polls_that_count_more_move_opposition_as_smaller_errors_do(alpha: float) -> None:
    """Given hyperparameters all is normal: a likelihood to the power α is that of polls with 1/α of the variance."""
    situation = bundled_situation()
    polls, origin = situation.opposition.polls, situation.origin
    one = np.array([[0.1, 0.3, 1e-6, 0.7]])
    d, wording, start, _, likelihood = draws(np.random.default_rng(3), polls, np.repeat(one, 6_000, axis=0), origin)
    weights = pareto_smooth((alpha - 1) * likelihood)
    exact = moments(replace(polls, variance=polls.variance / alpha), one, origin)
    plain = moments(polls, one, origin)
    n = d.shape[1]
    error = np.sqrt(exact.variances[0] / weights.effective)
    assert weights.k_hat < 0.7
    for month in (n - 1, n - 13, n // 2):
        assert abs(weights.weights @ d[:, month] - exact.means[0, month]) < 4 * error[month]
    for k in range(3):
        assert abs(weights.weights @ wording[:, k] - exact.means[0, n + k]) < 4 * error[n + k]
    assert np.abs(exact.means[0, :n] - plain.means[0, :n]).max() > 0.01
    assert start.shape == likelihood.shape
