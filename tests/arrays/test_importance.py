"""Adaptive importance sampling against densities whose moments are known."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.arrays.importance import STEP_DRAWS, sample_posterior
from forecast.arrays.psis import ESS_MIN, K_HAT_MAX, weight_problem
from forecast.typing import Floats


def log_standard(points: Floats) -> Floats:
    return np.asarray(-0.5 * (points**2).sum(1))


@pytest.mark.parametrize("dimensions", [1, 3, 5])
@pytest.mark.parametrize(("centre", "sd"), [(0.0, 1.0), (3.0, 0.1), (-8.0, 0.5), (10.0, 0.1)])
def test_a_normal_posterior_far_from_its_prior_is_reached(dimensions: int, centre: float, sd: float) -> None:
    rng = np.random.default_rng(1)
    start = rng.standard_normal((STEP_DRAWS, dimensions))
    found = sample_posterior(start, log_standard, lambda z: -0.5 * (((z - centre) / sd) ** 2).sum(1), rng, 4000)
    assert not weight_problem(found.smoothed.k_hat, found.smoothed.ess)
    weights, variance = found.smoothed.weights, 1 / (1 + sd**-2)
    mean = weights @ found.points
    error = np.sqrt(variance / found.smoothed.ess)
    np.testing.assert_allclose(mean, centre * variance / sd**2, atol=5 * error)
    np.testing.assert_allclose(weights @ (found.points - mean) ** 2, variance, rtol=0.25)


def test_both_of_two_modes_get_what_they_weigh() -> None:
    rng = np.random.default_rng(2)

    def log_likelihood(z: Floats) -> Floats:
        apart = [-0.5 * (((z - np.array(c)) / 0.1) ** 2).sum(1) for c in ((1.0, 1.0), (-1.0, 1.0))]
        return np.logaddexp(apart[0] + np.log(3.0), apart[1])

    found = sample_posterior(rng.standard_normal((STEP_DRAWS, 2)), log_standard, log_likelihood, rng, 4000)
    right = found.smoothed.weights[found.points[:, 0] > 0].sum()
    assert found.smoothed.ess > 1000
    assert right == pytest.approx(0.75, abs=5 * np.sqrt(0.75 * 0.25 / found.smoothed.ess))


def test_a_quantity_that_does_not_vary_stays_as_it_is() -> None:
    rng = np.random.default_rng(3)
    start = np.column_stack([np.full(STEP_DRAWS, 4.0), rng.standard_normal(STEP_DRAWS)])
    found = sample_posterior(start, lambda z: -0.5 * z[:, 1] ** 2, lambda z: z[:, 0] * z[:, 1], rng, 1000)
    assert set(found.points[:, 0]) == {4.0}
    assert found.smoothed.weights @ found.points[:, 1] == pytest.approx(4.0, abs=0.2)
    alone = sample_posterior(np.full((5, 2), 7.0), log_standard, log_standard, rng, 10)
    assert (alone.points == 7.0).all()
    assert alone.smoothed.ess == pytest.approx(10)


def test_a_posterior_that_is_not_reached_shows_in_its_weights() -> None:
    """A needle that no step finds: the judgement is the caller's, so the weights must say it."""
    rng = np.random.default_rng(4)

    def needle(z: Floats) -> Floats:
        return np.where(np.abs(z - 3.0).max(1) < 1e-4, 0.0, -1e6 * (1 + np.sin(1e3 * z[:, 0]) ** 2))

    found = sample_posterior(rng.standard_normal((STEP_DRAWS, 4)), log_standard, needle, rng, 1000)
    assert weight_problem(found.smoothed.k_hat, found.smoothed.ess)


@pytest.mark.parametrize(
    ("k_hat", "effective", "weak"),
    [(0.0, 500.0, False), (-np.inf, ESS_MIN, False), (K_HAT_MAX, 500.0, True), (np.nan, 500.0, True), (0.1, 399.0, True),
     (0.1, np.nan, True), (np.inf, 0.0, True)],
)  # fmt: skip
def test_the_rule_for_weighted_draws(k_hat: float, effective: float, weak: bool) -> None:
    assert bool(weight_problem(k_hat, effective)) is weak
