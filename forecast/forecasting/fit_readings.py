"""Each reading of the record: fitted by the one compiled function, checked by the gate, and forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from forecast.arrays.transforms import logit
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import LadderForecast, forecast_from_history, forecast_from_prior, question_probabilities
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import POSTERIOR_NAMES, ParameterDraws, from_posterior, skip_posterior
from forecast.inference.gate import Diagnostics, diagnose, scalar_draws
from forecast.inference.sample import Sampler
from forecast.inference.settings import DRAWS_A_CHAIN, RETRY_ACCEPT, SamplerSettings
from forecast.inference.tolerance_sampler import tolerance_sampler
from forecast.model.tolerance_data import History, TolerancePriors, model_data, slots
from forecast.progress import Report
from forecast.typing import Floats

KEPT = tuple(POSTERIOR_NAMES.values())
_EDGE = 1e-12  # probabilities are clipped to this distance from 0 and 1 before their logits are diagnosed


@dataclass(frozen=True, eq=False)
class ReadingForecast:
    """The fit of one reading of the record, and the forecast of the ladder from its draws.

    name          the reading's name
    history       coded levels and drivers that were fitted
    posterior     groups `posterior` and `sample_stats`, dims chain, draw
    draws         the S draws that the forecast uses
    ladder        probabilities of the ladder from `draws`
    prior_draws   as many draws from the prior
    prior_ladder  probabilities of the ladder from `prior_draws`
    diagnostics   what the gate says of the fit
    skip_counts   of rises and of falls: how often each of levels 1..4 was passed, was stopped at, [4, 2] each
    constants     constants of the priors that were fitted
    """

    name: str
    history: History
    posterior: xr.DataTree
    draws: ParameterDraws
    ladder: LadderForecast
    prior_draws: ParameterDraws
    prior_ladder: LadderForecast
    diagnostics: Diagnostics
    skip_counts: tuple[Floats, Floats]
    constants: TolerancePriors


def compiled_sampler(origin_state: OriginState, constants: TolerancePriors, engine: Literal["nutpie", "pymc"] = "nutpie") -> Sampler:
    """The sampler of model 5; one compilation serves every reading, edit and simulated history of this many slots.

    The process keeps it, so that many fits, also of other origins, compile once.
    """
    key = (*slots(origin_state.origin), engine, tolerance_sampler)  # tests that replace the compiler get their own
    if key not in _COMPILED:
        history = next(iter(origin_state.histories.values()))
        _COMPILED[key] = tolerance_sampler(history, constants, engine)
    return _COMPILED[key]


_COMPILED: dict[tuple[Any, ...], Sampler] = {}


def fit_history(
    sampler: Sampler,
    history: History,
    constants: TolerancePriors,
    seed: int,
    settings: SamplerSettings = SamplerSettings(),
    report: Report | None = None,
) -> xr.DataTree:
    """Posterior of model 5 for one history: groups `posterior` and `sample_stats`, dims chain, draw."""
    return sampler(model_data(history, constants), seed, settings, report)


def posterior_draws(tree: xr.DataTree, history: History, constants: TolerancePriors, seed: int) -> ParameterDraws:
    """The draws that the forecast uses: 500 of each chain, with skips drawn from their conjugate posterior."""
    up, down, _ = skip_posterior(constants, history)
    return from_posterior(tree["posterior"].to_dataset(), up, down, DRAWS_A_CHAIN, np.random.default_rng(seed))


def forecast_reading(
    origin_state: OriginState,
    sampler: Sampler,
    pool: DriverPaths,
    name: str,
    constants: TolerancePriors,
    seed: int,
    settings: SamplerSettings = SamplerSettings(),
    report: Report | None = None,
) -> ReadingForecast:
    """Fit one reading and forecast from it. If the gate refuses the fit, fit once more with smaller steps.

    The diagnostics say whether the gate passed; the caller decides what a second refusal means.
    """
    history = origin_state.histories[name]
    tree = fit_history(sampler, history, constants, seed, settings, report)
    forecast = _forecast_fit(origin_state, pool, name, history, constants, tree, seed, settings)
    if forecast.diagnostics.passed:
        return forecast
    harder = replace(settings, target_accept=RETRY_ACCEPT)
    tree = fit_history(sampler, history, constants, seed + 1_000, harder, report)
    forecast = _forecast_fit(origin_state, pool, name, history, constants, tree, seed + 1_000, harder)
    return replace(forecast, diagnostics=forecast.diagnostics.after_retry())


def _forecast_fit(
    origin_state: OriginState,
    pool: DriverPaths,
    name: str,
    history: History,
    constants: TolerancePriors,
    tree: xr.DataTree,
    seed: int,
    settings: SamplerSettings,
) -> ReadingForecast:
    posterior = tree["posterior"].to_dataset()
    draws = posterior_draws(tree, history, constants, seed)
    ladder = forecast_from_history(origin_state, draws, pool, history)
    prior, prior_ladder = forecast_from_prior(origin_state, constants, pool, history, draws.size)
    quantities = scalar_draws(posterior[list(KEPT)])
    verdict = diagnose(
        quantities, np.asarray(tree["sample_stats"]["diverging"].values), np.asarray(tree["sample_stats"]["energy"].values, float),
        settings.chains, settings.draws, completed=tree.attrs.get("completed", False), constant=constant_parameters(constants),
    )  # fmt: skip
    if verdict.passed:
        verdict = _with_forecasts(verdict, ladder, tree, settings)
    return ReadingForecast(
        name, history, tree, draws, ladder, prior, prior_ladder, verdict,
        skip_posterior(constants, history)[2], constants,
    )  # fmt: skip


def constant_parameters(constants: TolerancePriors) -> frozenset[str]:
    """Parameters that cannot vary because their prior has no width."""
    widths = {
        "leverage_effect": constants.leverage[1], "just_risen_effect": constants.just_risen[1],
        "leverage_effect_on_falls": constants.leverage[1] if constants.symmetric else constants.leverage_on_falls[1],
        "overdose_level_effect": constants.overdose_level[1], "overdose_change_effect": constants.overdose_change[1],
        "opposition_effect": constants.opposition[1], "opposition_mobilisation": constants.mobilisation_sd,
        "administration_sd": constants.administration_sd, "drift_sd": constants.drift_sd,
        "administration_effect": constants.administration_sd, "drift": constants.drift_sd, "drift_half_life": constants.half_life[1],
    }  # fmt: skip
    return frozenset(name for name, width in widths.items() if width == 0)


def _with_forecasts(verdict: Diagnostics, ladder: LadderForecast, tree: xr.DataTree, settings: SamplerSettings) -> Diagnostics:
    """The worse of two diagnostics: of the parameters (`verdict`), and of the logits of the forecast probabilities."""
    shape = (settings.chains, -1)
    logits = {name: logit(np.clip(p, _EDGE, 1 - _EDGE)).reshape(shape) for name, p in question_probabilities(ladder).items()}
    stats = tree["sample_stats"]
    forecasts = diagnose(
        logits, np.asarray(stats["diverging"].values), np.asarray(stats["energy"].values, float),
        settings.chains, min(DRAWS_A_CHAIN, settings.draws),
    )  # fmt: skip
    both: Mapping[str, Diagnostics] = {"parameters": verdict, "forecasts": forecasts}

    def numbers(name: str) -> list[float]:
        return [v for d in both.values() if (v := getattr(d, name)) is not None]

    return replace(
        verdict,
        reasons=verdict.reasons + tuple(r for r in forecasts.reasons if r not in verdict.reasons),
        finite=verdict.finite and forecasts.finite,
        rhat_max=max(numbers("rhat_max"), default=None),
        ess_bulk_min=min(numbers("ess_bulk_min"), default=None),
        ess_tail_min=min(numbers("ess_tail_min"), default=None),
        constant=verdict.constant + forecasts.constant,
    )
