"""Which way the ladder's chances go when a driver moves, draw by draw, with the other drivers held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast.domain import HORIZONS
from forecast.forecasting.driver_paths import DriverPaths, Intervention
from forecast.forecasting.ladder_forecast import LadderForecast, assign_paths, forecast_from_history
from forecast.forecasting.parameter_draws import ParameterDraws, from_prior
from forecast.model.events import STREAMS
from tests.support import synthetic

SIZE = 1_500
LIFT = 0.5


@pytest.fixture(scope="module")
def prior() -> ParameterDraws:
    return from_prior(synthetic.constants(), synthetic.ORIGIN, SIZE, np.random.default_rng(5))


@pytest.fixture(scope="module")
def paths() -> DriverPaths:
    """Paths about as the bundled ones: leverage around 1.3, opposition around 1.2 above the centre, both wandering."""
    rng = np.random.default_rng(6)
    return synthetic.pool(200, 24, leverage=np.abs(1.3 + rng.normal(0, 0.4, (200, 25))), opposition=0.8 + rng.normal(0, 0.3, (200, 25)),
                     mobilisation=rng.gamma(2, 0.5, (200, 25)), log2_deaths=rng.normal(0, 0.4, (200, 25)))  # fmt: skip


def high(climbed: LadderForecast) -> np.ndarray:
    """P(reached by >= 4, >= 5) at every horizon, [8, S]."""
    return np.array([climbed.reached(k, h) for k in (4, 5) for h in HORIZONS])


def never_lower(before: LadderForecast, after: LadderForecast) -> np.ndarray:
    """By draw: whether no chance of reaching 4 or 5 fell."""
    return (high(after) >= high(before) * (1 - 1e-9)).all(0)


@pytest.mark.parametrize("level", [2, 3])
def test_more_leverage_never_lowers_the_chances_of_reaching_4(prior: ParameterDraws, paths: DriverPaths, level: int) -> None:
    before, after = (synthetic.climbed(prior, p, level, each=2) for p in (paths, replace(paths, leverage=paths.leverage + LIFT)))
    rises = never_lower(before, after)
    agreed = (prior.leverage >= 0) & (prior.leverage_on_falls <= 0)
    assert agreed.sum() > 300
    assert rises[agreed].mean() >= 0.99
    assert rises[~agreed].mean() > 0.5  # leverage also makes falls likelier there: expected, and reported
    against = (prior.leverage < 0) & (prior.leverage_on_falls >= 0)
    assert rises[against].mean() < 0.1  # the check can tell


@pytest.mark.parametrize("level", [2, 3])
def test_less_opposition_never_lowers_them(prior: ParameterDraws, paths: DriverPaths, level: int) -> None:
    before, after = (synthetic.climbed(prior, p, level, each=2) for p in (paths, replace(paths, opposition=paths.opposition - LIFT)))
    rises = never_lower(before, after)
    agreed = (prior.leverage >= 0) & (prior.leverage_on_falls <= 0) & (prior.opposition >= 0)
    assert rises[agreed].mean() >= 0.99
    assert rises[prior.opposition >= 0].mean() >= 0.99
    assert rises[prior.opposition < -0.01].mean() < 0.1


def test_more_deaths_more_pressure_on_rises_in_the_mean(prior: ParameterDraws, paths: DriverPaths) -> None:
    before, after = (synthetic.climbed(prior, p, each=2) for p in (paths, replace(paths, log2_deaths=paths.log2_deaths + 1)))
    assert (high(after).mean(1) > high(before).mean(1)).all()


def test_a_rise_last_month_makes_a_fall_likelier(prior: ParameterDraws, paths: DriverPaths) -> None:
    settled, just_risen = (synthetic.climbed(prior, paths, 3, f, each=2) for f in (False, True))
    assert just_risen.at_least(3, 3).mean() < settled.at_least(3, 3).mean()


def test_pressure_that_bends_saturates() -> None:
    of = synthetic.draws(1, leverage=1.6)
    at_levels = [float(synthetic.climbed(of, synthetic.pool(1, 12, leverage=x)).reached(4, 12)[0]) for x in (0.0, 1.0, 2.0, 8.0, 16.0)]
    gains = np.diff(at_levels)
    assert (gains[:3] > 0).all()
    assert gains[3] < 1e-6


def test_every_slot_takes_from_its_own_batch_of_the_pool() -> None:
    found = assign_paths(500, 2_000, seed=1)
    assert found.shape == (500, 20)
    assert (found // 100 == np.arange(20)).all()


def test_slot_means_average_to_the_mean_over_draws(prior: ParameterDraws, paths: DriverPaths) -> None:
    found = synthetic.climbed(prior, paths, each=4)
    for kind, k, by_draw in (
        ("reached_by", 4, found.reached(4, 12)),
        ("in_force_at", 3, found.at_least(3, 12)),
        ("fallen_to", 1, found.fell(1, 12)),
    ):
        assert found.path_batch_means(kind, k, 12).mean() == pytest.approx(float(by_draw.mean()))


def test_zero_rates_of_pressure_lower_the_headline() -> None:
    """On the bundled drivers, with draws from the prior: what Washington does from now on matters."""
    s = synthetic.origin_state()
    draws = from_prior(synthetic.constants(), s.origin, 400, np.random.default_rng(9))
    quiet = Intervention(
        rates={name: 0.0 for name in STREAMS if name.startswith(("threat", "measure")) or name in ("act", "demonstration")}
    )
    main = s.histories["main"]
    usual, calm = (forecast_from_history(s, draws, pool, main).reached(4, 12).mean() for pool in (s.pool(), s.pool(quiet)))
    assert calm < 0.98 * usual


def test_the_empty_scenario_is_the_forecast() -> None:
    s = synthetic.origin_state()
    draws = from_prior(synthetic.constants(), s.origin, 50, np.random.default_rng(9))
    main = s.histories["main"]
    np.testing.assert_array_equal(
        *(forecast_from_history(s, draws, pool, main).reached(4, 12) for pool in (s.pool(), s.pool(Intervention())))
    )
