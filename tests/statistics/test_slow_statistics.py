"""Model 5 through its sampler: one compiled function for the bundled record, a history with known parameters, and calibration.

About forty seconds go into compiling, once for all tests of this file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats

from forecast.evaluation.simulation_based_calibration import CorruptData, UniformityTest, rank_statistics, uniformity_test
from forecast.forecasting.fit_readings import KEPT, compiled_sampler, constant_parameters, fit_history, forecast_reading, posterior_draws
from forecast.forecasting.predictive_checks import predictive_checks, simulate_histories
from forecast.inference.gate import diagnose, scalar_draws
from forecast.inference.sample import Sampler, compile_sampler
from forecast.inference.settings import SamplerSettings
from forecast.model.tolerance import build_model
from forecast.model.tolerance_data import History, TolerancePriors, model_data
from tests.support import synthetic

pytestmark = pytest.mark.slow

FULL = SamplerSettings()
OTHER_SEEDS = (11, 12, 13)
HISTORIES = 100
MUTANT_HISTORIES = 40
SLOTS = 300


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return compiled_sampler(synthetic.origin_state(), synthetic.constants())


@pytest.fixture(scope="module")
def main(sampler: Sampler) -> xr.DataTree:
    """The posterior of the main reading with the default settings."""
    return fit_history(sampler, synthetic.origin_state().histories["main"], synthetic.constants(), seed=1, settings=FULL)


def named(tree: xr.DataTree) -> dict[str, np.ndarray]:
    return scalar_draws(tree["posterior"].to_dataset()[list(KEPT)])


def z_scores(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, float]:
    """By quantity, how far two sets of draws [chain, draw] are apart in Monte Carlo errors of their means."""
    out = {}
    for name, x in one.items():
        y = other[name]
        error = sum(float(v.var()) / float(array_stats.ess(v, chain_axis=0, draw_axis=1, method="mean")) for v in (x, y))
        out[name] = float((x.mean() - y.mean()) / error**0.5)
    return out


# ---- the bundled record


@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_the_gate_lets_the_record_pass_and_seeds_agree(sampler: Sampler, main: xr.DataTree, seed: int) -> None:
    history, constants = synthetic.origin_state().histories["main"], synthetic.constants()
    again = fit_history(sampler, history, constants, seed, FULL)
    for tree in (main, again):
        stats = tree["sample_stats"].to_dataset()
        found = diagnose(named(tree), stats["diverging"].values, stats["energy"].values, FULL.chains, FULL.draws,
                        constant=constant_parameters(constants))  # fmt: skip
        assert found.passed, found.reasons
    assert max(abs(z) for z in z_scores(named(main), named(again)).values()) < 4


def test_a_reading_carried_forward_passes_the_gate_with_its_forecasts(sampler: Sampler) -> None:
    s = synthetic.origin_state()
    found = forecast_reading(s, sampler, s.pool(), "main", synthetic.constants(), seed=1)
    assert found.diagnostics.passed, found.diagnostics.reasons
    assert not found.diagnostics.retried
    headline = float(found.ladder.reached(4, 12).mean())
    assert 0.059 / 1.5 < headline < 0.059 * 1.5  # what a prototype found on these data; farther off wants an explanation
    assert float(found.prior_ladder.reached(4, 12).mean()) < headline  # the record speaks for more movement than the class


def test_the_same_seed_gives_the_same_draws(sampler: Sampler) -> None:
    short = SamplerSettings(chains=2, draws=50, tune=100)
    one, two, other = (
        named(fit_history(sampler, synthetic.origin_state().histories["main"], synthetic.constants(), seed, short)) for seed in (5, 5, 6)
    )
    for name, values in one.items():
        np.testing.assert_array_equal(values, two[name])
    assert any((values != other[name]).any() for name, values in one.items())


def test_another_sampler_agrees(main: xr.DataTree) -> None:
    """PyMC's own NUTS on the same graph, by its own gradients and adaptation."""
    model = build_model(synthetic.origin_state().histories["main"], synthetic.constants())
    nuts = compile_sampler(model, KEPT, "pymc")
    data = model_data(synthetic.origin_state().histories["main"], synthetic.constants())
    tree = nuts(data, 3, SamplerSettings(chains=2, draws=1_000, tune=600, target_accept=0.85))
    far = {name: z for name, z in z_scores(named(main), named(tree)).items() if abs(z) >= 4}
    assert not far


