"""Pools against what normals and mixtures have in closed form."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.priors.expert_pooling import central_normal, linear_pool, widen


def normal(mean: float, sd: float, n: int = 20_000) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(stats.norm(mean, sd).ppf((np.arange(n) + 0.5) / n))


def test_quantiles_of_one_normal() -> None:
    one = linear_pool({"a": normal(2, 3)}, {"a": 7.0})
    assert one.weights.sum() == pytest.approx(1)
    assert one.quantile([0.05, 0.5, 0.95]) == pytest.approx([2 - 3 * 1.6449, 2, 2 + 3 * 1.6449], abs=2e-3)


def test_a_pool_is_the_mixture_whatever_the_sizes_of_the_samples() -> None:
    pooled = linear_pool({"a": normal(0, 1), "b": normal(4, 0.5, n=3_000)}, {"a": 0.75, "b": 0.25})
    for p, x in zip((0.05, 0.3, 0.5, 0.7, 0.95), pooled.quantile([0.05, 0.3, 0.5, 0.7, 0.95]), strict=True):
        assert 0.75 * stats.norm.cdf(x) + 0.25 * stats.norm(4, 0.5).cdf(x) == pytest.approx(p, abs=5e-4)


def test_widening_a_normal_adds_variances() -> None:
    wide = widen(WeightedSample(normal(1, 0.3), np.full(20_000, 1 / 20_000)), 0.4)
    sd = 0.5
    assert wide.quantile([0.05, 0.25, 0.5, 0.95]) == pytest.approx(
        [NormalDist(1, sd).inv_cdf(p) for p in (0.05, 0.25, 0.5, 0.95)], abs=2e-3
    )
    assert np.average((wide.values - 1) ** 2, weights=wide.weights) == pytest.approx(sd**2, rel=5e-3)


def test_widening_by_nothing_changes_nothing() -> None:
    pooled = linear_pool({"a": normal(0, 1, n=50), "b": normal(5, 1, n=70)}, {"a": 1, "b": 1})
    assert widen(pooled, 0).quantile([0.05, 0.5, 0.95]) == pytest.approx(pooled.quantile([0.05, 0.5, 0.95]), abs=0.2)
    assert np.unique(widen(pooled, 0).values).size == np.unique(pooled.values).size


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.0, 0.2))
def test_the_central_normal_matches_the_middle_and_forgives_a_tail(mean: float, sd: float, tail: float) -> None:
    found = central_normal(linear_pool({"body": normal(mean, sd, n=4_000)}, {"body": 1.0}))
    assert found.mean == pytest.approx(mean, abs=1e-2)
    assert found.sd == pytest.approx(sd, rel=1e-2)
    if tail > 0.01:
        far = linear_pool({"body": normal(mean, sd, n=4_000), "tail": np.array([mean - 1e6])}, {"body": 1 - tail, "tail": tail})
        assert central_normal(far).sd < 2 * sd


@pytest.mark.parametrize("weights", [{"a": 1.0}, {"a": 1.0, "b": 0.0}, {"a": 1.0, "c": 1.0}, {}])
def test_sources_and_weights_must_agree(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"source|weight"):
        linear_pool({"a": np.zeros(3), "b": np.ones(3)}, weights)


def test_nothing_can_be_narrowed() -> None:
    with pytest.raises(ValueError, match="sd is negative"):
        widen(linear_pool({"a": np.zeros(3)}, {"a": 1.0}), -0.1)
