"""The forecast of each question: the mixture over readings, its Monte Carlo error and interval, and the prior's forecast.

A question about a level may be resolved before the act becomes public. `DisclosureDelay` models how long that takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.domain import TOP, Question
from forecast.forecasting.companion_questions import CompanionRates, determination_forecasts, direct_action, event_count_forecast
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import assign_paths, question_probability
from forecast.inference.settings import CHAINS
from forecast.model.events import COUNTED
from forecast.priors.load import Priors
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.forecasting.fit_readings import ReadingForecast
    from forecast.forecasting.origin_state import OriginState

DOCUMENTED_WITHIN = 24.0
"""An act that is not public after so many months counts as never disclosed; the coded record holds what became public by then."""
LAG_MONTHS = 2
"""From the end of a window to its resolution date."""


@dataclass(frozen=True)
class DisclosureDelay:
    """How long secret acts take to become public.

    delays  level (3 and 4, which are kept secret) → draws [S] of the median months from act to disclosure
    """

    delays: Mapping[int, Floats]

    @classmethod
    def draw(cls, priors: Priors, size: int, rng: np.random.Generator) -> DisclosureDelay:
        return cls({k: priors.distribution(f"exposure.delay.{k}").sample(rng, size) for k in (3, 4)})

    def exposed(self, level: int, months: float) -> Floats | float:
        """F_i(x): probability that a level is public `months` after its first month, given that it becomes public within 24 months."""
        if level not in self.delays:
            return 1.0
        x = min(max(months, 0.0), DOCUMENTED_WITHIN)
        mu = self.delays[level]
        return np.asarray(-np.expm1(-x / mu * np.log(2.0)) / -np.expm1(-DOCUMENTED_WITHIN / mu * np.log(2.0)))

    @cached_property
    def by_month(self) -> Mapping[int, tuple[Floats | float, ...]]:
        """`exposed` after 0..24 whole months, by secret level."""
        return {level: tuple(self.exposed(level, x) for x in range(int(DOCUMENTED_WITHIN) + 1)) for level in self.delays}

    def after(self, level: int, months: int) -> Floats | float:
        """`exposed` after whole months, from a table."""
        return self.by_month[level][min(max(months, 0), int(DOCUMENTED_WITHIN))] if level in self.delays else 1.0


def probability_disclosed(entered: Floats, k: int, horizon: int, exposure: DisclosureDelay, public_now: int) -> Floats:
    """P(publicly known by the resolution date that level >= k was reached within `horizon` months), by draw [S].

    entered     [H, 6, S] P(first month at level k or above is T + t, at level i); row 0 is t = 1
    public_now  the level that is public at the origin: nothing at or below it needs to be disclosed

    A lower bound: a second entry after one that stayed secret is not counted.
    """
    total = np.zeros(entered.shape[-1])
    for t in range(1, horizon + 1):
        for i in range(k, TOP + 1):
            public = 1.0 if min(i, k) <= public_now else exposure.after(i, horizon + LAG_MONTHS - t)
            total += entered[t - 1, i] * public
    return total


@dataclass(frozen=True, eq=False)
class QuestionForecast:
    """The forecast of one question.

    question     what is asked
    probability  that the answer is yes; of a count, that it is at least one
    known        probability that it is yes and public by the resolution date; None where that makes no difference
    expected     expected number, of a count; else None
    mcse         Monte Carlo standard error of `probability`
    interval     80 % interval of the probability over pooled, weighted draws
    prior        the same probability from the priors alone
    by_reading   reading → probability; `probability` is their weighted sum
    draws        [R, S] probabilities by reading and draw
    prior_draws  [S] of a companion question: probabilities from its prior; None for a question about a level
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
    origin_state: OriginState, forecasts: Mapping[str, ReadingForecast], pool: DriverPaths, questions: tuple[Question, ...]
) -> dict[str, QuestionForecast]:
    """Forecasts by question id, in the order of the questions."""
    size = next(iter(forecasts.values())).draws.size
    rng = np.random.default_rng(origin_state.seed + 4)
    exposure = DisclosureDelay.draw(origin_state.priors, size, rng)
    companions = companion_forecasts(origin_state, pool, questions, size)
    out = {}
    for q in questions:
        if q.level is not None:
            out[q.id] = _level_forecast(origin_state, forecasts, q, exposure)
        else:
            out[q.id] = _companion_forecast(origin_state, q, companions[q.id])
    return out


