"""What weighted draws say to the questions about levels, with the recursion run again on a part of them where paths or skips are others.

The part is drawn by the weights, and on each of its draws old and new probabilities are paired: the mean of the new ones is corrected by
what the old ones of the part miss of those of all draws (a regression estimator). If nothing moves the answer is the run's, exactly; small
moves have a small Monte Carlo error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.psis import SmoothedWeights
from forecast.domain import TOP, Month, Question
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import LadderForecast, assign_paths, forecast_ladder, question_probability
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.forecasting.question_forecasts import DisclosureDelay, probability_disclosed
from forecast.priors.load import Priors
from forecast.reweighting.draws_archive import secret_levels
from forecast.reweighting.driver_update import systematic_resample
from forecast.typing import Arrays, Floats

DRAWS, PRIOR_DRAWS = 100, 60
"""How many draws of a reading, and of the prior, the recursion runs again on. Paired as they are, ten times more would take little from the
Monte Carlo error, which is that of the run."""


_EDGE: Final = 1e-12


@dataclass(frozen=True, eq=False)
class LadderQuestions:
    """The questions about levels that a run answered, [Q], and what the recursion needs besides draws and paths.

    secret: of the questions whether publicly known is another thing, the rows. paths [S, P]: which path each slot of each draw is on.
    """

    ids: tuple[str, ...]
    what: tuple[tuple[str, int, int], ...]
    secret: tuple[int, ...]
    public_now: int
    origin: Month
    administrations: NDArray[np.int_]
    paths: NDArray[np.int_]
    seed: int

    @classmethod
    def of(cls, arrays: Arrays, draws: int, paths: int) -> LadderQuestions:
        ids = tuple(str(i) for i in arrays["questions"])
        what = tuple(map(_what, ids))
        public, seed = int(arrays["public_now"]), int(arrays["seed"])
        secret = tuple(i for i, (kind, k, _) in enumerate(what) if kind == "reached_by" and k in secret_levels(public))
        administrations = np.asarray(arrays["administrations"], int)
        return cls(
            ids, what, secret, public, Month(int(arrays["origin"])), administrations, assign_paths(draws, paths, seed + 2), seed
        )  # fmt: skip

    def exposure(self, priors: Priors) -> DisclosureDelay:
        """The delays that the answers were made with, or would be; the same random numbers for all priors."""
        return DisclosureDelay.draw(priors, len(self.paths), np.random.default_rng(self.seed + 4))

    def climb(self, draws: ParameterDraws, some: NDArray[np.int_], pool: DriverPaths, levels: NDArray[np.int_]) -> LadderForecast:
        """The future of some of the draws, each on its own paths, from the end of a history of levels."""
        start, just_risen = int(levels[-1]), bool(levels[-1] > levels[-2])
        return forecast_ladder(draws.take(some), pool, self.paths[some], start, just_risen, self.origin, self.administrations)

    def answers(self, found: LadderForecast) -> Floats:
        """[Q, n]"""
        return np.array([question_probability(found, *what) for what in self.what])

    def known(self, entered: Mapping[int, Floats], exposure: DisclosureDelay) -> Floats:
        """[len(secret), n] what is publicly known; entered[k] [H, 6, n]."""
        asked = [self.what[i] for i in self.secret]
        n = len(next(iter(exposure.delays.values())))
        return np.array([probability_disclosed(entered[k], k, h, exposure, self.public_now) for _, k, h in asked]).reshape(len(asked), n)


def _what(question: str) -> tuple[str, int, int]:
    """Kind, level and horizon of a question about a level, from its id."""
    parts = Question.parse_id(question)
    assert parts.level is not None
    return parts.kind, parts.level, parts.horizon


@dataclass(frozen=True, eq=False)
class Subsample:
    """A part of a reading's draws in the run: their probabilities [Q, n], and those of all draws [Q, S] with their weights [S]."""

    was: Floats
    whole: Floats
    weights: Floats


@dataclass(frozen=True, eq=False)
class ReadingEstimate:
    """The answers of one reading: means [Q] and the variance of each by draws, its means by path slot [Q, P], and what will be known, by
    row of `Asked.secret`. draws [Q, n] with shares [n] are for intervals; part: what they are a part of, None if they are all.
    """

    means: Floats
    variance: Floats
    slots: Floats
    known: Floats
    draws: Floats
    shares: Floats
    part: Subsample | None = None


def estimate_by_weights(
    asked: LadderQuestions, arrays: Arrays, reading: str, weights: SmoothedWeights, exposure: DisclosureDelay
) -> ReadingEstimate:
    """By weights alone; exposure: as edited."""
    old, efficiency = np.asarray(arrays[f"{reading}/questions"], float), np.asarray(arrays[f"{reading}/efficiency"], float)
    w = weights.weights
    means = old @ w
    known = asked.known(_entered(arrays, reading, asked), exposure) @ w
    slots = np.asarray(arrays[f"{reading}/slots"], float)
    return ReadingEstimate(means, (w**2 * (old - means[:, None]) ** 2).sum(1) / efficiency, slots, known, old, w)