def test_posterior_replicates_move_as_often_as_mexico_did(main: xr.DataTree) -> None:
    s, constants = synthetic.origin_state(), synthetic.constants()
    history = s.histories["main"]
    draws = posterior_draws(main, history, constants, seed=2)
    replicas = simulate_histories(draws, s.drivers, int(history.levels[0]), np.random.default_rng(3))
    rows = {row.statistic: row for row in predictive_checks(history.levels, replicas)}
    assert 2 <= rows["changes"].q50 <= 5
    assert rows["changes"].tail_p > 0.05
    assert 0.1 < rows["ever_4"].mean < 0.4  # the record's silence about 4 does not make it impossible
    assert rows["one_month_spells"].tail_p > 0.1


# ---- a history with known parameters


def weak(constants: TolerancePriors) -> TolerancePriors:
    """Priors wide enough to be overruled by a busy history."""
    return replace(
        constants, rise=np.tile([0.0, 1.5], (5, 1)), stay=np.tile([np.log(12.0), 1.2], (5, 1)), leverage=np.array([0.0, 2.0]),
        leverage_on_falls=np.array([0.0, 2.0]), just_risen=np.array([0.0, 2.0]), overdose_level=np.array([0.0, 1.0]),
        overdose_change=np.array([0.0, 1.0]), opposition=np.array([0.0, 1.0]),
    )  # fmt: skip


