"""The judgement of ranks: uniform ones pass about as often as stated, crooked ones do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from forecast.evaluation.simulation_based_calibration import RankStatistics, calibration_quantities, ecdf_p_values, uniformity_test
from forecast.forecasting.parameter_draws import from_prior
from forecast.forecasting.predictive_checks import log_likelihood, simulate_histories
from forecast.model.tolerance_data import History
from tests.support import synthetic

DRAWS = 50


def test_p_values_of_uniform_ranks_are_at_least_uniform() -> None:
    ranks = np.random.default_rng(1).integers(0, DRAWS + 1, (120, 3_000))
    p = ecdf_p_values(ranks, DRAWS, replicates=20_000)
    for level in (0.01, 0.05, 0.2, 0.5):
        assert (p <= level).mean() == pytest.approx(level, abs=4 * (level * (1 - level) / 3_000) ** 0.5 + 0.02 * level + 0.002)


@pytest.mark.parametrize("shape", [(2.0, 1.0), (1.0, 2.0), (2.0, 2.0), (0.5, 0.5)])
def test_crooked_ranks_are_seen(shape: tuple[float, float]) -> None:
    """Shifted either way, too wide, too narrow."""
    ranks = np.floor(stats.beta(*shape).rvs((200, 1), random_state=2) * (DRAWS + 1)).astype(int)
    assert ecdf_p_values(ranks, DRAWS, replicates=5_000)[0] < 1e-3


def ranks_of(crooked: bool, shrinkage: float) -> RankStatistics:
    rng = np.random.default_rng(3)
    table = rng.integers(0, DRAWS + 1, (150, 4))
    if crooked:
        table[:, 2] //= 2
    return RankStatistics(("a", "b", "c", "log_likelihood"), table, DRAWS, {"a": 0.5, "b": 1.0, "c": shrinkage}, refused=1)


def test_one_crooked_quantity_fails_the_whole_and_is_named() -> None:
    assert uniformity_test(ranks_of(False, 0.5), replicates=5_000).passed
    found = uniformity_test(ranks_of(True, 0.5), replicates=5_000)
    assert not found.passed
    assert found.failing == ("c",)
    assert found.limit == pytest.approx(0.01 / 3)
    assert (found.histories, found.refused) == (150, 1)


def test_what_learns_nothing_stands_apart() -> None:
    found = uniformity_test(ranks_of(False, 0.99), replicates=5_000)
    assert found.unlearnt == ("b", "c")
    assert set(found.p_values) == {"a", "log_likelihood"}


def test_a_likelihood_that_is_ignored_shows_in_its_own_ranks_only() -> None:
    """Draws from the prior in place of a posterior: ranks of parameters are uniform, that of the joint log-likelihood is not."""
    constants = replace(synthetic.constants(), rise=np.tile([-0.8, 0.7], (5, 1)), stay=np.tile([np.log(18.0), 0.7], (5, 1)))
    rng = np.random.default_rng(4)
    size, here = 100, synthetic.drivers(246, pressure=1.2 * (rng.random(246) < 0.5))
    truths = from_prior(constants, synthetic.ORIGIN, size, rng)
    levels = simulate_histories(truths, here, 1, rng)
    ranks = []
    for n in range(size):
        history, drawn, truth = History(levels[n], here), from_prior(constants, synthetic.ORIGIN, DRAWS, rng), truths.take(np.array([n]))
        pairs = [(truth.leverage, drawn.leverage), (truth.logit_rise[:, 2], drawn.logit_rise[:, 2])]
        pairs.append((log_likelihood(truth, history), log_likelihood(drawn, history)))
        ranks.append([int((d < t).sum()) for t, d in pairs])
    p = ecdf_p_values(np.array(ranks), DRAWS, replicates=20_000)
    assert (p[:2] > 0.001).all()
    assert p[2] < 1e-4


def test_test_quantities_are_all_parameters_the_likelihood_and_every_ladder_question() -> None:
    history = History(np.array([2] * 200 + [3] * 46), synthetic.drivers(246))
    found = calibration_quantities(from_prior(synthetic.constants(), synthetic.ORIGIN, 7, np.random.default_rng(1)), history)
    assert all(value.shape == (7,) and np.isfinite(value).all() for value in found.values())
    assert {
        "leverage",
        "just_risen",
        "drift_sd",
        "logit_rise[4]",
        "log_stay[0]",
        "skip_up[2]",
        "alpha[7]",
        "drift[27]",
        "log_likelihood",
    } <= found.keys()
    assert sum(name.startswith(("reach-", "hold-", "fall-")) for name in found) == 4 * 12


def test_the_driver_behind_a_question_is_held_as_it_is_at_the_end() -> None:
    """Two histories that differ in their last month of pressure only: the one under more pressure reaches 4 more often."""
    of = synthetic.draws(1, leverage=1.5)
    calm, pressed = (synthetic.drivers(60, pressure=np.r_[np.zeros(59), last]) for last in (0.0, 1.0))
    low, high = (calibration_quantities(of, History(np.full(60, 2), d))["reach-4-12m"][0] for d in (calm, pressed))
    assert high > 2 * low
