"""The effective number of draws against ArviZ."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.arrays.effective_size import mean_ess


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(8, 60), st.sampled_from([-0.9, 0.0, 0.5, 0.95]), st.floats(0, 3))
def test_it_is_that_of_arviz(seed: int, chains: int, length: int, persistence: float, apart: float) -> None:
    """Of autocorrelated chains that may have other means."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(chains, length))
    for t in range(1, length):
        draws[:, t] += persistence * draws[:, t - 1]
    draws += apart * rng.normal(size=(chains, 1))
    assert mean_ess(draws) == pytest.approx(float(array_stats.ess(draws, chain_axis=0, draw_axis=1, method="mean")), rel=1e-9)


def test_draws_that_do_not_vary_are_all_worth_as_much() -> None:
    assert mean_ess(np.ones((4, 10))) == 40
