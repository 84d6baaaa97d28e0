"""A whole forecast made without a sampler: the draws of each reading come from the prior. For tests of what is done with a forecast."""

from __future__ import annotations

import functools

import numpy as np
import xarray as xr

from forecast.forecasting.fit_readings import ReadingForecast
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.forecasting.multiverse import UniverseResult, disputed_act
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import POSTERIOR_NAMES, ParameterDraws, from_prior, skip_posterior
from forecast.forecasting.question_forecasts import forecast_questions
from forecast.forecasting.questions import build_questions
from forecast.inference.gate import Diagnostics
from forecast.model.hyperparameters import tolerance_priors
from tests.support.bundled_state import bundled_origin_state

PASSED = Diagnostics((), True, 4, 500, 0, 1.002, 1500.0, 1400.0, 0.9, ())
CHAINS = 4


def as_tree(draws: ParameterDraws) -> xr.DataTree:
    """The draws as a sampler would have returned them: chain after chain."""
    dims = {"logit_rise": "from_rise", "log_stay": "from_fall", "alpha": "administration", "drift": "knot"}
    variables = {}
    for field, name in POSTERIOR_NAMES.items():
        values = getattr(draws, field)
        shaped = values.reshape(CHAINS, -1, *values.shape[1:])
        variables[name] = (("chain", "draw", *([dims[field]] if field in dims else [])), shaped)
    stats = {"diverging": (("chain", "draw"), np.zeros((CHAINS, draws.size // CHAINS), bool))}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(variables), "sample_stats": xr.Dataset(stats)})


SIZE = 800
"""Draws of each reading."""


@functools.cache
def prior_forecast() -> Forecast:
    """Of the bundled data with seed 7. Nobody may change it."""
    return drawn_forecast(bundled_origin_state(), 3)


def drawn_forecast(origin_state: OriginState, seed: int, size: int = SIZE) -> Forecast:
    """Of a situation, from draws of its prior by a seed of their own."""
    constants = tolerance_priors(origin_state.priors)
    pool = origin_state.pool()
    draws = from_prior(constants, origin_state.origin, size, np.random.default_rng(seed))
    readings = {}
    for name, history in origin_state.histories.items():
        found = forecast_from_history(origin_state, draws, pool, history)
        counts = skip_posterior(constants, history)[2]
        readings[name] = ReadingForecast(name, history, as_tree(draws), draws, found, draws, found, PASSED, counts, constants)
    answers = forecast_questions(origin_state, readings, pool, build_questions(origin_state.data.questions, origin_state.origin))
    disputed = disputed_act(origin_state)
    assert disputed is not None
    multiverse = [
        UniverseResult("as published (main reading)", "as published", "", 0.05, 0),
        UniverseResult(f"without {disputed.label}", "disputed act", "", 0.03, 0),
        UniverseResult("pressure linear", "scale of pressure", "", 0.07, 0),
    ]
    return Forecast(origin_state, pool, readings, answers, multiverse, disputed, [], (), PASSED, None)
