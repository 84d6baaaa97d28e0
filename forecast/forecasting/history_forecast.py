"""Carrying draws forward from the end of a history, and what the ladder questions then say. No PyMC here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.domain import HORIZONS, TOP, QuestionId
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import LadderForecast, assign_paths, forecast_ladder
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.history import History
from forecast.typing import Floats


def forecast_from_history(
    situation: OriginState, draws: ParameterDraws, pool: DriverPaths, history: History, among: NDArray[np.int_] | None = None, **link: Any
) -> LadderForecast:  # fmt: skip
    """The ladder's future from the end of a history; draws and paths are matched by the situation's seed.

    among: the paths of the pool to choose from (a scenario's condition), all if None.
    """
    paths = assign_paths(draws.size, len(pool.leverage), situation.seed + 2, among=among)
    return forecast_ladder(draws, pool, paths, history.level_now, history.fresh_now, situation.origin, situation.administrations, **link)


def forecast_quantities(found: LadderForecast) -> dict[str, Floats]:
    """Per-draw probabilities [S] of all ladder questions, by question id."""
    out: dict[str, Floats] = {}
    for h in HORIZONS:
        for k in range(1, TOP + 1):
            out[str(QuestionId("reached_by", k, None, h))] = found.reached(k, h)
            out[str(QuestionId("in_force_at", k, None, h))] = found.at_least(k, h)
        for k in (0, 1):
            out[str(QuestionId("fallen_to", k, None, h))] = found.fell(k, h)
    return out
