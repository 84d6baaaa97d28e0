"""Every reading of history fitted by the one compiled function, passed through the gate, and carried forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from scipy.special import logit

from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import LadderForecast, forecast_from_history, question_probabilities
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import POSTERIOR_NAMES, ParameterDraws, from_posterior, from_prior, skip_posterior
from forecast.inference.gate import Diagnostics, diagnose, scalar_draws
from forecast.inference.sample import Sampler, compile_sampler
from forecast.inference.settings import DRAWS_A_CHAIN, RETRY_ACCEPT, SamplerSettings
from forecast.model.tolerance import build_model
from forecast.model.tolerance_data import History, TolerancePriors, model_data, slots
from forecast.typing import Floats

type Tell = Callable[[float, str], None]

KEPT = tuple(POSTERIOR_NAMES.values())
_EDGE = 1e-12  # probabilities this near 0 or 1 have no logit worth a diagnosis


@dataclass(frozen=True, eq=False)
class ReadingForecast:
    """One reading: its posterior, the 2,000 draws carried forward, their climb, and the climb of as many draws from the prior."""

    name: str
    history: History
    posterior: xr.DataTree
    draws: ParameterDraws
    climb: LadderForecast
    prior_draws: ParameterDraws
    prior_ladder: LadderForecast
    diagnostics: Diagnostics
    skip_counts: tuple[Floats, Floats]
    constants: TolerancePriors


def compiled_sampler(origin_state: OriginState, constants: TolerancePriors, engine: Literal["nutpie", "pymc"] = "nutpie") -> Sampler:
    """The sampler of model 5; one compilation serves every reading, edit and simulated history of this many slots.

    It is remembered as long as the process lives, so that many fits, also of other origins, compile once.
    """
    key = (*slots(origin_state.origin), engine, compile_sampler)  # a stand-in for the compiler has its own
    if key not in _COMPILED:
        history = next(iter(origin_state.histories.values()))
        _COMPILED[key] = compile_sampler(build_model(history, constants), KEPT, engine)
    return _COMPILED[key]


_COMPILED: dict[tuple[Any, ...], Sampler] = {}


def fit_history(
    sampler: Sampler,
    history: History,
    constants: TolerancePriors,
    seed: int,
    settings: SamplerSettings = SamplerSettings(),
    report: Tell | None = None,
) -> xr.DataTree:
    """Posterior of model 5 for one history."""
    return sampler(model_data(history, constants), seed, settings, report)


def posterior_draws(tree: xr.DataTree, history: History, constants: TolerancePriors, seed: int) -> ParameterDraws:
    """The draws carried forward: 500 of each chain, skips redrawn from their conjugate posterior."""
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
    report: Tell | None = None,
) -> ReadingForecast:
    """Fit one reading, examine it, retry once if the gate says no, and carry it forward. The caller decides what a second no means."""
    history = origin_state.histories[name]
    tree = fit_history(sampler, history, constants, seed, settings, report)
    made = _carried(origin_state, pool, name, history, constants, tree, seed, settings)
    if made.diagnostics.passed:
        return made
    harder = replace(settings, target_accept=RETRY_ACCEPT)
    tree = fit_history(sampler, history, constants, seed + 1_000, harder, report)
    made = _carried(origin_state, pool, name, history, constants, tree, seed + 1_000, harder)
    return replace(made, diagnostics=made.diagnostics.after_retry())


def _carried(
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
    found = forecast_from_history(origin_state, draws, pool, history)
    prior = from_prior(constants, origin_state.origin, draws.size, np.random.default_rng(origin_state.seed + 3))
    quantities = scalar_draws(posterior[list(KEPT)])
    verdict = diagnose(
        quantities, np.asarray(tree["sample_stats"]["diverging"].values), np.asarray(tree["sample_stats"]["energy"].values, float),
        settings.chains, settings.draws, completed=tree.attrs.get("completed", False), constant=constant_parameters(constants),
    )  # fmt: skip
    if verdict.passed:
        verdict = _with_forecasts(verdict, found, tree, settings)
    return ReadingForecast(
        name, history, tree, draws, found, prior, forecast_from_history(origin_state, prior, pool, history), verdict,
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


def _with_forecasts(verdict: Diagnostics, found: LadderForecast, tree: xr.DataTree, settings: SamplerSettings) -> Diagnostics:
    """The gate over the logits of the per-draw probabilities; the worse of it and what was found of the parameters."""
    shape = (settings.chains, -1)
    logits = {name: logit(np.clip(p, _EDGE, 1 - _EDGE)).reshape(shape) for name, p in question_probabilities(found).items()}
    stats = tree["sample_stats"]
    more = diagnose(
        logits, np.asarray(stats["diverging"].values), np.asarray(stats["energy"].values, float),
        settings.chains, min(DRAWS_A_CHAIN, settings.draws),
    )  # fmt: skip
    both: Mapping[str, Diagnostics] = {"parameters": verdict, "forecasts": more}

    def numbers(name: str) -> list[float]:
        return [v for d in both.values() if (v := getattr(d, name)) is not None]

    return replace(
        verdict,
        reasons=verdict.reasons + tuple(r for r in more.reasons if r not in verdict.reasons),
        finite=verdict.finite and more.finite,
        rhat_max=max(numbers("rhat_max"), default=None),
        ess_bulk_min=min(numbers("ess_bulk_min"), default=None),
        ess_tail_min=min(numbers("ess_tail_min"), default=None),
        constant=verdict.constant + more.constant,
    )
