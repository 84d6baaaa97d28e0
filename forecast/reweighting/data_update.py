"""Fitted draws weighted to other inputs: a longer or recoded history, rebuilt drivers, edited priors. No sampler, no PyMC.

The draws of each reading are weighted from the history and priors they were fitted to, to the new ones (`transport.weight_draws`); the
paths of the drivers and the recursion run anew. `ReweightedForecast.accepted` is the rule by which the answer may stand for a fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from forecast.arrays.decay import extended, yearly_persistence
from forecast.forecasting.companion_questions import CompanionRates
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import PATHS_A_DRAW, THREADS, LadderForecast, forecast_from_history, forecast_from_prior
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import ParameterDraws, skip_posterior
from forecast.forecasting.question_forecasts import companion_forecasts, relative_ess
from forecast.forecasting.questions import build_questions
from forecast.model.tolerance_data import TolerancePriors, slots
from forecast.reweighting.diagnostics import UNSUPPORTED_MAX, AnsweredByReading, Influence, Stored
from forecast.reweighting.driver_update import systematic_resample
from forecast.reweighting.edit_effects import EditEffects
from forecast.reweighting.estimate import Delays, LadderQuestions, ReadingEstimate, estimate_by_weights, mix_readings
from forecast.reweighting.importance_ratios import unsupported_mass
from forecast.reweighting.transport import ReadingTarget, WeightedDraws, weight_draws
from forecast.typing import Ints

if TYPE_CHECKING:
    import xarray as xr

    from forecast.forecasting.fit_readings import ReadingForecast
    from forecast.inference.gate import Diagnostics

MAIN: Final = "main"


@dataclass(frozen=True, eq=False)
class FittedDraws:
    """Draws of a fit, in the order of their chains.

    origin_state  what they were fitted to
    draws         reading → draws [S] of its posterior
    prior         draws of the prior
    """

    origin_state: OriginState
    draws: Mapping[str, ParameterDraws]
    prior: ParameterDraws


@dataclass(frozen=True, eq=False, kw_only=True)
class ReweightedForecast(AnsweredByReading):
    """The forecast for other inputs, from weighted draws.

    origin_state  the inputs it is for
    probability   question id → mixture of the readings, ladder and companions
    known         question id → the same of what is publicly known, where that is another question
    by_reading    question id → reading → probability
    weighted      reading → draws and weights
    ladders       reading → the ladder's future by these draws
    influence     of each draw and path on `probability`
    """

    origin_state: OriginState
    probability: Mapping[str, float]
    known: Mapping[str, float]
    by_reading: Mapping[str, Mapping[str, float]]
    weighted: Mapping[str, WeightedDraws]
    ladders: Mapping[str, LadderForecast]
    influence: Influence

    @property
    def accepted(self) -> bool:
        """k̂ < 0.7, at least 400 effective draws, and a Monte Carlo error of at most a tenth of the headline, in every reading."""
        return self.readings_accepted


def reweight_to_inputs(basis: FittedDraws, origin_state: OriginState, pool: DriverPaths | None = None) -> ReweightedForecast:
    """Every question for one state at the origin, from draws fitted to another.

    A reading that was not fitted starts from the draws of main; one that is no more is dropped. For the fit's own state the answers are
    the run's own but for the rounding of its draws. Two states share random numbers only if they have the same seed.
    pool: the paths of the drivers, if they are not to be the state's own.
    """
    pool = pool or origin_state.pool()
    weighted = {name: weight_reading(basis, origin_state, name) for name in origin_state.histories}
    size = next(iter(weighted.values())).draws.size
    questions = build_questions(origin_state.data.questions, origin_state.origin)
    ladder = LadderQuestions.of(
        [q.id for q in questions if q.level is not None], origin_state.histories[MAIN].level_now, origin_state.origin,
        origin_state.administrations, origin_state.seed, size, len(pool.leverage),
    )  # fmt: skip
    with ThreadPoolExecutor(THREADS) as threads:  # the compiled recursion lets go of the interpreter
        futures = threads.map(
            lambda name: ladder.forecast(weighted[name].draws, pool, origin_state.histories[name].levels, weights=weighted[name].weights),
            weighted,
        )
        ladders = dict(zip(weighted, futures, strict=True))
    delays = ladder.delays(origin_state.priors)
    estimates = {name: _estimate(ladder, ladders[name], w, delays) for name, w in weighted.items()}
    mixture = mix_readings(ladder, estimates, origin_state.weights)
    companions = companion_forecasts(origin_state, pool, questions, size)
    alone = {id_: float(rates.probability.mean()) for id_, rates in companions.items()}
    probability = dict(zip(ladder.ids, mixture.probability.tolist(), strict=True)) | alone
    by_reading = {**mixture.by_reading} | {id_: dict.fromkeys(weighted, p) for id_, p in alone.items()}
    row = ladder.ids.index(origin_state.data.questions.resolution.headline)
    return ReweightedForecast(
        diagnostics={name: one.diagnose(row) for name, one in estimates.items()},
        origin_state=origin_state,
        probability={q.id: probability[q.id] for q in questions},
        known=mixture.known,
        by_reading={q.id: by_reading[q.id] for q in questions},
        weighted=weighted,
        ladders=ladders,
        influence=_influence(origin_state, ladder, estimates, weighted, companions, len(pool.leverage)),
    )


def weight_reading(basis: FittedDraws, origin_state: OriginState, reading: str) -> WeightedDraws:
    """The draws of one reading, weighted from the history and priors they were fitted to, to those of the new state."""
    fit = reading if reading in basis.draws else MAIN
    old = ReadingTarget(basis.origin_state.priors, basis.origin_state.histories[fit])
    new = ReadingTarget(origin_state.priors, origin_state.histories[reading])
    edit = EditEffects.of(old.priors, new.priors)  # edits of other models act through the origin state
    weighted = weight_draws(_extend_drift(basis.draws[fit], origin_state), old, new, fit, edit)
    if unsupported_mass(old.priors, new.priors, edit.densities)[1] > UNSUPPORTED_MAX:  # where there are no draws, weights cannot tell
        weighted = replace(weighted, smoothed=replace(weighted.smoothed, k_hat=np.inf))
    return weighted


def _extend_drift(draws: ParameterDraws, origin_state: OriginState) -> ParameterDraws:
    """The drift with the knots of the new origin's slots: beyond its last knot the stationary AR(1) goes on."""
    n_knots, rng = slots(origin_state.origin)[1], np.random.default_rng(origin_state.seed + 6)
    return replace(draws, drift=extended(draws.drift, draws.drift_sd, yearly_persistence(draws.half_life), n_knots, rng))


