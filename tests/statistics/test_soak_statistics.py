"""Calibration at full size, by hand before an issue is called done: `make soak`. Some twenty minutes on two free cores."""

from __future__ import annotations

import pytest

from forecast.evaluation.simulation_based_calibration import rank_statistics, uniformity_test
from forecast.forecasting.fit_readings import compiled_sampler
from forecast.inference.sample import Sampler
from forecast.inference.settings import SamplerSettings
from tests.statistics.test_slow_statistics import doubled, lively, swapped
from tests.support import synthetic

pytestmark = pytest.mark.soak

HISTORIES = 500
LONGER = SamplerSettings(chains=1, draws=500, tune=400)


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return compiled_sampler(synthetic.origin_state(), synthetic.constants())


@pytest.mark.parametrize(("seed", "level"), [(101, 1), (102, 3)])
def test_five_hundred_histories_are_calibrated(sampler: Sampler, seed: int, level: int) -> None:
    """From the bundled priors and the real drivers: every named scalar, the joint log-likelihood, every ladder question."""
    found = uniformity_test(
        rank_statistics(sampler, synthetic.constants(), synthetic.origin_state().drivers, level, HISTORIES, seed, LONGER)
    )
    assert found.passed, {name: found.p_values[name] for name in found.failing}
    assert found.refused <= 0.01 * HISTORIES


def test_busy_histories_are_calibrated(sampler: Sampler) -> None:
    found = uniformity_test(
        rank_statistics(sampler, lively(synthetic.constants()), synthetic.origin_state().drivers, 1, HISTORIES, 103, LONGER)
    )
    assert found.passed, {name: found.p_values[name] for name in found.failing}


@pytest.mark.parametrize("mutant", [doubled, swapped])
def test_mutants_fail_under_the_bundled_priors_too(sampler: Sampler, mutant: object) -> None:
    """Histories of the bundled priors say little each: it takes many of them to see that pressure counts twice."""
    found = uniformity_test(
        rank_statistics(sampler, synthetic.constants(), synthetic.origin_state().drivers, 1, HISTORIES, 101, LONGER, corrupt=mutant)
    )  # type: ignore[arg-type]
    assert not found.passed
