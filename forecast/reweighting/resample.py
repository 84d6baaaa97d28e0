"""Weighted draws made plain ones, so that all that is done with a fit can be done with them: the posterior too, as it is stored."""

from __future__ import annotations

import numpy as np
import xarray as xr

from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.fit_readings import ReadingForecast
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import from_prior, skip_posterior
from forecast.inference.gate import Diagnostics
from forecast.model.hyperparameters import tolerance_priors
from forecast.reweighting.data_update import WeightedDraws
from forecast.reweighting.driver_update import systematic_resample
from forecast.typing import Ints


def resample_reading(
    origin_state: OriginState, pool: DriverPaths, name: str, weighted: WeightedDraws, tree: xr.DataTree, diagnostics: Diagnostics
) -> ReadingForecast:
    """One reading from weighted draws: each is taken as often as it weighs, in their order, and carried forward in the new situation.

    tree, diagnostics: of the fit that the draws come from; of the tree what was carried forward and taken is left.
    """
    history, constants = origin_state.histories[name], tolerance_priors(origin_state.priors)
    chosen = systematic_resample(weighted.weights, weighted.draws.size)
    draws = weighted.draws.take(chosen)
    prior = from_prior(constants, origin_state.origin, draws.size, np.random.default_rng(origin_state.seed + 3))
    return ReadingForecast(
        name=name,
        history=history,
        posterior=_taken(tree, chosen),
        draws=draws,
        ladder=forecast_from_history(origin_state, draws, pool, history),
        prior_draws=prior,
        prior_ladder=forecast_from_history(origin_state, prior, pool, history),
        diagnostics=diagnostics,
        skip_counts=skip_posterior(constants, history)[2],
        constants=constants,
    )


def _taken(tree: xr.DataTree, chosen: Ints) -> xr.DataTree:
    """The posterior and its statistics at the draws that were carried forward and chosen, in chains of equal length."""
    groups = {}
    for group in ("posterior", "sample_stats"):
        data = tree[group].to_dataset()
        chains, draws = data.sizes["chain"], data.sizes["draw"]
        each = len(chosen) // chains
        kept = np.linspace(0, draws - 1, each).round().astype(int)
        chain, draw = chosen // each, kept[chosen % each]
        groups[group] = _picked(data, chain.reshape(chains, each), draw.reshape(chains, each))
    return xr.DataTree.from_dict(groups)


def _picked(data: xr.Dataset, chain: Ints, draw: Ints) -> xr.Dataset:
    own = {"chain": np.arange(chain.shape[0]), "draw": np.arange(chain.shape[1])}
    variables = {}
    for name, array in data.data_vars.items():
        values = array.transpose("chain", "draw", ...)
        variables[name] = (values.dims, values.values[chain, draw])
    others = {name: c for name, c in data.coords.items() if "chain" not in c.dims and "draw" not in c.dims}
    return xr.Dataset(variables, coords={**others, **own})
