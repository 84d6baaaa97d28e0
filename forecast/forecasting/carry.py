"""Carrying draws forward from the end of a history, and what the ladder questions then say. No PyMC here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.domain import HORIZONS, TOP
from forecast.forecasting.climb import Climb, assign_paths, climb
from forecast.forecasting.draws import ParameterDraws
from forecast.forecasting.paths import Pool
from forecast.forecasting.situation import Situation
from forecast.model.history import History

type Floats = NDArray[np.float64]


def carry_forward(
    situation: Situation, draws: ParameterDraws, pool: Pool, history: History, among: NDArray[np.int_] | None = None, **link: Any
) -> Climb:  # fmt: skip
    """The ladder's future from the end of a history; draws and paths are matched by the situation's seed.

    among: the paths of the pool to choose from (a scenario's condition), all if None.
    """
    paths = assign_paths(draws.size, len(pool.leverage), situation.seed + 2, among=among)
    return climb(draws, pool, paths, history.level_now, history.fresh_now, situation.origin, situation.administrations, **link)


def forecast_quantities(found: Climb) -> dict[str, Floats]:
    """Per-draw probabilities [S] of all ladder questions, by question id."""
    out: dict[str, Floats] = {}
    for h in HORIZONS:
        for k in range(1, TOP + 1):
            out[f"reach-{k}-{h}m"] = found.reached(k, h)
            out[f"hold-{k}-{h}m"] = found.at_least(k, h)
        for k in (0, 1):
            out[f"fall-{k}-{h}m"] = found.fell(k, h)
    return out
