"""Fitted draws weighted to another situation: a longer or recoded history, rebuilt drivers, edited priors. No sampler, no PyMC.

    log weight = log L(draw; new history) − log L(draw; old history) + log p(draw; new priors) − log p(draw; old priors)

by reading, Pareto-smoothed; skips keep their ranks and take their new conjugate posterior; the paths of the drivers and the recursion run
anew. Whether that may stand for a fit is judged by `ByReading.accepted`, the rule of edited priors too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.domain import Question
from forecast.forecasting.companion_questions import CompanionRates
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import PATHS_A_DRAW, LadderForecast, forecast_from_history, question_probability
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import ParameterDraws, skip_posterior
from forecast.forecasting.predictive_checks import log_likelihood
from forecast.forecasting.question_forecasts import DisclosureDelay, companion_forecasts, probability_disclosed, relative_ess
from forecast.forecasting.questions import build_questions
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import History, TolerancePriors, slots
from forecast.reweighting.diagnostics import Influence
from forecast.reweighting.edit_effects import EditEffects
from forecast.reweighting.importance_ratios import log_ratio, unsupported_mass
from forecast.reweighting.prior_edits import UNSUPPORTED_MAX, ReweightingDiagnostics
from forecast.typing import Floats

MAIN = "main"


@dataclass(frozen=True, eq=False)
class FittedDraws:
    """Fitted draws by reading, draws of the prior, and the situation they were fitted to. Draws come chain after chain."""

    origin_state: OriginState
    draws: Mapping[str, ParameterDraws]
    prior: ParameterDraws


@dataclass(frozen=True, eq=False)
class WeightedDraws:
    """The draws of one reading in the new situation (skips moved, drift carried on), their weights [S], and how the tail looked.

    fit: the reading they were fitted to.
    """

    draws: ParameterDraws
    smoothed: SmoothedWeights
    fit: str

    @property
    def weights(self) -> Floats:
        return self.smoothed.weights


@dataclass(frozen=True, eq=False)
class ReweightedForecast:
    """What the draws say of the new situation.

    probability: question id → mixture over readings, of the ladder and of companions; known: the same for what has it; by_reading:
    id → reading → probability; judged: reading → how well it could be answered, by the headline; weighted: reading → draws and weights;
    spread: what chance is in `probability`.
    """

    origin_state: OriginState
    probability: Mapping[str, float]
    known: Mapping[str, float]
    by_reading: Mapping[str, Mapping[str, float]]
    judged: Mapping[str, ReweightingDiagnostics]
    weighted: Mapping[str, WeightedDraws]
    spread: Influence

    @property
    def accepted(self) -> bool:
        """k̂ < 0.7, at least 400 effective draws, and a Monte Carlo error of at most a tenth of the headline, in every reading."""
        return all(found.accepted for found in self.judged.values())

    @property
    def k_hat(self) -> float:
        return max(found.k_hat for found in self.judged.values())

    @property
    def ess(self) -> float:
        return min(found.ess for found in self.judged.values())


def reweight_to_inputs(basis: FittedDraws, origin_state: OriginState, pool: DriverPaths | None = None) -> ReweightedForecast:
    """Answer every question in a situation from draws fitted to another.

    A reading that the basis does not know starts from the draws of main; one that is no more is dropped. With the basis's own situation
    the answers are the run's own but for the rounding of its draws. For two situations to share random numbers they need one seed.
    pool: the paths of the drivers, if they are not to be the situation's own.
    """
    paths = pool or origin_state.pool()
    weighted = {name: weight_reading(basis, origin_state, name) for name in origin_state.histories}
    climbs = {
        name: forecast_from_history(origin_state, w.draws, paths, origin_state.histories[name], weights=w.weights)
        for name, w in weighted.items()
    }
    questions = build_questions(origin_state.data.questions, origin_state.origin)
    headline = next(q for q in questions if q.id == origin_state.data.questions.resolution.headline)
    ladder = [q for q in questions if q.level is not None]
    parts = {q.id: {name: float(_of(q, climbs[name]) @ w.weights) for name, w in weighted.items()} for q in ladder}
    size = next(iter(weighted.values())).draws.size
    beside = companion_forecasts(origin_state, paths, questions, size)
    for id_, found in beside.items():
        parts[id_] = dict.fromkeys(origin_state.histories, float(found.probability.mean()))
    return ReweightedForecast(
        origin_state=origin_state,
        probability={q.id: sum(origin_state.weights[n] * p for n, p in parts[q.id].items()) for q in questions},
        known=_known(origin_state, ladder, climbs, weighted, size),
        by_reading={q.id: parts[q.id] for q in questions},
        judged={name: _judged(headline, climbs[name], w.smoothed) for name, w in weighted.items()},
        weighted=weighted,
        spread=_spread(origin_state, ladder, climbs, weighted, beside, len(paths.leverage)),
    )


def weight_reading(basis: FittedDraws, origin_state: OriginState, reading: str) -> WeightedDraws:
    """The draws of one reading, weighted from the history and priors they were fitted to, to those of the situation."""
    origin = reading if reading in basis.draws else MAIN
    draws = _extend_drift(basis.draws[origin], origin_state)
    was, now = basis.origin_state.histories[origin], origin_state.histories[reading]
    old, new = basis.origin_state.priors, origin_state.priors
    names = EditEffects.of(old, new).densities  # skips are conjugate, and edits of other models act through the situation
    found = pareto_smooth(log_likelihood(draws, now) - log_likelihood(draws, was) + log_ratio(draws, old, new, names))
    if unsupported_mass(old, new, names)[1] > UNSUPPORTED_MAX:  # where there are no draws, weights cannot tell
        found = replace(found, k_hat=np.inf)
    return WeightedDraws(_transport_skips(draws, tolerance_priors(old), was, tolerance_priors(new), now), found, origin)


def _transport_skips(draws: ParameterDraws, old: TolerancePriors, was: History, new: TolerancePriors, now: History) -> ParameterDraws:
    """Skips at the same quantiles of their new Beta posterior as they were of the old one; untouched where that is the same."""
    before, after = skip_posterior(old, was), skip_posterior(new, now)
    moved = {}
    for i, field in enumerate(("skip_up", "skip_down")):
        values: Floats = getattr(draws, field).copy()
        for k in range(values.shape[1]):
            (a, b), (c, d) = map(float, before[i][k]), map(float, after[i][k])
            if (a, b) != (c, d):
                values[:, k] = betaincinv(c, d, betainc(a, b, values[:, k]))
        moved[field] = values
    return replace(draws, **moved)


def _extend_drift(draws: ParameterDraws, origin_state: OriginState) -> ParameterDraws:
    """The drift with the knots of the situation's slots: beyond its last knot the stationary AR(1) goes on."""
    missing = slots(origin_state.origin)[1] - draws.drift.shape[1]
    if missing <= 0:
        return draws
    rng = np.random.default_rng(origin_state.seed + 6)
    rho = 2.0 ** (-12.0 / draws.half_life)
    knots = list(draws.drift.T)
    for _ in range(missing):
        knots.append(rho * knots[-1] + draws.drift_sd * np.sqrt(1.0 - rho**2) * rng.standard_normal(draws.size))
    return replace(draws, drift=np.array(knots).T)


