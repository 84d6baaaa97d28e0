"""From readings to answers: the mixture, its Monte Carlo error and interval, and what the prior alone says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from arviz_stats.base import array_stats

from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.domain import Question
from forecast.forecasting.companion_questions import CompanionRates, counts, determination_forecasts, direct_action
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import assign_paths, question_probability
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.public_disclosure import DisclosureDelay, probability_disclosed
from forecast.forecasting.questions import slug_of
from forecast.model.events import COUNTED
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.forecasting.fit_readings import ReadingForecast


CHAINS = 4


@dataclass(frozen=True, eq=False)
class QuestionForecast:
    """What the forecast says to one question.

    probability is the weighted sum of by_reading; known is None where exposure plays no part; expected is the mean of a count;
    draws [R, S] per-draw probabilities by reading; prior_draws [S] those of a companion from its prior, None for the ladder.
    """

    question: Question
    probability: float
    known: float | None
    expected: float | None
    mcse: float
    interval: tuple[float, float]
    prior: float
    by_reading: Mapping[str, float]
    draws: Floats
    prior_draws: Floats | None = None


def forecast_questions(
    situation: OriginState, forecasts: Mapping[str, ReadingForecast], pool: DriverPaths, questions: tuple[Question, ...]
) -> dict[str, QuestionForecast]:
    """Answers by question id, in the order of the questions."""
    size = next(iter(forecasts.values())).draws.size
    rng = np.random.default_rng(situation.seed + 4)
    exposure = DisclosureDelay.draw(situation.priors, size, rng)
    found = companion_forecasts(situation, pool, questions, size)
    out = {}
    for q in questions:
        if q.level is not None:
            out[q.id] = _ladder_answer(situation, forecasts, q, exposure)
        else:
            out[q.id] = _companion_answer(situation, q, found[q.id])
    return out


def _ladder_answer(
    situation: OriginState, forecasts: Mapping[str, ReadingForecast], q: Question, exposure: DisclosureDelay
) -> QuestionForecast:
    assert q.level is not None
    level, weights = q.level, situation.weights
    draws = np.array([question_probability(f.climb, q.kind, level, q.horizon) for f in forecasts.values()])
    prior = {name: question_probability(f.prior_climb, q.kind, level, q.horizon).mean() for name, f in forecasts.items()}
    w = np.array([weights[name] for name in forecasts])
    slots = sum(weights[n] * f.climb.slot_means(q.kind, level, q.horizon) for n, f in forecasts.items())
    known = None
    if q.kind == "reached_by":
        public = situation.histories["main"].level_now
        known = sum(
            weights[n] * float(probability_disclosed(f.climb.entered[level - 1], level, q.horizon, exposure, public).mean())
            for n, f in forecasts.items()
        )
    means = draws.mean(1)
    return QuestionForecast(
        question=q,
        probability=float(w @ means),
        known=known,
        expected=None,
        mcse=monte_carlo_error(draws, w, np.asarray(slots)),
        interval=WeightedSample.mixture(draws, w).interval(),
        prior=float(sum(weights[n] * p for n, p in prior.items())),
        by_reading=dict(zip(forecasts, map(float, means), strict=True)),
        draws=draws,
    )


def _companion_answer(situation: OriginState, q: Question, found: CompanionRates) -> QuestionForecast:
    """A companion says the same under every reading."""
    p = float(found.probability.mean())
    draws, one = found.probability[None, :], np.ones(1)
    return QuestionForecast(
        question=q,
        probability=p,
        known=None,
        expected=None if found.expected is None else float(found.expected.mean()),
        mcse=monte_carlo_error(draws, one, found.by_slot, chained=False),
        interval=WeightedSample.mixture(draws, one).interval(),
        prior=float(found.prior.mean()),
        by_reading=dict.fromkeys(situation.histories, p),
        draws=draws,
        prior_draws=found.prior,
    )


def companion_forecasts(situation: OriginState, pool: DriverPaths, questions: tuple[Question, ...], size: int) -> dict[str, CompanionRates]:
    """The answers to those of the questions that are not about levels, by id, each with `size` draws."""
    out = {}
    paths = assign_paths(size, len(pool.leverage), situation.seed + 2)
    acts = [q.horizon for q in questions if q.level is None and slug_of(q) == "direct-action"]
    direct = direct_action(situation.priors, pool, paths, acts, np.random.default_rng(situation.seed + 5)) if acts else {}
    for q in questions:
        if q.level is not None:
            continue
        slug, rng = slug_of(q), np.random.default_rng(situation.seed + 5)
        if slug in COUNTED:
            out[q.id] = counts(situation.priors, situation.rates, slug, q.horizon, size, rng)
        elif slug == "direct-action":
            out[q.id] = direct[q.horizon]
        else:
            out[q.id] = determination_forecasts(
                situation.priors, situation.rates, situation.data.calendar, situation.origin, q.horizon, size, rng
            )[slug]  # fmt: skip
    return out


def monte_carlo_error(draws: Floats, weights: Floats, slots: Floats | None, chained: bool = True) -> float:
    """Standard error of the weighted mean over draws [R, S], and over the pool of paths by its independent slots [P].

    chained: draws come chain after chain and their effective number is estimated; else they are independent.
    """
    variance = 0.0
    for weight, row in zip(weights, draws, strict=True):
        variance += weight**2 * float(row.var(ddof=1)) / (len(row) * (efficiency(row) if chained else 1.0))
    if slots is not None:
        variance += float(slots.var(ddof=1)) / len(slots)
    return float(np.sqrt(variance))


def efficiency(draws: Floats) -> float:
    """How many independent draws one of these [S], which come chain after chain, is worth to their mean; 1 if all are alike."""
    if np.ptp(draws) == 0:
        return 1.0
    return float(array_stats.ess(draws.reshape(CHAINS, -1), chain_axis=0, draw_axis=1, method="mean")) / len(draws)
