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

from forecast.arrays.psis import Smoothed, smooth
from forecast.domain import Question
from forecast.forecasting.answers import companions, efficiency
from forecast.forecasting.carry import carry_forward
from forecast.forecasting.climb import PATHS_A_DRAW, Climb, ladder_question
from forecast.forecasting.companions import Companion
from forecast.forecasting.draws import ParameterDraws, skip_posterior
from forecast.forecasting.edited.kinds import Edit
from forecast.forecasting.edited.ratios import beyond, log_ratio
from forecast.forecasting.edited.reweigh import BEYOND_MAX, ByReading
from forecast.forecasting.known import Exposure, known_by
from forecast.forecasting.paths import Pool
from forecast.forecasting.questions import ask
from forecast.forecasting.replicate import log_likelihood
from forecast.forecasting.revised.spread import Spread
from forecast.forecasting.situation import Situation
from forecast.model.constants import tolerance_priors
from forecast.model.history import History
from forecast.model.transitions import TolerancePriors, slots

type Floats = NDArray[np.float64]

MAIN = "main"


@dataclass(frozen=True, eq=False)
class Basis:
    """Fitted draws by reading, draws of the prior, and the situation they were fitted to. Draws come chain after chain."""

    situation: Situation
    draws: Mapping[str, ParameterDraws]
    prior: ParameterDraws


@dataclass(frozen=True, eq=False)
class Weighted:
    """The draws of one reading in the new situation (skips moved, drift carried on), their weights [S], and how the tail looked.

    fit: the reading they were fitted to.
    """

    draws: ParameterDraws
    smoothed: Smoothed
    fit: str

    @property
    def weights(self) -> Floats:
        return self.smoothed.weights


@dataclass(frozen=True, eq=False)
class Updated:
    """What the draws say of the new situation.

    probability: question id → mixture over readings, of the ladder and of companions; known: the same for what has it; by_reading:
    id → reading → probability; judged: reading → how well it could be answered, by the headline; weighted: reading → draws and weights;
    spread: what chance is in `probability`.
    """

    situation: Situation
    probability: Mapping[str, float]
    known: Mapping[str, float]
    by_reading: Mapping[str, Mapping[str, float]]
    judged: Mapping[str, ByReading]
    weighted: Mapping[str, Weighted]
    spread: Spread

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


def updated(basis: Basis, situation: Situation, pool: Pool | None = None) -> Updated:
    """Answer every question in a situation from draws fitted to another.

    A reading that the basis does not know starts from the draws of main; one that is no more is dropped. With the basis's own situation
    the answers are the run's own but for the rounding of its draws. For two situations to share random numbers they need one seed.
    pool: the paths of the drivers, if they are not to be the situation's own.
    """
    paths = pool or situation.pool()
    weighted = {name: weigh(basis, situation, name) for name in situation.histories}
    climbs = {name: carry_forward(situation, w.draws, paths, situation.histories[name], weights=w.weights) for name, w in weighted.items()}
    questions = ask(situation.data.questions, situation.origin)
    headline = next(q for q in questions if q.id == situation.data.questions.resolution.headline)
    ladder = [q for q in questions if q.level is not None]
    parts = {q.id: {name: float(_of(q, climbs[name]) @ w.weights) for name, w in weighted.items()} for q in ladder}
    size = next(iter(weighted.values())).draws.size
    beside = companions(situation, paths, questions, size)
    for id_, found in beside.items():
        parts[id_] = dict.fromkeys(situation.histories, float(found.probability.mean()))
    return Updated(
        situation=situation,
        probability={q.id: sum(situation.weights[n] * p for n, p in parts[q.id].items()) for q in questions},
        known=_known(situation, ladder, climbs, weighted, size),
        by_reading={q.id: parts[q.id] for q in questions},
        judged={name: _judged(headline, climbs[name], w.smoothed) for name, w in weighted.items()},
        weighted=weighted,
        spread=_spread(situation, ladder, climbs, weighted, beside, len(paths.leverage)),
    )


def weigh(basis: Basis, situation: Situation, reading: str) -> Weighted:
    """The draws of one reading, weighted from the history and priors they were fitted to, to those of the situation."""
    origin = reading if reading in basis.draws else MAIN
    draws = _carried_on(basis.draws[origin], situation)
    was, now = basis.situation.histories[origin], situation.histories[reading]
    old, new = basis.situation.priors, situation.priors
    names = Edit.of(old, new).densities  # skips are conjugate, and edits of other models act through the situation
    found = smooth(log_likelihood(draws, now) - log_likelihood(draws, was) + log_ratio(draws, old, new, names))
    if beyond(old, new, names)[1] > BEYOND_MAX:  # where there are no draws, weights cannot tell
        found = replace(found, k_hat=np.inf)
    return Weighted(_skips_moved(draws, tolerance_priors(old), was, tolerance_priors(new), now), found, origin)