def estimate_by_resimulation(
    asked: LadderQuestions,
    arrays: Arrays,
    reading: str,
    weights: SmoothedWeights,
    exposure: tuple[DisclosureDelay, DisclosureDelay],
    draws: ParameterDraws,
    pool: DriverPaths,
) -> ReadingEstimate:
    """With the recursion again, for draws whose skips may have moved, on paths that may be others; exposure: as it was, and as edited."""
    old = np.asarray(arrays[f"{reading}/questions"], float)
    some = systematic_resample(weights.weights, min(DRAWS, draws.size))
    found = asked.climb(draws, some, pool, arrays[f"{reading}/levels"].astype(int))
    new = asked.answers(found)
    means, variance = control_variate_mean(new, old[:, some], old, weights.weights, np.asarray(arrays[f"{reading}/efficiency"], float))
    before = asked.known(_entered(arrays, reading, asked), exposure[0])
    after = asked.known({k: found.entered[k - 1] for k in range(1, TOP + 1)}, _of(exposure[1], some))
    known, _ = control_variate_mean(after, before[:, some], before, weights.weights)
    slots = np.array([found.path_batch_means(*what) for what in asked.what])
    shares = np.full(len(some), 1 / len(some))
    return ReadingEstimate(means, variance, slots, known, new, shares, Subsample(old[:, some], old, weights.weights))


def estimate_prior_by_resimulation(
    asked: LadderQuestions, arrays: Arrays, readings: Mapping[str, float], draws: ParameterDraws, pool: DriverPaths
) -> Floats:
    """[Q]: the mixture of the readings, by weight, from draws of the prior; those that stand at the same level have the same future."""
    alike = np.full(draws.size, 1 / draws.size)
    some = systematic_resample(alike, min(PRIOR_DRAWS, draws.size))
    futures: dict[tuple[int, bool], Floats] = {}
    total = np.zeros(len(asked.ids))
    for name, share in readings.items():
        levels = arrays[f"{name}/levels"].astype(int)
        here = int(levels[-1]), bool(levels[-1] > levels[-2])
        if here not in futures:
            futures[here] = asked.answers(asked.climb(draws, some, pool, levels))
        old = np.asarray(arrays[f"{name}/prior_questions"], float)
        total += share * control_variate_mean(futures[here], old[:, some], old, alike)[0]
    return total


def control_variate_mean(
    new: Floats, paired: Floats, old: Floats, weights: Floats, efficiency: Floats | float = 1.0
) -> tuple[Floats, Floats]:
    """Means [Q] of `new` [Q, n], corrected by what `paired` [Q, n] misses of the mean of `old` [Q, S] under weights [S]; their variances.

    new and paired are of the same draws, themselves drawn by the weights. efficiency: how many independent draws one of `old` is worth.
    Means stay between 0 and 1.
    """
    middle, target = paired.mean(1), old @ weights
    x, y = paired - middle[:, None], new - new.mean(1)[:, None]
    spread = (x**2).sum(1)
    flat = spread < 1e-12
    slope = np.where(flat, 1.0, (x * y).sum(1) / np.where(flat, 1.0, spread))
    means = np.clip(new.mean(1) + slope * (target - middle), 0.0, 1.0)
    left = ((y - slope[:, None] * x) ** 2).sum(1) / max(new.shape[1] - 2, 1) / new.shape[1]
    return means, left + slope**2 * (weights**2 * (old - target[:, None]) ** 2).sum(1) / efficiency


def intervals(readings: Sequence[ReadingEstimate], shares: Sequence[float], level: float) -> tuple[Floats, Floats]:
    """Ends [Q] of equal-tailed intervals over the draws of all readings; of a part of them set right by what the part misses in the run."""
    p = np.array([(1 - level) / 2, (1 + level) / 2])
    weights = np.concatenate([s * one.shares for s, one in zip(shares, readings, strict=True)])
    ends = weighted_quantiles(np.concatenate([one.draws for one in readings], axis=1), weights, p)
    parts = [one.part for one in readings if one.part]
    if len(parts) == len(readings):
        part = weighted_quantiles(np.concatenate([one.was for one in parts], axis=1), weights, p)
        of_whole = np.concatenate([s * one.weights for s, one in zip(shares, parts, strict=True)])
        whole = weighted_quantiles(np.concatenate([one.whole for one in parts], axis=1), of_whole, p)
        ends = _back(_onto(ends) + _onto(whole) - _onto(part))
    return ends[0], ends[1]


def weighted_quantiles(draws: Floats, weights: Floats, p: Floats) -> Floats:
    """[len(p), Q] of draws [Q, n] with weights [n], linear between the middles of the draws' shares."""
    order = np.argsort(draws, axis=1)
    ends = []
    for values, by in zip(draws, order, strict=True):
        cumulative = np.cumsum(weights[by])
        ends.append(np.interp(p * cumulative[-1], cumulative - weights[by] / 2, values[by]))
    return np.array(ends).T


def _onto(p: Floats) -> Floats:
    inside = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _back(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-z)))


def _entered(arrays: Arrays, reading: str, asked: LadderQuestions) -> dict[int, Floats]:
    """First months at each secret level or above, padded to all levels, [H, 6, S]."""
    out = {}
    for k in sorted({asked.what[i][1] for i in asked.secret}):
        kept = arrays[f"{reading}/entered/{k}"]
        out[k] = np.concatenate([np.zeros((len(kept), k, kept.shape[-1])), kept], axis=1)
    return out


def _of(exposure: DisclosureDelay, some: NDArray[np.int_]) -> DisclosureDelay:
    return DisclosureDelay({level: delays[some] for level, delays in exposure.delays.items()})