def _estimate(questions: LadderQuestions, forecast: LadderForecast, w: WeightedDraws, delays: Delays) -> ReadingEstimate:
    values = questions.probabilities(forecast)
    disclosed = questions.disclosed(dict(enumerate(forecast.entered, start=1)), delays)
    worth = np.array([relative_ess(row) for row in values])
    return estimate_by_weights(values, questions.path_batch_means(forecast), worth, disclosed, w.smoothed)


def _influence(
    origin_state: OriginState,
    questions: LadderQuestions,
    estimates: Mapping[str, ReadingEstimate],
    weighted: Mapping[str, WeightedDraws],
    companions: Mapping[str, CompanionRates],
    n_paths: int,
) -> Influence:
    """Ladder questions first, then companions, which depend on no fit.

    A draw taken whole counts by its weight rounded up or down, and stands in another's place, with other paths.
    """
    size = len(questions.paths)
    zero = np.zeros((len(questions.ids), size), np.float32)
    draws: dict[str, Stored] = {}
    slots, variance = np.zeros((len(questions.ids), PATHS_A_DRAW)), np.zeros(len(questions.ids))
    for name, one in estimates.items():
        share, times = origin_state.weights[name], size * one.shares
        deviations = share * (one.draws - one.means[:, None])
        fit = weighted[name].fit
        draws[fit] = draws.get(fit, zero) + (deviations * times).astype(np.float32)
        slots += share * one.slots
        rest = times % 1.0
        variance += (deviations**2) @ (rest * (1.0 - rest)) / size**2
    if any(np.ptp(one.shares) > 0 for one in estimates.values()):
        # a draw's own paths are `n_paths / PATHS_A_DRAW` times as noisy as the mean of a slot, which is over a batch of so many
        variance += 2 * n_paths / PATHS_A_DRAW / size * slots.var(1, ddof=1) / PATHS_A_DRAW
    unfitted = np.array([c.probability - c.probability.mean() for c in companions.values()]).reshape(-1, size)
    paths = np.array([np.zeros(PATHS_A_DRAW) if c.by_path_batch is None else c.by_path_batch for c in companions.values()]).reshape(
        -1, PATHS_A_DRAW
    )
    blank = np.zeros_like(unfitted, np.float32)
    return Influence(
        ids=(*questions.ids, *companions),
        draws={fit: np.concatenate([x, blank]) for fit, x in draws.items()},
        unfitted=np.concatenate([zero, unfitted.astype(np.float32)]),
        slots=np.concatenate([slots, paths]).astype(np.float32),
        resampling_variance=np.concatenate([variance, np.zeros(len(companions))]),
    )


