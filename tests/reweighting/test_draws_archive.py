"""Draws from the prior mean what the prior files say; draws of the posterior keep their chains; drift is an AR(1)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit

from forecast.arrays.ladder import fall_logit, rise_logit
from forecast.domain import month
from forecast.forecasting.parameter_draws import POSTERIOR_NAMES, ParameterDraws, from_posterior, from_prior
from forecast.priors.distributions import Quantiles
from forecast.reweighting.draws_archive import pack_draws, unpack_draws
from tests.support import synthetic

SIZE = 40_000
PROBABILITIES = np.array([0.05, 0.5, 0.95])


@pytest.fixture(scope="module")
def prior() -> ParameterDraws:
    return from_prior(synthetic.constants(), synthetic.ORIGIN, SIZE, np.random.default_rng(7))


def as_quantiles(values: np.ndarray, spec: Quantiles, expected: np.ndarray) -> None:
    """The share of draws below each fitted quantile is its probability, within Monte Carlo error."""
    shares = (values[:, None] <= expected).mean(0)
    np.testing.assert_allclose(shares, PROBABILITIES, atol=4 * 0.5 / SIZE**0.5, err_msg=str(spec))


@pytest.mark.parametrize("j", [0, 1, 2, 4])
def test_simulated_q_has_the_fitted_quantiles(prior: ParameterDraws, j: int) -> None:
    """q as defined: twelve months of the monthly kernel at θ = 0 and ℓ = 0, falls ignored."""
    spec = synthetic.priors().spec(f"ladder.rise.{j}")
    assert isinstance(spec, Quantiles)
    monthly = expit(prior.rise_logits()[j])
    as_quantiles(1 - (1 - monthly) ** 12, spec, spec.quantile(PROBABILITIES))


def test_simulated_q_3_has_the_fitted_quantiles_times_the_selection_factor_on_the_logit(prior: ParameterDraws) -> None:
    spec, factor = synthetic.priors().spec("ladder.rise.3"), synthetic.priors().value("outside_view.selection")
    assert isinstance(spec, Quantiles)
    assert factor == 0.75
    fitted = spec.quantile(PROBABILITIES)
    as_quantiles(1 - (1 - expit(prior.rise_logits()[3])) ** 12, spec, expit(np.log(fitted / (1 - fitted)) + np.log(factor)))


@pytest.mark.parametrize("j", [1, 2, 3, 4, 5])
def test_simulated_m_has_the_fitted_quantiles(prior: ParameterDraws, j: int) -> None:
    spec = synthetic.priors().spec(f"ladder.stay.{j}")
    assert isinstance(spec, Quantiles)
    monthly = expit(prior.fall_logits()[j])
    as_quantiles(np.log(0.5) / np.log1p(-monthly), spec, spec.quantile(PROBABILITIES))


def test_skips_have_their_beta(prior: ParameterDraws) -> None:
    constants = synthetic.constants()
    for drawn, given in ((prior.skip_up, constants.skip_up), (prior.skip_down, constants.skip_down)):
        for i in range(4):
            assert stats.kstest(drawn[:, i], stats.beta(*given[i]).cdf).pvalue > 1e-4


def test_selection_acts_on_s_3_as_pseudo_entries(prior: ParameterDraws) -> None:
    spec = synthetic.priors().spec("ladder.skip_up.3")
    beta = spec.beta if isinstance(spec, Quantiles) else spec
    a, b = beta.a, beta.b  # type: ignore[union-attr]
    np.testing.assert_allclose(synthetic.constants().skip_up[2], [0.75 * a, b + 0.25 * a])
    assert prior.skip_up[:, 2].mean() == pytest.approx(0.75 * a / (a + b), abs=0.005)


def test_effects_have_their_priors(prior: ParameterDraws) -> None:
    for field, name in (("leverage", "leverage.effect"), ("leverage_on_falls", "leverage.effect_on_falls"),
                        ("just_risen", "ladder.just_risen"), ("opposition", "opposition.effect"),
                        ("mobilisation", "opposition.mobilisation"), ("drift_sd", "drift.sd"),
                        ("overdose_level", "overdose.level_effect"), ("overdose_change", "overdose.change_effect"),
                        ("half_life", "drift.half_life"), ("administration_sd", "administration.sd")):  # fmt: skip
        as_quantiles(getattr(prior, field), name, synthetic.priors().distribution(name).quantile(PROBABILITIES))  # type: ignore[arg-type]


def test_drift_is_stationary_with_the_correlation_of_its_half_life() -> None:
    """Marginal variance sd² at every knot; correlation 2^(−12/half-life) at twelve months and its powers beyond."""
    constants = replace(synthetic.constants(), half_life=np.array([np.log(9.0), 0.0, 3.0]))  # exactly twelve months
    drawn = from_prior(constants, synthetic.ORIGIN, SIZE, np.random.default_rng(3))
    unit = drawn.drift / drawn.drift_sd[:, None]
    np.testing.assert_allclose(unit.var(0), 1.0, atol=6 * (2 / SIZE) ** 0.5)
    for lag in (1, 2, 5):
        np.testing.assert_allclose((unit[:, lag:] * unit[:, :-lag]).mean(0), 0.5**lag, atol=6 / SIZE**0.5)
    months = np.array([month("2026-01"), month("2026-07"), month("2027-01")])
    january, july, next_january = drawn.drift_at(months).T
    np.testing.assert_allclose(july, (january + next_january) / 2)
    np.testing.assert_allclose(january, drawn.drift[:, 20])


def test_administrations_are_exchangeable_draws(prior: ParameterDraws) -> None:
    unit = prior.alpha / prior.administration_sd[:, None]
    np.testing.assert_allclose(np.cov(unit.T), np.eye(8), atol=0.04)


def test_logits_at_the_ends_are_never() -> None:
    some = synthetic.draws(3)
    assert np.isneginf(some.rise_logits()[5]).all()
    assert np.isneginf(some.fall_logits()[0]).all()
    np.testing.assert_allclose(some.rise_logits()[2], rise_logit(np.array(0.05)))
    np.testing.assert_allclose(some.fall_logits()[2], fall_logit(np.array(24.0)))


def test_never_going_on_stays_never() -> None:
    constants = replace(synthetic.constants(), skip_up=np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]))
    assert not from_prior(constants, synthetic.ORIGIN, 100, np.random.default_rng(1)).skip_up[:, 2].any()


def posterior(chains: int, n: int) -> xr.Dataset:
    """A posterior in which every value tells its chain and draw."""
    code = np.arange(chains)[:, None] * 1_000.0 + np.arange(n)
    plain = synthetic.draws(1)
    out = {}
    for field, name in POSTERIOR_NAMES.items():
        trailing = getattr(plain, field).shape[1:]
        values = np.broadcast_to(code.reshape(chains, n, *[1] * len(trailing)), (chains, n, *trailing))
        out[name] = (("chain", "draw", *[f"{name}_dim" for _ in trailing]), values)
    return xr.Dataset(out)


def test_draws_carried_forward_come_chain_after_chain_with_skips_of_their_own() -> None:
    up, down = np.full((4, 2), [3.0, 1.0]), np.full((4, 2), [1.0, 3.0])
    found = from_posterior(posterior(4, 1_000), up, down, 500, np.random.default_rng(1))
    assert found.size == 2_000
    for chain in range(4):
        mine = found.leverage[500 * chain : 500 * (chain + 1)] - 1_000 * chain
        assert (mine[0], mine[-1]) == (0, 999)
        assert set(np.diff(mine)) <= {1.0, 2.0, 3.0}
        assert len(set(mine)) == 500
    np.testing.assert_array_equal(found.logit_rise[:, 3], found.just_risen)  # one draw stays one draw
    assert found.skip_up.mean() == pytest.approx(0.75, abs=0.02)
    assert found.skip_down.mean() == pytest.approx(0.25, abs=0.02)


def test_the_archive_gives_back_what_it_was_given() -> None:
    some = from_prior(synthetic.constants(), synthetic.ORIGIN, 50, np.random.default_rng(1))
    back = unpack_draws(pack_draws("main", some), "main")
    for field, value in some.__dict__.items():
        np.testing.assert_allclose(getattr(back, field), value, rtol=1e-6)
    with pytest.raises(KeyError):
        unpack_draws(pack_draws("main", some), "other")