def _level_forecast(
    origin_state: OriginState, forecasts: Mapping[str, ReadingForecast], q: Question, exposure: DisclosureDelay
) -> QuestionForecast:
    assert q.level is not None
    level, weights = q.level, origin_state.weights
    draws = np.array([question_probability(f.ladder, q.kind, level, q.horizon) for f in forecasts.values()])
    prior = {name: question_probability(f.prior_ladder, q.kind, level, q.horizon).mean() for name, f in forecasts.items()}
    w = np.array([weights[name] for name in forecasts])
    batches = sum(weights[n] * f.ladder.path_batch_means(q.kind, level, q.horizon) for n, f in forecasts.items())
    known = None
    if q.kind == "reached_by":
        public = origin_state.histories["main"].level_now
        known = sum(
            weights[n] * float(probability_disclosed(f.ladder.entered[level - 1], level, q.horizon, exposure, public).mean())
            for n, f in forecasts.items()
        )
    means = draws.mean(1)
    return QuestionForecast(
        question=q,
        probability=float(w @ means),
        known=known,
        expected=None,
        mcse=monte_carlo_error(draws, w, np.asarray(batches)),
        interval=WeightedSample.mixture(draws, w).interval(),
        prior=float(sum(weights[n] * p for n, p in prior.items())),
        by_reading=dict(zip(forecasts, map(float, means), strict=True)),
        draws=draws,
    )


def _companion_forecast(origin_state: OriginState, q: Question, rates: CompanionRates) -> QuestionForecast:
    """A companion question has the same forecast under every reading."""
    p = float(rates.probability.mean())
    draws, one = rates.probability[None, :], np.ones(1)
    return QuestionForecast(
        question=q,
        probability=p,
        known=None,
        expected=None if rates.expected is None else float(rates.expected.mean()),
        mcse=monte_carlo_error(draws, one, rates.by_path_batch, chained=False),
        interval=WeightedSample.mixture(draws, one).interval(),
        prior=float(rates.prior.mean()),
        by_reading=dict.fromkeys(origin_state.histories, p),
        draws=draws,
        prior_draws=rates.prior,
    )


def companion_forecasts(
    origin_state: OriginState, pool: DriverPaths, questions: tuple[Question, ...], size: int
) -> dict[str, CompanionRates]:
    """The companion questions among `questions`, by id, with `size` draws each."""
    out = {}
    paths = assign_paths(size, len(pool.leverage), origin_state.seed + 2)
    acts = [q.horizon for q in questions if q.companion == "direct-action"]
    direct = direct_action(origin_state.priors, pool, paths, acts, np.random.default_rng(origin_state.seed + 5)) if acts else {}
    for q in questions:
        slug, rng = q.companion, np.random.default_rng(origin_state.seed + 5)
        if slug is None:
            continue
        if slug in COUNTED:
            out[q.id] = event_count_forecast(origin_state.priors, origin_state.rates, slug, q.horizon, size, rng)
        elif slug == "direct-action":
            out[q.id] = direct[q.horizon]
        else:
            out[q.id] = determination_forecasts(
                origin_state.priors, origin_state.rates, origin_state.data.calendar, origin_state.origin, q.horizon, size, rng
            )[slug]  # fmt: skip
    return out


def monte_carlo_error(draws: Floats, weights: Floats, path_batches: Floats | None, chained: bool = True) -> float:
    """Standard error of a probability.

    draws         [R, S] by reading and draw
    weights       [R] of the readings
    path_batches  [P] the same mean by independent batch of driver paths; None if it depends on no paths
    chained       the draws come chain after chain, so their effective number is estimated; else they are independent
    """
    variance = 0.0
    for weight, row in zip(weights, draws, strict=True):
        variance += weight**2 * float(row.var(ddof=1)) / (len(row) * (relative_ess(row) if chained else 1.0))
    if path_batches is not None:
        variance += float(path_batches.var(ddof=1)) / len(path_batches)
    return float(np.sqrt(variance))


def relative_ess(draws: Floats) -> float:
    """Effective sample size of the mean, as a share of the draws [S], which come chain after chain; 1 if all are equal."""
    from arviz_stats.base import array_stats

    if np.ptp(draws) == 0:
        return 1.0
    return float(array_stats.ess(draws.reshape(CHAINS, -1), chain_axis=0, draw_axis=1, method="mean")) / len(draws)