def resample_reading(
    found: ReweightedForecast, constants: TolerancePriors, pool: DriverPaths, name: str, tree: xr.DataTree, diagnostics: Diagnostics
) -> ReadingForecast:
    """One reading from weighted draws made equal ones: each is taken as often as it weighs, in their order, and simulated forward.

    constants: of the priors; tree, diagnostics: of the fit that the draws come from; of the tree the draws that were taken are kept.
    """
    from forecast.forecasting.fit_readings import ReadingForecast  # it needs PyMC, which weights do not

    origin_state, weighted = found.origin_state, found.weighted[name]
    history = origin_state.histories[name]
    rows = systematic_resample(weighted.weights, weighted.draws.size)
    as_they_are = np.array_equal(rows, np.arange(len(rows))) and np.ptp(weighted.weights) == 0
    draws = weighted.draws.take(rows)
    prior, prior_ladder = forecast_from_prior(origin_state, constants, pool, history, draws.size)
    return ReadingForecast(
        name=name,
        history=history,
        posterior=_resample_tree(tree, rows),
        draws=draws,
        ladder=found.ladders[name] if as_they_are else forecast_from_history(origin_state, draws, pool, history),
        prior_draws=prior,
        prior_ladder=prior_ladder,
        diagnostics=diagnostics,
        skip_counts=skip_posterior(constants, history)[2],
        constants=constants,
    )


def _resample_tree(tree: xr.DataTree, rows: Ints) -> xr.DataTree:
    """The posterior and its statistics at those of the simulated draws that `rows` takes, in chains of equal length."""
    import xarray as xr

    groups = {}
    for group in ("posterior", "sample_stats"):
        data = tree[group].to_dataset().transpose("chain", "draw", ...)
        chains, draws = data.sizes["chain"], data.sizes["draw"]
        each = len(rows) // chains
        simulated = np.linspace(0, draws - 1, each).round().astype(int)
        chain, draw = (at.reshape(chains, each) for at in (rows // each, simulated[rows % each]))
        own = {"chain": np.arange(chains), "draw": np.arange(each)}
        other = {name: c for name, c in data.coords.items() if "chain" not in c.dims and "draw" not in c.dims}
        variables = {name: (values.dims, values.values[chain, draw]) for name, values in data.data_vars.items()}
        groups[group] = xr.Dataset(variables, coords={**other, **own})
    return xr.DataTree.from_dict(groups)
