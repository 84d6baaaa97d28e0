"""Where the headline flips, by the draws of one fit, against fits with the effect held at a value. Some minutes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast.forecasting.readings import ReadingForecast, compiled, forecast_reading
from forecast.forecasting.sensitivity.headline import Headline, Reading
from forecast.forecasting.sensitivity.held import flip
from forecast.inference.sample import Sampler
from forecast.model.transitions import TolerancePriors
from tests import toys

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return compiled(toys.situation(), toys.constants())


def fitted(sampler: Sampler, constants: TolerancePriors, seed: int) -> ReadingForecast:
    return forecast_reading(toys.situation(), sampler, toys.situation().pool(), "main", constants, seed)


def test_an_effect_held_is_the_effect_fitted_as_known(sampler: Sampler) -> None:
    situation = toys.situation()
    made = fitted(sampler, toys.constants(), 1)
    reading = Reading("main", 1.0, made.history, made.draws, made.climb.reached(4, 12))
    headline = Headline("reach-4-12m", 4, 12, (reading,), situation.pool(), situation.origin, situation.administrations)
    found = flip(headline, toys.priors(), "leverage.effect")
    trusted = [point for point in found.curve if point.trusted]
    assert len(trusted) >= len(found.curve) / 2
    for point in trusted:
        known = replace(toys.constants(), leverage=np.array([point.value, 0.0]))
        exact = fitted(sampler, known, 2).climb.reached(4, 12)
        error = np.hypot(point.mcse, exact.std() / np.sqrt(400))
        assert abs(point.probability - exact.mean()) < 4 * error, point.value
