"""The bundled data as they stand at their origin, assessed once for all tests of a process."""

from __future__ import annotations

import functools
from datetime import date

from forecast import workspace as places
from forecast.data.as_of import as_of_now
from forecast.data.read import read_data
from forecast.forecasting.origin_state import OriginState, build_origin_state
from forecast.priors.load import load_priors


@functools.cache
def bundled_origin_state() -> OriginState:
    """With seed 7, on the day of the tests. Nobody may change it."""
    root = places.bundled_root()
    return build_origin_state(as_of_now(read_data(root / "data"), date(2026, 11, 24)), load_priors(root / "priors"), 7)