def _of(q: Question, found: LadderForecast) -> Floats:
    return question_probability(found, q.kind, q.level or 0, q.horizon)


def _known(
    origin_state: OriginState,
    ladder: list[Question],
    climbs: Mapping[str, LadderForecast],
    weighted: Mapping[str, WeightedDraws],
    size: int,
) -> dict[str, float]:
    exposure = DisclosureDelay.draw(origin_state.priors, size, np.random.default_rng(origin_state.seed + 4))
    public = origin_state.histories[MAIN].level_now
    return {
        q.id: sum(
            origin_state.weights[name]
            * float(probability_disclosed(found.entered[q.level - 1], q.level, q.horizon, exposure, public) @ weighted[name].weights)
            for name, found in climbs.items()
        )
        for q in ladder
        if q.kind == "reached_by" and q.level is not None
    }


def _spread(
    origin_state: OriginState, ladder: list[Question], climbs: Mapping[str, LadderForecast], weighted: Mapping[str, WeightedDraws],
    beside: Mapping[str, CompanionRates], n_paths: int,
) -> Influence:  # fmt: skip
    """Ladder questions first, then companions, of which no fit knows. A draw taken whole counts by its weight rounded up or down, and
    stands in another's place, with other paths."""
    size = next(iter(weighted.values())).draws.size
    none = np.zeros((len(ladder), size), np.float32)
    draws: dict[str, NDArray[np.float32]] = {}
    slots, comb = np.zeros((len(ladder), PATHS_A_DRAW)), np.zeros(len(ladder))
    moved = any(np.ptp(w.weights) > 0 for w in weighted.values())
    for name, w in weighted.items():
        share, times = origin_state.weights[name], size * w.weights
        values = np.array([_of(q, climbs[name]) for q in ladder])
        apart = share * (values - (values @ w.weights)[:, None])
        draws[w.fit] = draws.get(w.fit, none) + (apart * times).astype(np.float32)
        slots += share * np.array([climbs[name].path_batch_means(q.kind, q.level or 0, q.horizon) for q in ladder])
        rest = times % 1.0
        comb += (apart**2) @ (rest * (1.0 - rest)) / size**2
    if moved:  # a draw's own paths are `n_paths / PATHS_A_DRAW` times as noisy as the mean of a slot, which is over a batch of so many
        comb += 2 * n_paths / PATHS_A_DRAW / size * slots.var(1, ddof=1) / PATHS_A_DRAW
    lone = np.array([c.probability - c.probability.mean() for c in beside.values()]).reshape(-1, size)
    paths = np.array([np.zeros(PATHS_A_DRAW) if c.by_path_batch is None else c.by_path_batch for c in beside.values()]).reshape(
        -1, PATHS_A_DRAW
    )
    blank = np.zeros_like(lone, np.float32)
    return Influence(
        ids=(*(q.id for q in ladder), *beside),
        draws={fit: np.concatenate([x, blank]) for fit, x in draws.items()},
        unfitted=np.concatenate([none, lone.astype(np.float32)]),
        paths=np.concatenate([slots, paths]).astype(np.float32),
        resampling_variance=np.concatenate([comb, np.zeros(len(beside))]),
    )


def _judged(headline: Question, found: LadderForecast, smoothed: SmoothedWeights) -> ReweightingDiagnostics:
    """The headline of one reading and its Monte Carlo error: over draws, which remember their chain and weigh unequally, and paths.

    Draws that hang together count as few as they are worth, as in `priors try`.
    """
    values, weights = _of(headline, found), smoothed.weights
    mean = float(values @ weights)
    share = relative_ess(values)
    slot = found.path_batch_means(headline.kind, headline.level or 0, headline.horizon)
    variance = float((weights**2 * (values - mean) ** 2).sum()) / share + float(slot.var(ddof=1)) / len(slot)
    return ReweightingDiagnostics(
        probability=mean, k_hat=smoothed.k_hat, ess=smoothed.effective * min(share, 1.0), mcse=float(np.sqrt(variance))
    )
