"""PSIS against arviz-stats, and against distributions whose tails are known."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from forecast.arrays.psis import fit_generalised_pareto, generalised_pareto_quantile, pareto_smooth


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0.1, 0.5, 1.5, 3.0])
def test_weights_and_shape_are_those_of_arviz_stats(seed: int, shift: float) -> None:
    x = np.random.default_rng(seed).normal(size=2_000)
    log_ratios = stats.norm.logpdf(x, shift) - stats.norm.logpdf(x)
    found = pareto_smooth(log_ratios)
    log_weights, k_hat = array_stats.psislw(-log_ratios)
    theirs = np.exp(log_weights - log_weights.max())
    np.testing.assert_allclose(found.weights, theirs / theirs.sum(), rtol=1e-8)
    assert found.k_hat == pytest.approx(float(k_hat), abs=1e-8)


def test_equal_ratios_weigh_alike_and_have_no_tail() -> None:
    found = pareto_smooth(np.full(500, -3.0))
    np.testing.assert_allclose(found.weights, 1 / 500)
    assert found.k_hat == -np.inf
    assert found.ess == pytest.approx(500)


def test_a_constant_added_to_all_ratios_changes_nothing() -> None:
    log_ratios = np.random.default_rng(1).normal(size=1_000)
    np.testing.assert_allclose(pareto_smooth(log_ratios).weights, pareto_smooth(log_ratios + 700.0).weights, rtol=1e-9)


@pytest.mark.parametrize("shape", [0.1, 0.4, 0.8])
def test_the_fit_finds_the_shape_that_made_the_tail(shape: float) -> None:
    excess = np.sort(stats.genpareto.rvs(shape, scale=2.0, size=20_000, random_state=3))
    k_hat, scale = fit_generalised_pareto(excess)
    assert k_hat == pytest.approx(shape, abs=0.04)
    assert scale == pytest.approx(2.0, rel=0.05)
    p = np.array([0.1, 0.5, 0.99])
    np.testing.assert_allclose(generalised_pareto_quantile(p, shape, 2.0), stats.genpareto.ppf(p, shape, scale=2.0), rtol=1e-9)


def test_a_target_far_from_the_draws_is_recognised() -> None:
    x = np.random.default_rng(2).normal(size=2_000)
    near = pareto_smooth(stats.norm.logpdf(x, 0.3) - stats.norm.logpdf(x))
    far = pareto_smooth(stats.norm.logpdf(x, 4.0) - stats.norm.logpdf(x))
    assert near.k_hat < 0.5
    assert far.k_hat > 0.7
    assert far.ess < near.ess
    assert near.weights @ x == pytest.approx(0.3, abs=0.08)