def _skips_moved(draws: ParameterDraws, old: TolerancePriors, was: History, new: TolerancePriors, now: History) -> ParameterDraws:
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


def _carried_on(draws: ParameterDraws, situation: Situation) -> ParameterDraws:
    """The drift with the knots of the situation's slots: beyond its last knot the stationary AR(1) goes on."""
    missing = slots(situation.origin)[1] - draws.drift.shape[1]
    if missing <= 0:
        return draws
    rng = np.random.default_rng(situation.seed + 6)
    rho = 2.0 ** (-12.0 / draws.half_life)
    knots = list(draws.drift.T)
    for _ in range(missing):
        knots.append(rho * knots[-1] + draws.drift_sd * np.sqrt(1.0 - rho**2) * rng.standard_normal(draws.size))
    return replace(draws, drift=np.array(knots).T)


def _of(q: Question, found: Climb) -> Floats:
    return ladder_question(found, q.kind, q.level or 0, q.horizon)


def _known(
    situation: Situation, ladder: list[Question], climbs: Mapping[str, Climb], weighted: Mapping[str, Weighted], size: int
) -> dict[str, float]:
    exposure = Exposure.draw(situation.priors, size, np.random.default_rng(situation.seed + 4))
    public = situation.histories[MAIN].level_now
    return {
        q.id: sum(
            situation.weights[name]
            * float(known_by(found.entered[q.level - 1], q.level, q.horizon, exposure, public) @ weighted[name].weights)
            for name, found in climbs.items()
        )
        for q in ladder
        if q.kind == "reached_by" and q.level is not None
    }


def _spread(
    situation: Situation, ladder: list[Question], climbs: Mapping[str, Climb], weighted: Mapping[str, Weighted],
    beside: Mapping[str, Companion], n_paths: int,
) -> Spread:  # fmt: skip
    """Ladder questions first, then companions, of which no fit knows. A draw taken whole counts by its weight rounded up or down, and
    stands in another's place, with other paths."""
    size = next(iter(weighted.values())).draws.size
    none = np.zeros((len(ladder), size), np.float32)
    draws: dict[str, NDArray[np.float32]] = {}
    slots, comb = np.zeros((len(ladder), PATHS_A_DRAW)), np.zeros(len(ladder))
    moved = any(np.ptp(w.weights) > 0 for w in weighted.values())
    for name, w in weighted.items():
        share, times = situation.weights[name], size * w.weights
        values = np.array([_of(q, climbs[name]) for q in ladder])
        apart = share * (values - (values @ w.weights)[:, None])
        draws[w.fit] = draws.get(w.fit, none) + (apart * times).astype(np.float32)
        slots += share * np.array([climbs[name].slot_means(q.kind, q.level or 0, q.horizon) for q in ladder])
        rest = times % 1.0
        comb += (apart**2) @ (rest * (1.0 - rest)) / size**2
    if moved:  # a draw's own paths are `n_paths / PATHS_A_DRAW` times as noisy as the mean of a slot, which is over a batch of so many
        comb += 2 * n_paths / PATHS_A_DRAW / size * slots.var(1, ddof=1) / PATHS_A_DRAW
    lone = np.array([c.probability - c.probability.mean() for c in beside.values()]).reshape(-1, size)
    paths = np.array([np.zeros(PATHS_A_DRAW) if c.by_slot is None else c.by_slot for c in beside.values()]).reshape(-1, PATHS_A_DRAW)
    blank = np.zeros_like(lone, np.float32)
    return Spread(
        ids=(*(q.id for q in ladder), *beside),
        draws={fit: np.concatenate([x, blank]) for fit, x in draws.items()},
        lone=np.concatenate([none, lone.astype(np.float32)]),
        slots=np.concatenate([slots, paths]).astype(np.float32),
        comb=np.concatenate([comb, np.zeros(len(beside))]),
    )


def _judged(headline: Question, found: Climb, smoothed: Smoothed) -> ByReading:
    """The headline of one reading and its Monte Carlo error: over draws, which remember their chain and weigh unequally, and paths.

    Draws that hang together count as few as they are worth, as in `priors try`.
    """
    values, weights = _of(headline, found), smoothed.weights
    mean = float(values @ weights)
    share = efficiency(values)
    slot = found.slot_means(headline.kind, headline.level or 0, headline.horizon)
    variance = float((weights**2 * (values - mean) ** 2).sum()) / share + float(slot.var(ddof=1)) / len(slot)
    return ByReading(probability=mean, k_hat=smoothed.k_hat, ess=smoothed.effective * min(share, 1.0), mcse=float(np.sqrt(variance)))
