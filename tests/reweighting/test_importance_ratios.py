"""Log ratios and likelihoods of draws and paths, against SciPy and against the model's own likelihood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import poisson

from forecast.arrays.psis import pareto_smooth
from forecast.domain import FIRST_MONTH
from forecast.forecasting.predictive_checks import log_likelihood
from forecast.model.events import predictors
from forecast.model.opposition_marginal import draws, moments
from forecast.model.tolerance_data import History
from forecast.priors.distributions import LogNormal
from forecast.reweighting.importance_ratios import RecordLikelihood, events_log_likelihood, unsupported_mass
from tests.support.bundled_state import bundled_origin_state
from tests.support.prior_forecasts import prior_forecast


def test_the_likelihood_of_events_is_poisson() -> None:
    origin_state = bundled_origin_state()
    rates, pool = origin_state.rates, origin_state.pool()
    found = events_log_likelihood(origin_state, pool)
    window = np.arange(rates.window[0], rates.window[1] + 1) - FIRST_MONTH - 1
    exact = []
    for path in range(20):
        row = int(np.flatnonzero((rates.eta == pool.eta[path]).all(1) & np.isin(rates.rate, pool.mobilising[path]).any(1))[0])
        deaths, conceded, pressed = (
            series[window] - mean
            for series, mean in zip(
                (origin_state.drivers.log2_deaths, origin_state.concessions, origin_state.leverage.value), rates.means, strict=True
            )
        )
        expected = rates.rate[row] * np.exp(predictors(deaths, conceded, pressed, rates.eta[row]))
        exact.append(poisson.logpmf(rates.counts.T, expected).sum())
    np.testing.assert_allclose(found[:20] - found[0], np.array(exact) - exact[0], atol=1e-8)


@pytest.mark.parametrize("alpha", [0.8, 1.25])
def test_polls_that_count_more_move_opposition_as_smaller_errors_do(alpha: float) -> None:
    """Given hyperparameters all is normal: a likelihood to the power α is that of polls with 1/α of the variance."""
    origin_state = bundled_origin_state()
    polls, origin = origin_state.opposition.polls, origin_state.origin
    one = np.array([[0.1, 0.3, 1e-6, 0.7]])
    d, wording, start, _, likelihood = draws(np.random.default_rng(3), polls, np.repeat(one, 6_000, axis=0), origin)
    weights = pareto_smooth((alpha - 1) * likelihood)
    exact = moments(replace(polls, variance=polls.variance / alpha), one, np.ones(1), origin)
    plain = moments(polls, one, np.ones(1), origin)
    n = d.shape[1]
    error = np.sqrt(exact.variance / weights.ess)
    assert weights.k_hat < 0.7
    for month in (n - 1, n - 13, n // 2):
        assert abs(weights.weights @ d[:, month] - exact.means[0, month]) < 4 * error[month]
    for k in range(3):
        assert abs(weights.weights @ wording[:, k] - exact.means[0, n + k]) < 4 * error[n + k]
    assert np.abs(exact.means[0, :n] - plain.means[0, :n]).max() > 0.01
    assert start.shape == likelihood.shape


@pytest.mark.parametrize("reading", ["main", "covert_true"])
def test_a_likelihood_ratio_is_that_of_the_likelihoods(reading: str) -> None:
    made = prior_forecast().readings[reading]
    drivers = made.history.drivers
    rng = np.random.default_rng(2)
    opposition = drivers.opposition + 0.1 * rng.standard_normal(len(drivers.pressure))
    other = replace(drivers, pressure=np.maximum(drivers.pressure * 1.3 - 0.05, 0), opposition=opposition)
    exact = log_likelihood(made.draws, History(made.history.levels, other)) - log_likelihood(made.draws, made.history)
    np.testing.assert_allclose(RecordLikelihood(made.draws, made.history).driver_ratio(other), exact, rtol=1e-9, atol=1e-9)
    single = RecordLikelihood(made.draws, made.history, precision=np.float32)
    np.testing.assert_allclose(single.driver_ratio(other), exact, atol=1e-4, rtol=1e-5)
    assert exact.std() > 0.2
    assert not single.driver_ratio(drivers).any()


def test_the_likelihood_by_month_adds_up() -> None:
    reading = prior_forecast().readings["covert_true"]
    by_month = RecordLikelihood(reading.draws, reading.history).by_month
    np.testing.assert_allclose(by_month.sum(1), log_likelihood(reading.draws, reading.history), rtol=1e-10)


def test_only_a_shift_moved_down_has_mass_beyond_the_draws() -> None:
    old = bundled_origin_state().priors
    assert unsupported_mass(old, old.replace({"drift.half_life": LogNormal(12, 0.6, 5)}), ["drift.half_life"]) == ("", 0.0)
    name, mass = unsupported_mass(old, old.replace({"drift.half_life": LogNormal(2, 0.4, 1)}), ["drift.half_life"])
    assert name == "drift.half_life"
    assert mass == pytest.approx(0.5, abs=0.002)