def test_known_parameters_are_recovered(sampler: Sampler) -> None:
    """A busy history within the slots: every truth within what the posterior allows, and the strong effects found."""
    constants = weak(synthetic.constants())
    rng = np.random.default_rng(21)
    wave = np.sin(np.arange(SLOTS) / 9.0)
    drivers = synthetic.drivers(
        SLOTS, pressure=1.3 * (rng.random(SLOTS // 10).repeat(10) < 0.5), log2_deaths=wave, change=np.roll(wave, 20),
        opposition=rng.normal(0, 0.8, SLOTS // 5).repeat(5), mobilisation=rng.gamma(2, 0.3, SLOTS), administration=np.arange(SLOTS) // 40,
    )  # fmt: skip
    sd_u, rho = 0.4, 0.5
    u = [0.2]
    for _ in range(27):
        u.append(rho * u[-1] + sd_u * (1 - rho**2) ** 0.5 * rng.standard_normal())
    truth = synthetic.draws(
        1, synthetic.ORIGIN, logit_rise=np.array([0.5, 0.8, 0.5, 0.2, 0.5]), log_stay=np.log([14.0, 10.0, 8.0, 6.0, 6.0]), leverage=1.5,
        leverage_on_falls=-0.8, just_risen=1.2, overdose_level=0.4, overdose_change=0.3, opposition=0.6, mobilisation=0.3,
        administration_sd=0.3, alpha=0.3 * rng.standard_normal(8), drift_sd=sd_u, half_life=12.0, drift=np.array(u),
    )  # fmt: skip
    levels = simulate_histories(truth, drivers, 2, rng)[0]
    assert (np.diff(levels) != 0).sum() > 40
    tree = fit_history(sampler, History(levels, drivers), constants, seed=8, settings=FULL)
    found = posterior_draws(tree, History(levels, drivers), constants, seed=1)
    assert not tree["sample_stats"].to_dataset()["diverging"].values.any()
    z, outside = [], []
    for field in set(truth.__dict__) - {"half_life", "skip_up", "skip_down"}:
        drawn, real = getattr(found, field).reshape(found.size, -1), getattr(truth, field).reshape(-1)
        low, high = np.quantile(drawn, [0.001, 0.999], axis=0)
        outside += [field for lo, x, hi in zip(low, real, high, strict=True) if not lo <= x <= hi]
        z += list((drawn.mean(0) - real) / drawn.std(0))
    assert not outside
    assert np.sqrt(np.mean(np.square(z))) < 1.4
    for field, prior_sd in (
        ("leverage", 2.0),
        ("leverage_on_falls", 2.0),
        ("just_risen", 2.0),
        ("opposition", 1.0),
        ("overdose_level", 1.0),
    ):
        assert getattr(found, field).std() < 0.5 * prior_sd, field
    assert (found.leverage > 0).mean() > 0.99


# ---- calibration


def lively(constants: TolerancePriors) -> TolerancePriors:
    """The same model, with priors under which a history moves some fifteen times instead of twice: few of them show what is wrong."""
    logit = np.log(0.3 / 0.7)
    return replace(constants, rise=np.tile([logit, 0.7], (5, 1)), stay=np.tile([np.log(18.0), 0.7], (5, 1)))


def doubled(data: dict[str, Any]) -> dict[str, Any]:
    """A likelihood in which pressure counts twice."""
    return data | {"pressure": 2 * data["pressure"]}


def swapped(data: dict[str, Any]) -> dict[str, Any]:
    """A likelihood that takes rises for falls."""
    return data | {"rose": data["fell"], "fell": data["rose"]}


def twice_on_rises(sampler: Sampler) -> Sampler:
    """A sampler whose likelihood has 2 π⁺ where the posterior it returns says π⁺; pressure on falls is left alone."""

    def run(data: Any, seed: int, settings: SamplerSettings = SamplerSettings(), report: Any = None) -> xr.DataTree:
        tree = sampler({**data, "prior_leverage": 2 * data["prior_leverage"]}, seed, settings, report)
        posterior = tree["posterior"].to_dataset()
        halved = posterior.assign(leverage_effect=posterior["leverage_effect"] / 2)
        return xr.DataTree.from_dict({"posterior": halved, "sample_stats": tree["sample_stats"].to_dataset()})

    return run


@pytest.fixture(scope="module")
def calibrated(sampler: Sampler) -> Callable[..., UniformityTest]:
    def run(constants: TolerancePriors, corrupt: CorruptData | None = None, size: int = HISTORIES) -> UniformityTest:
        return uniformity_test(rank_statistics(sampler, constants, synthetic.origin_state().drivers, 1, size, seed=7, corrupt=corrupt))

    return run


@pytest.mark.parametrize("priors", ["bundled", "lively"])
def test_simulated_histories_are_calibrated(calibrated: Callable[..., UniformityTest], priors: str) -> None:
    constants = synthetic.constants()
    found = calibrated(constants if priors == "bundled" else lively(constants))
    assert found.passed, {name: found.p_values[name] for name in found.failing}
    assert found.histories + found.refused == HISTORIES
    assert found.refused <= 2
    assert {"leverage", "log_likelihood", "reach-4-12m", "fall-1-24m"} <= found.p_values.keys()


@pytest.mark.parametrize("mutant", [pytest.param(doubled, marks=pytest.mark.soak), swapped])
def test_mutants_are_not(calibrated: Callable[..., UniformityTest], mutant: CorruptData) -> None:
    """The same histories as above, fitted wrongly."""
    found = calibrated(lively(synthetic.constants()), mutant, MUTANT_HISTORIES)
    assert not found.passed
    assert found.refused <= 2  # it is the ranks that tell


def test_a_likelihood_with_the_effect_on_rises_doubled_is_not_calibrated(sampler: Sampler) -> None:
    found = uniformity_test(
        rank_statistics(
            twice_on_rises(sampler), lively(synthetic.constants()), synthetic.origin_state().drivers, 1, MUTANT_HISTORIES, seed=7
        )
    )
    assert not found.passed
    assert found.refused <= 2
