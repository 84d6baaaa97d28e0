"""Where the headline flips, by the draws of one fit, against fits with the effect held at a value. Some minutes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast.forecasting.fit_readings import ReadingForecast, compiled_sampler, forecast_reading
from forecast.inference.sample import Sampler
from forecast.model.tolerance_data import TolerancePriors
from forecast.sensitivity.target_question import ReadingDraws, TargetQuestion
from forecast.sensitivity.tipping_points import tipping_point
from tests.support import synthetic

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return compiled_sampler(synthetic.origin_state(), synthetic.constants())


def fitted(sampler: Sampler, constants: TolerancePriors, seed: int) -> ReadingForecast:
    return forecast_reading(synthetic.origin_state(), sampler, synthetic.origin_state().pool(), "main", constants, seed)


def test_an_effect_held_is_the_effect_fitted_as_known(sampler: Sampler) -> None:
    origin_state = synthetic.origin_state()
    made = fitted(sampler, synthetic.constants(), 1)
    reading = ReadingDraws("main", 1.0, made.history, made.draws, made.ladder.reached(4, 12))
    headline = TargetQuestion("reach-4-12m", 4, 12, (reading,), origin_state.pool(), origin_state.origin, origin_state.administrations)
    found = tipping_point(headline, synthetic.priors(), "leverage.effect")
    trusted = [point for point in found.curve if point.trusted]
    assert len(trusted) >= len(found.curve) / 2
    for point in trusted:
        known = replace(synthetic.constants(), leverage=np.array([point.value, 0.0]))
        exact = fitted(sampler, known, 2).ladder.reached(4, 12)
        error = np.hypot(point.mcse, exact.std() / np.sqrt(400))
        assert abs(point.probability - exact.mean()) < 4 * error, point.value
