"""Publicly known: limits, order, and a loop over the formula."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.forecasting.question_forecasts import DisclosureDelay, probability_disclosed
from tests.support import synthetic

H, S = 24, 5


@pytest.fixture(scope="module")
def entered() -> np.ndarray:
    """First entries of level >= 3, at 3, 4 and 5, in 24 months."""
    out = np.zeros((H, 6, S))
    out[:, 3:] = np.random.default_rng(1).uniform(0, 0.01, (H, 3, S))
    return out


def exposure(three: float, four: float) -> DisclosureDelay:
    return DisclosureDelay({3: np.full(S, three), 4: np.full(S, four)})


@pytest.mark.parametrize("horizon", [3, 12, 24])
def test_without_delay_known_is_reached(entered: np.ndarray, horizon: int) -> None:
    found = probability_disclosed(entered, 3, horizon, exposure(1e-3, 1e-3), public_now=2)
    np.testing.assert_allclose(found, entered[:horizon, 3:].sum((0, 1)))


def test_a_longer_delay_is_known_less_and_never_more_than_reached(entered: np.ndarray) -> None:
    found = np.array([probability_disclosed(entered, 3, 12, exposure(d, d), 2) for d in (0.5, 1, 4, 18, 200)])
    assert (np.diff(found, axis=0) < 0).all()
    assert (found <= entered[:12, 3:].sum((0, 1)) + 1e-12).all()
    assert (found >= entered[:12, 5].sum(0)).all()  # level 5 is public at once


def test_a_longer_window_is_known_more(entered: np.ndarray) -> None:
    found = np.array([probability_disclosed(entered, 3, h, exposure(18, 4), 2) for h in (3, 6, 12, 24)])
    assert (np.diff(found, axis=0) > 0).all()


def test_the_formula_by_a_loop(entered: np.ndarray) -> None:
    h, mu = 12, {3: 18.0, 4: 4.0}
    total = np.zeros(S)
    for t in range(1, h + 1):
        for i in (3, 4, 5):
            x = min(h + 2 - t, 24)
            f = 1.0 if i == 5 else (1 - 2 ** (-x / mu[i])) / (1 - 2 ** (-24 / mu[i]))
            total += entered[t - 1, i] * f
    np.testing.assert_allclose(probability_disclosed(entered, 3, h, exposure(18, 4), public_now=2), total)


def test_after_24_months_everything_that_will_be_is_public() -> None:
    some = exposure(18, 4)
    np.testing.assert_allclose(some.exposed(3, 24), 1.0)
    np.testing.assert_allclose(some.exposed(3, 26), 1.0)
    np.testing.assert_allclose(some.exposed(4, 0), 0.0)
    assert [some.exposed(i, 0) for i in (0, 1, 2, 5)] == [1.0] * 4


def test_a_level_that_is_public_already_needs_no_exposure(entered: np.ndarray) -> None:
    np.testing.assert_allclose(probability_disclosed(entered, 3, 12, exposure(18, 4), public_now=3), entered[:12, 3:].sum((0, 1)))


def test_delays_have_the_stated_median() -> None:
    drawn = DisclosureDelay.draw(synthetic.priors(), 20_000, np.random.default_rng(1))
    assert np.median(drawn.delays[3]) == pytest.approx(18, rel=0.04)
    assert np.median(drawn.delays[4]) == pytest.approx(4, rel=0.04)
