"""The bundled data as they stand at their origin, assessed once for all tests of a process."""

from __future__ import annotations

import functools

from forecast import workspace as places
from forecast.data.read import read_data
from forecast.forecasting.situation import Situation, assess
from forecast.priors.files import load_priors


@functools.cache
def bundled_situation() -> Situation:
    """With seed 7. Nobody may change it."""
    root = places.bundled()
    return assess(read_data(root / "data"), load_priors(root / "priors"), 7)
