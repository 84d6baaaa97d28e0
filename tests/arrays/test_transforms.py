"""Transforms and weighted samples, against SciPy and against repeated draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from forecast.arrays.transforms import expit, logit
from forecast.arrays.weighted_quantiles import WeightedSample, quantiles_by_row


def test_logit_and_expit_are_scipys_and_do_not_overflow() -> None:
    p, z = np.array([1e-12, 0.01, 0.5, 0.99, 1 - 1e-9]), np.array([-1000.0, -40.0, -1e-3, 0.0, 3.0, 800.0])
    np.testing.assert_allclose(logit(p), special.logit(p), rtol=1e-12)
    np.testing.assert_allclose(expit(z), special.expit(z), rtol=1e-15)
    np.testing.assert_allclose(logit([0.0, 1.0], edge=0.01), [special.logit(0.01), special.logit(0.99)])


def test_quantiles_and_moments_are_those_of_repeated_draws() -> None:
    rng = np.random.default_rng(4)
    rows, times = rng.random((2, 300)), rng.integers(1, 5, 300)
    repeated = np.repeat(rows, times, axis=1)
    found = quantiles_by_row(rows, times / 7.0, (0.1, 0.5, 0.9))
    np.testing.assert_allclose(found, np.quantile(repeated, [0.1, 0.5, 0.9], axis=1), atol=0.01)
    sample = WeightedSample(rows[0], times / 7.0)
    assert (sample.mean, sample.variance) == (pytest.approx(repeated[0].mean()), pytest.approx(repeated[0].var()))


def test_rows_of_a_mixture_share_their_weight() -> None:
    rows = np.random.default_rng(5).random((2, 4_000))
    mixture = WeightedSample.mixture(rows + np.array([[0.0], [10.0]]), [0.75, 0.25])
    assert mixture.mean == pytest.approx(0.75 * rows[0].mean() + 0.25 * (rows[1].mean() + 10))
    assert mixture.quantile(0.7) < 1
    assert mixture.quantile(0.8) > 10
    low, high = WeightedSample.equal(rows[0]).interval(0.5)
    assert (low, high) == (pytest.approx(0.25, abs=0.03), pytest.approx(0.75, abs=0.03))
