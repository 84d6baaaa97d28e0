"""Draws moved to the same quantile of another distribution, against drawing from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from forecast.forecasting.parameter_draws import ParameterDraws, from_prior
from forecast.model.hyperparameters import tolerance_priors
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.reweighting.importance_ratios import PARAMETER_FIELDS, PARAMETER_READERS
from forecast.reweighting.transport import transport_prior_draws, transport_skips
from tests.support.bundled_state import bundled_origin_state

EDITS = {
    "ladder.rise.2": "quantiles(0.01, 0.05, 0.3)",
    "outside_view.selection": "Fixed(0.4)",
    "ladder.stay.3": "quantiles(10, 60, 200)",
    "leverage.effect": "Normal(-1, 0.2)",
    "opposition.mobilisation": "HalfNormal(0.9)",
    "administration.sd": "HalfNormal(0.1)",
    "drift.sd": "HalfNormal(1.2)",
    "drift.half_life": "LogNormal(40, 0.2, shift=1)",
}
MOVED = [name if name != "outside_view.selection" else "ladder.rise.3" for name in EDITS]


def drawn(priors: Priors, seed: int) -> ParameterDraws:
    return from_prior(tolerance_priors(priors), bundled_origin_state().origin, 3_000, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def both() -> tuple[ParameterDraws, ParameterDraws]:
    """Moved, and drawn anew."""
    old = bundled_origin_state().priors
    new = old.replace({name: parse_prior(name, text) for name, text in EDITS.items()})
    return transport_prior_draws(drawn(old, 1), old, new, MOVED), drawn(new, 2)


SEEN: dict[str, Callable[[ParameterDraws], np.ndarray]] = {
    **{name: PARAMETER_READERS[name] for name in PARAMETER_FIELDS if "skip" not in name},
    "an administration": lambda d: d.alpha[:, 3],
    "the drift at first": lambda d: d.drift[:, 0],
    "the drift at last": lambda d: d.drift[:, -1],
    "its step": lambda d: d.drift[:, 20] - d.drift[:, 19],
    "over three years": lambda d: d.drift[:, 23] - d.drift[:, 20],
}


@pytest.mark.parametrize("name", SEEN)
def test_moved_draws_are_draws_of_the_new_prior(both: tuple[ParameterDraws, ParameterDraws], name: str) -> None:
    moved, anew = both
    assert stats.ks_2samp(SEEN[name](moved), SEEN[name](anew)).pvalue > 0.0005


def test_to_the_same_prior_nothing_moves() -> None:
    old = bundled_origin_state().priors
    before = drawn(old, 1)
    after = transport_prior_draws(before, old, old, MOVED)
    for field in dataclasses.fields(ParameterDraws):
        np.testing.assert_allclose(getattr(after, field.name), getattr(before, field.name), rtol=1e-9, atol=1e-12)


def skips(priors: Priors, stopped: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    constants = tolerance_priors(priors)
    return constants.skip_up + np.array([0.0, stopped]), constants.skip_down + np.array([0.0, stopped])


def test_skips_are_moved_to_their_posterior() -> None:
    old = bundled_origin_state().priors
    edits = {"ladder.skip_up.2": "Beta(9, 2)", "ladder.skip_up.3": "Beta(4, 4)", "outside_view.selection": "Fixed(0.5)"}
    new = old.replace({name: parse_prior(name, text) for name, text in edits.items()})
    draws = drawn(old, 2)
    moved = transport_skips(draws, skips(old), skips(new))
    for i, (a, b) in {2: (9, 2), 3: (2, 6)}.items():
        assert stats.kstest(moved.skip_up[:, i - 1], stats.beta(a, b).cdf).pvalue > 0.001
        assert (np.argsort(moved.skip_up[:, i - 1]) == np.argsort(draws.skip_up[:, i - 1])).all()
    np.testing.assert_array_equal(moved.skip_down, draws.skip_down)


def test_a_skip_whose_distribution_stays_is_not_touched() -> None:
    old = bundled_origin_state().priors
    draws = drawn(old, 2)
    same = transport_skips(draws, skips(old, 1.0), skips(old, 1.0))
    assert same.skip_up is draws.skip_up
    back = transport_skips(transport_skips(draws, skips(old), skips(old, 3.0)), skips(old, 3.0), skips(old))
    np.testing.assert_allclose(back.skip_up, np.clip(draws.skip_up, 1e-7, 1 - 1e-7), rtol=1e-4, atol=1e-6)
