"""Drivers made anew from the archive, against the models that made them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from forecast.arrays.ladder import saturate_pressure
from forecast.arrays.psis import pareto_smooth
from forecast.domain import FIRST_MONTH
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.driver_simulation import simulate_drivers
from forecast.model.events import STREAMS
from forecast.model.hyperparameters import leverage_settings
from forecast.model.leverage import compute_leverage
from forecast.model.opposition import OppositionPriors, fit_opposition
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.reweighting.draws_archive import pack, unpack_drivers, unpack_pool
from forecast.reweighting.driver_update import POLLS, opposition_change, resample_paths, systematic_resample, update_drivers
from tests.support.bundled_state import bundled_origin_state
from tests.support.prior_forecasts import prior_forecast

EDITS = {
    "leverage.weights": "Weights(economic=0.6, diplomatic=0.1, security=0.3)",
    "leverage.half_life.security": "Fixed(11)",
    "leverage.half_life.economic": "Fixed(1.5)",
}


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return pack(prior_forecast())


def edited(edits: dict[str, str]) -> Priors:
    return bundled_origin_state().priors.replace({name: parse_prior(name, text) for name, text in edits.items()})


@pytest.mark.parametrize("name", EDITS)
def test_leverage_is_what_the_records_and_the_simulation_give_with_other_settings(arrays: dict[str, Any], name: str) -> None:
    """Over history by the model itself, from the events; on the paths by simulating again with the same random numbers, which moves none
    of what leverage is made of."""
    origin_state, new = bundled_origin_state(), edited({name: EDITS[name]})
    settings = leverage_settings(new, origin_state.data.scales)
    pressed = compute_leverage(origin_state.data.events, origin_state.origin, settings)
    start = replace(origin_state.start, leverage=pressed)
    again = simulate_drivers(
        start, origin_state.future, origin_state.rates, settings, origin_state.data.calendar, origin_state.origin, origin_state.seed + 1
    )
    found = update_drivers(arrays | _deaf(arrays), origin_state.priors, new, [name])
    np.testing.assert_allclose(found.drivers.pressure, saturate_pressure(pressed.value), rtol=1e-12)
    np.testing.assert_allclose(found.pool.leverage, again.leverage, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.pool.impulses, again.impulses, rtol=1e-5, atol=1e-6)
    assert np.abs(found.pool.leverage - unpack_pool(arrays).leverage).max() > 0.02  # it moved


def _deaf(arrays: dict[str, Any]) -> dict[str, Any]:
    """Mobilisation that answers nothing: then no path is redrawn."""
    return {"pool/eta": np.zeros_like(arrays["pool/eta"])}


def test_paths_are_redrawn_towards_the_mobilisations_that_other_pressure_brings(arrays: dict[str, Any]) -> None:
    """Against simulating with the other pressure, the rate learnt again: with a strong backlash, or nothing would show."""
    plain, eta, k = bundled_origin_state(), 0.8, STREAMS.index("mobilisation")
    new = edited({"leverage.weights": "Weights(economic=0.9, diplomatic=0.05, security=0.05)"})

    def simulated(priors: Priors) -> DriverPaths:
        settings = leverage_settings(priors, plain.data.scales)
        pressed = compute_leverage(plain.data.events, plain.origin, settings)
        window = np.arange(plain.rates.window[0], plain.rates.window[1] + 1) - FIRST_MONTH
        mean = pressed.value[window].mean()
        size, n = len(plain.rates.rate), plain.rates.counts[k].sum()
        rate = plain.rates.rate.copy()
        rate[:, k] = np.random.default_rng(1).gamma(0.5 + n, 1 / (1 + np.exp(eta * (pressed.value[window - 1] - mean)).sum()), size)
        known = replace(plain.rates, rate=rate, eta=np.tile([0.0, 0.0, eta], (size, 1)), means=(*plain.rates.means[:2], float(mean)))
        start = replace(plain.start, leverage=pressed)
        return simulate_drivers(start, plain.future, known, settings, plain.data.calendar, plain.origin, 3)

    before, after = simulated(plain.priors), simulated(new)
    kept = {f"pool/{f}": getattr(before, f) for f in DriverPaths.__dataclass_fields__}
    found = update_drivers(arrays | kept, plain.priors, new, ["leverage.weights"])
    was, now, redrawn = (pool.arrivals[:, :, k].sum(1).mean() for pool in (before, after, found.pool))
    error = before.arrivals[:, :, k].sum(1).std() / np.sqrt(2_000)
    assert abs(redrawn - now) < 4 * error
    assert abs(now - was) > 5 * error
    assert found.path_weights


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("opposition.walk_sd", "HalfNormal(0.3)"),
        ("opposition.house_sd", "HalfNormal(0.25)"),
        ("opposition.favourability", "Normal(1, 0.3)"),
        ("opposition.favourability_intercept", "Normal(-0.5, 0.5)"),
        ("opposition.start", "Normal(0.2, 0.4)"),
        ("opposition.wording.unilateral", "Normal(0.9, 0.4)"),
        ("opposition.wording.coordinated", "Normal(-0.6, 0.3)"),
        ("opposition.wording.agents", "Normal(0, 0.3)"),
    ],
)
def test_opposition_moves_as_fitting_model_3_again_moves_it(arrays: dict[str, Any], name: str, text: str) -> None:
    origin_state, new = bundled_origin_state(), edited({name: text})
    found = update_drivers(arrays, origin_state.priors, new, [name])
    fit = fit_opposition(
        origin_state.data.polls, origin_state.origin, OppositionPriors.of(new), np.random.default_rng(origin_state.seed), 2_000
    )
    moved = found.drivers.opposition - unpack_drivers(arrays).opposition
    exact = fit.mean - origin_state.opposition.mean
    error = fit.sd * np.sqrt(1 / found.path_weights[0].ess - 1 / 2_000 + 1 / origin_state.opposition.effective + 1 / fit.effective)
    assert np.abs((moved - exact) / error)[[0, 60, 120, 180, -1]].max() < 4
    assert np.abs(exact).max() > 0.002
    assert max(w.k_hat for w in found.path_weights) < 0.7


def test_the_draw_behind_a_path_is_of_the_posterior_that_is_reported() -> None:
    origin_state = bundled_origin_state()
    said = {s.name: s for s in origin_state.opposition.summaries}
    error = np.sqrt(1 / 2_000 + 1 / origin_state.opposition.effective)
    columns = {f"wording.{w}": origin_state.polled.wording[:, i] for i, w in enumerate(("unilateral", "coordinated", "agents"))}
    columns["favourability_intercept"] = origin_state.polled.intercept
    for name, values in columns.items():
        assert abs(values.mean() - said[name].mean) < 4 * said[name].sd * error
        assert values.std() == pytest.approx(said[name].sd, rel=0.15)
    assert len(POLLS) == 9


def test_knots_give_back_every_month_of_opposition(arrays: dict[str, Any]) -> None:
    weights = np.zeros(2_000)
    weights[7] = 1.0
    d = bundled_origin_state().polled.d[:, : len(unpack_drivers(arrays).opposition)]
    np.testing.assert_allclose(opposition_change(arrays, weights), d[7] - d.mean(0), atol=2e-3)


@hypothesis.given(st.lists(st.floats(0, 5), min_size=40, max_size=40), st.integers(1, 4))
def test_redrawing_follows_the_weights_and_keeps_batches_and_places(weights: list[float], batches: int) -> None:
    w = np.array(weights) + 1e-3
    found = resample_paths(w, batches)
    size = 40 // batches
    for first in range(0, size * batches, size):
        own = slice(first, first + size)
        expected = size * w[own] / w[own].sum()
        often = np.bincount(found[own] - first, minlength=size)
        assert (found[own] // size == first // size).all()
        assert (np.abs(often - expected) < 1 + 1e-9).all()
        assert (found[own][often > 0] == first + np.flatnonzero(often)).all()
    np.testing.assert_array_equal(resample_paths(np.ones(40), batches), np.arange(40))


def test_a_systematic_part_of_equal_weights_is_evenly_spaced() -> None:
    np.testing.assert_array_equal(systematic_resample(np.full(20, 0.05), 4), [2, 7, 12, 17])
    assert set(systematic_resample(np.r_[np.zeros(10), 1.0, np.zeros(9)], 6)) == {10}


def test_elasticities_weigh_the_paths_by_their_densities(arrays: dict[str, Any]) -> None:
    old, new = bundled_origin_state().priors, edited({"events.demand": "Normal(0.4, 0.15)"})
    found = update_drivers(arrays, old, new, ["events.demand"])
    eta = unpack_pool(arrays).eta[:, 0]
    weights = pareto_smooth(new.distribution("events.demand").logpdf(eta) - old.distribution("events.demand").logpdf(eta)).weights
    assert found.pool.eta[:, 0].mean() == pytest.approx(weights @ eta, abs=0.01)
    assert not found.history_moved
    assert found.pool_moved
