"""Simulated histories follow the kernel; their statistics by hand; the prior's histories beside Mexico's."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.domain import FIRST_MONTH, Month
from forecast.forecasting.ladder_forecast import forecast_ladder
from forecast.forecasting.parameter_draws import from_prior
from forecast.forecasting.predictive_checks import history_statistics, log_likelihood, predictive_checks, simulate_histories
from forecast.model.tolerance_data import History
from tests.support import synthetic


def test_histories_follow_the_kernel() -> None:
    """After h months, the levels of many replicates of one draw are distributed as the exact recursion says."""
    n, months = 20_000, 13
    of = synthetic.draws(
        1, just_risen=2.0, leverage=1.2, leverage_on_falls=0.5, overdose_level=0.3, overdose_change=0.4, opposition=0.6, mobilisation=0.5,
        drift=np.linspace(-0.5, 2.0, 28), skip_up=[0.2, 0.4, 0.3, 0.5], skip_down=[0.6, 0.3, 0.2, 0.4], log_stay=np.log(6.0),
        logit_rise=0.0, alpha=0.2,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    series = {name: rng.normal(0.3, 0.3, months) for name in ("log2_deaths", "change", "opposition", "mobilisation", "pressure")}
    levels = simulate_histories(of.take(np.zeros(n, int)), synthetic.drivers(months, **series), 2, rng)
    assert levels.shape == (n, months)
    assert (levels[:, 0] == 2).all()
    # the same months as a future: paths whose month 0 is the first of the history
    path = synthetic.pool(1, months - 1, **{{"pressure": "leverage"}.get(name, name): value[None] for name, value in series.items()})
    exact = forecast_ladder(of, path, np.zeros((1, 1), int), 2, False, Month(FIRST_MONTH), np.zeros(months - 1, int), link=lambda x: x)
    for t in (1, 2, 5, 12):
        share = np.bincount(levels[:, t], minlength=6) / n
        np.testing.assert_allclose(share, exact.in_force[t - 1, :, 0], atol=4 * 0.5 / n**0.5)
    for k in (3, 4, 5):
        assert (levels[:, 1:].max(1) >= k).mean() == pytest.approx(float(exact.reached(k, 12)[0]), abs=4 * 0.5 / n**0.5)
    for k in (0, 1):
        assert (levels[:, 1:].min(1) <= k).mean() == pytest.approx(float(exact.fell(k, 12)[0]), abs=4 * 0.5 / n**0.5)


def test_a_likelihood_is_the_chance_of_the_moves_it_describes() -> None:
    """Summed over the moves a month can bring, skips apart, likelihoods are one; and a long stay is the product of its months."""
    of = synthetic.draws(1, log_stay=np.log(12.0), logit_rise=-1.0, just_risen=1.5)
    total = sum(np.exp(log_likelihood(of, History(np.array([2, 3, j]), synthetic.drivers(3)))) for j in (2, 3, 4))
    once = np.exp(log_likelihood(of, History(np.array([2, 3]), synthetic.drivers(2))))
    np.testing.assert_allclose(total, once)
    stays = [log_likelihood(of, History(np.full(n, 2), synthetic.drivers(n)))[0] for n in (2, 5)]
    assert stays[1] == pytest.approx(4 * stays[0])


def test_statistics_by_hand() -> None:
    found = history_statistics(np.array([[1, 1, 3, 2, 2, 2, 0, 0], [2] * 8, [2, 3, 2, 3, 2, 3, 4, 4]]))
    expected = {
        "changes": [3, 0, 6], "one_month_spells": [1, 0, 5], "skips": [2, 0, 0], "months_at_0": [2, 0, 0], "months_at_1": [2, 0, 0],
        "months_at_2": [3, 8, 3], "months_at_3": [1, 0, 3], "months_at_4": [0, 0, 2], "months_at_5": [0, 0, 0], "ever_4": [0, 0, 1],
        "ever_0": [1, 0, 0], "mean_spell": [2.0, np.nan, 1.0],
    }  # fmt: skip
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, err_msg=name)


def test_comparison_by_hand() -> None:
    simulated = np.array([[2, 2, 2]] * 6 + [[2, 3, 3]] * 3 + [[2, 3, 2]])
    rows = {row.statistic: row for row in predictive_checks(np.array([2, 3, 2]), simulated)}
    assert (rows["changes"].observed, rows["changes"].q50, rows["changes"].mean) == (2, 0, 0.5)
    assert rows["changes"].tail_p == pytest.approx(0.1)
    assert rows["ever_4"].tail_p == 1.0  # never, as in every replicate
    assert rows["mean_spell"].mean == 1.0  # of the one replicate that has one
    assert np.isnan({r.statistic: r for r in predictive_checks(np.array([2, 2, 2]), simulated[:6])}["mean_spell"].q50)


def test_the_prior_writes_histories_like_mexicos_but_calmer() -> None:
    """Replicates of 2006–2026 from the prior, given the real drivers: few changes, sometimes 4, sometimes 0, no wild record.

    Mexico moved more often than its class, which is said in the report; its other statistics lie well inside.
    """
    s = synthetic.origin_state()
    main = s.histories["main"]
    rng = np.random.default_rng(11)
    replicas = simulate_histories(from_prior(synthetic.constants(), s.origin, 4_000, rng), s.drivers, int(main.levels[0]), rng)
    rows = {row.statistic: row for row in predictive_checks(main.levels, replicas)}
    assert rows["changes"].observed == 7
    assert rows["one_month_spells"].observed == 1
    assert rows["ever_4"].observed == rows["ever_0"].observed == 0
    assert rows["changes"].q05 == 0
    assert 1 <= rows["changes"].q50 <= 3
    assert 4 <= rows["changes"].q95 <= 9
    assert 0.005 < rows["changes"].tail_p < 0.15  # more than its class
    assert 0.05 < rows["ever_4"].mean < 0.25
    assert 0.15 < rows["ever_0"].mean < 0.45
    assert rows["one_month_spells"].tail_p > 0.05
    for name in ("mean_spell", "skips", *(f"months_at_{k}" for k in range(6))):
        assert rows[name].tail_p > 0.025, rows[name]
