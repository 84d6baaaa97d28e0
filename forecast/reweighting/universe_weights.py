"""Choices of the multiverse answered by the published draws of the main reading, weighted, where the weights are good enough.

With other levels, another scale of pressure or other named priors, the draws may reach the posterior by weights
(`transport.weight_draws`). They do not where an effect is switched off, or priors are much wider: such choices are fitted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from forecast.arrays.psis import weight_problem
from forecast.domain import PUBLISHED_CHOICE
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.fit_readings import ReadingForecast
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.forecasting.multiverse import Universe, UniverseResult
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.question_forecasts import relative_ess
from forecast.reweighting.diagnostics import UNSUPPORTED_MAX
from forecast.reweighting.edit_effects import EditEffects
from forecast.reweighting.importance_ratios import unsupported_mass
from forecast.reweighting.transport import ReadingTarget, WeightedDraws, weight_draws

CHOICE_MCSE: Final = 0.002
"""Largest error over draws of a choice answered by weights: that of a fit with 500 draws a chain."""


def weigh_universe(
    origin_state: OriginState, main: ReadingForecast, pool: DriverPaths, choice: Universe, level: int, horizon: int
) -> UniverseResult | None:
    """P(level >= `level` within `horizon` months) under a choice by the draws of the main reading; None if the choice must be fitted.

    The rule is that of other answers from weighted draws, and the error over draws is at most CHOICE_MCSE. Draws and paths are those of the
    published number, so that chance cancels in the difference of the two.
    """
    if choice.edits is None:
        return None
    weighted = _weighted(origin_state, main, choice)
    if weighted is None or weight_problem(weighted.smoothed.k_hat, weighted.smoothed.ess):
        return None
    history = choice.history(origin_state)
    published = choice.group == PUBLISHED_CHOICE
    ladder = main.ladder if published else forecast_from_history(
        origin_state, weighted.draws, pool, history, link=choice.link, weights=weighted.weights
    )  # fmt: skip
    values, w = ladder.reached(level, horizon), weighted.weights
    probability = float(w @ values)
    over_draws = float(w**2 @ (values - probability) ** 2) / min(relative_ess(values), 1.0)
    if over_draws > CHOICE_MCSE**2:
        return None
    batches = ladder.path_batch_means("reached_by", level, horizon)
    mcse = float(np.sqrt(over_draws + batches.var(ddof=1) / len(batches)))
    return UniverseResult(choice.label, choice.group, choice.note, probability, 0, mcse, weighted=not published)


def _weighted(origin_state: OriginState, main: ReadingForecast, choice: Universe) -> WeightedDraws | None:
    old = ReadingTarget(origin_state.priors, main.history)
    new = ReadingTarget(origin_state.priors.replace(choice.edits or {}), choice.history(origin_state))
    edit = EditEffects.of(old.priors, new.priors)
    if unsupported_mass(old.priors, new.priors, edit.densities)[1] > UNSUPPORTED_MAX:
        return None
    weighted = weight_draws(main.draws, old, new, main.name, edit)
    never = choice.constants.skip_up[:, 0] <= 0  # skips are independent of all else, so to rule one out is exact
    if never.any():
        weighted = replace(weighted, draws=replace(weighted.draws, skip_up=np.where(never, 0.0, weighted.draws.skip_up)))
    return weighted
