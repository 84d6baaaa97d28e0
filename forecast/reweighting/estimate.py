"""Ladder questions from weighted draws: by weights alone, or by running the recursion again on a subsample where paths or skips changed.

The subsample is drawn by the weights. On each of its draws old and new probabilities are paired, and the old ones are a control variate:
their mean over all draws is known, so the mean of the new ones is corrected by what the subsample's old ones miss of it. If nothing moved,
the answer is the run's exactly; if little moved, the Monte Carlo error is hardly more than the run's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecast.arrays.psis import SmoothedWeights
from forecast.arrays.transforms import expit, logit
from forecast.arrays.weighted_quantiles import INTERVAL, quantiles_by_row
from forecast.domain import TOP, Month, Question
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import LadderForecast, assign_paths, forecast_ladder, question_probability
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.forecasting.question_forecasts import DisclosureDelay, probability_disclosed
from forecast.priors.load import Priors
from forecast.reweighting.diagnostics import ReweightingDiagnostics
from forecast.reweighting.draws_archive import secret_levels
from forecast.reweighting.driver_update import systematic_resample
from forecast.typing import Arrays, Floats, Ints

DRAWS: Final = 100
PRIOR_DRAWS: Final = 60
"""How many draws of a reading, and of the prior, the recursion runs again on. Paired as they are, ten times more would take little from the
Monte Carlo error, which is that of the run."""
_EDGE: Final = 1e-12

type Delays = DisclosureDelay


@dataclass(frozen=True, eq=False)
class LadderQuestions:
    """The questions [Q] about levels, and what their forecast needs besides draws and driver paths.

    ids              of the questions
    parts            kind, level and horizon in months of each
    public_now       the level that is public at the origin
    administrations  [H]: slots of who governs in the months after the origin
    paths            [S, P]: the driver path of each slot of each draw
    """

    ids: tuple[str, ...]
    parts: tuple[tuple[str, int, int], ...]
    public_now: int
    origin: Month
    administrations: Ints
    paths: Ints
    seed: int

    @classmethod
    def of(
        cls, ids: Sequence[str], public_now: int, origin: Month, administrations: Ints, seed: int, draws: int, n_paths: int
    ) -> LadderQuestions:
        """For so many draws of a reading, on the paths that the seed assigns to them."""
        parts = tuple((q.kind, q.level or 0, q.horizon) for q in map(Question.parse_id, ids))
        return cls(tuple(ids), parts, public_now, origin, administrations, assign_paths(draws, n_paths, seed + 2), seed)

    @classmethod
    def of_archive(cls, arrays: Arrays) -> LadderQuestions:
        """Those that a run answered, from the arrays of `draws.npz`."""
        draws, n_paths = len(arrays[f"{arrays['readings'][0]}/leverage"]), len(arrays["pool/leverage"])
        ids, administrations = [str(i) for i in arrays["questions"]], np.asarray(arrays["administrations"], int)
        public_now, origin, seed = (int(arrays[name]) for name in ("public_now", "origin", "seed"))
        return cls.of(ids, public_now, Month(origin), administrations, seed, draws, n_paths)

    @property
    def secret(self) -> tuple[int, ...]:
        """The rows of the questions whether a level is reached that can be reached in secret."""
        return tuple(i for i, (kind, k, _) in enumerate(self.parts) if kind == "reached_by" and k in secret_levels(self.public_now))

    def delays(self, priors: Priors) -> Delays:
        """Draws of the delay until disclosure; the same random numbers for all priors."""
        return DisclosureDelay.draw(priors, len(self.paths), np.random.default_rng(self.seed + 4))

    def forecast(
        self, draws: ParameterDraws, pool: DriverPaths, levels: Ints, rows: Ints | None = None, weights: Floats | None = None
    ) -> LadderForecast:
        """The future of the draws, or of some rows of them, from the end of a history of levels; each draw on its own paths."""
        chosen, paths = (draws, self.paths) if rows is None else (draws.take(rows), self.paths[rows])
        level, just_risen = int(levels[-1]), bool(levels[-1] > levels[-2])
        return forecast_ladder(
            chosen, pool, paths, level, just_risen, self.origin, self.administrations, weights=weights, compiled=rows is None
        )

    def probabilities(self, forecast: LadderForecast) -> Floats:
        """[Q, n] by draw."""
        return np.array([question_probability(forecast, *part) for part in self.parts])

    def path_batch_means(self, forecast: LadderForecast) -> Floats:
        """[Q, P] by path slot."""
        return np.array([forecast.path_batch_means(*part) for part in self.parts])

    def disclosed(self, entered: Mapping[int, Floats], delays: Delays) -> Floats:
        """[len(secret), n]: probability by draw that it is publicly known by the resolution date; entered: level → [H, 6, n]."""
        secret = [self.parts[i] for i in self.secret]
        n = len(next(iter(delays.delays.values())))
        return np.array([probability_disclosed(entered[k], k, h, delays, self.public_now) for _, k, h in secret]).reshape(len(secret), n)


@dataclass(frozen=True, eq=False)
class Subsample:
    """Old probabilities of a subsample [Q, n], and of all draws [Q, S] with their weights [S]."""

    old: Floats
    all_old: Floats
    weights: Floats


@dataclass(frozen=True, eq=False)
class ReadingEstimate:
    """The ladder questions [Q] in one reading.

    smoothed    weights of the draws
    efficiency  [Q]: how many independent draws one draw is worth
    means       [Q]: probabilities
    variance    [Q]: Monte Carlo variance of the means by draws
    slots       [Q, P]: means by path slot
    disclosed   by row of `LadderQuestions.secret`: probability that it is publicly known
    draws       [Q, n]: probabilities by draw, with shares [n]
    subsample   what the draws are a part of; None if they are all
    """

    smoothed: SmoothedWeights
    efficiency: Floats
    means: Floats
    variance: Floats
    slots: Floats
    disclosed: Floats
    draws: Floats
    shares: Floats
    subsample: Subsample | None = None

    def diagnose(self, row: int, paths: Sequence[SmoothedWeights] = ()) -> ReweightingDiagnostics:
        """How well the draws answer the question of a row; paths: the weights of paths that were resampled, the worst of which counts.

        A draw may be worth more than one independent draw; it is not counted so.
        """
        slots = self.slots[row]
        ess = self.smoothed.ess * min(float(self.efficiency[row]), 1.0)
        return ReweightingDiagnostics(
            probability=float(self.means[row]),
            k_hat=max([self.smoothed.k_hat, *(w.k_hat for w in paths)]),
            ess=min([ess, *(w.ess for w in paths)]),
            mcse=float(np.sqrt(self.variance[row] + slots.var(ddof=1) / len(slots))),
        )


def estimate_by_weights(values: Floats, slots: Floats, efficiency: Floats, disclosed: Floats, smoothed: SmoothedWeights) -> ReadingEstimate:
    """From probabilities by draw, values [Q, S] and disclosed [K, S], by their weights; the other arguments as in ReadingEstimate."""
    w = smoothed.weights
    means = values @ w
    variance = (w**2 * (values - means[:, None]) ** 2).sum(1) / efficiency
    return ReadingEstimate(smoothed, efficiency, means, variance, slots, disclosed @ w, values, w)


def estimate_from_archive(
    questions: LadderQuestions, arrays: Arrays, reading: str, smoothed: SmoothedWeights, delays: Delays
) -> ReadingEstimate:
    """From the probabilities by draw that `draws.npz` keeps; delays: as edited."""
    values, slots, efficiency = (np.asarray(arrays[f"{reading}/{name}"], float) for name in ("questions", "slots", "efficiency"))
    return estimate_by_weights(values, slots, efficiency, questions.disclosed(_entered(arrays, reading, questions), delays), smoothed)


def estimate_by_resimulation(
    questions: LadderQuestions,
    arrays: Arrays,
    reading: str,
    smoothed: SmoothedWeights,
    delays: tuple[Delays, Delays],
    draws: ParameterDraws,
    pool: DriverPaths,
) -> ReadingEstimate:
    """With the recursion run again on a subsample of draws, whose skips may have moved, on paths that may have; delays: old and edited."""
    old, efficiency = (np.asarray(arrays[f"{reading}/{name}"], float) for name in ("questions", "efficiency"))
    rows, weights = systematic_resample(smoothed.weights, min(DRAWS, draws.size)), smoothed.weights
    forecast = questions.forecast(draws, pool, arrays[f"{reading}/levels"].astype(int), rows)
    new = questions.probabilities(forecast)
    means, variance = control_variate_mean(new, old[:, rows], old, weights, efficiency)
    before = questions.disclosed(_entered(arrays, reading, questions), delays[0])
    after = questions.disclosed(
        {k: forecast.entered[k - 1] for k in range(1, TOP + 1)},
        DisclosureDelay({level: values[rows] for level, values in delays[1].delays.items()}),
    )
    disclosed, _ = control_variate_mean(after, before[:, rows], before, weights)
    return ReadingEstimate(
        smoothed, efficiency, means, variance, questions.path_batch_means(forecast), disclosed, new,
        shares=np.full(len(rows), 1 / len(rows)), subsample=Subsample(old[:, rows], old, weights),
    )  # fmt: skip


def estimate_prior_by_resimulation(
    questions: LadderQuestions, arrays: Arrays, readings: Mapping[str, float], draws: ParameterDraws, pool: DriverPaths
) -> Floats:
    """[Q]: the mixture of the readings, by weight, from draws of the prior. Readings that end at the same level have the same future."""
    equal = np.full(draws.size, 1 / draws.size)
    rows = systematic_resample(equal, min(PRIOR_DRAWS, draws.size))
    futures: dict[tuple[int, bool], Floats] = {}
    total = np.zeros(len(questions.ids))
    for name, share in readings.items():
        levels = arrays[f"{name}/levels"].astype(int)
        here = int(levels[-1]), bool(levels[-1] > levels[-2])
        if here not in futures:
            futures[here] = questions.probabilities(questions.forecast(draws, pool, levels, rows))
        old = np.asarray(arrays[f"{name}/prior_questions"], float)
        total += share * control_variate_mean(futures[here], old[:, rows], old, equal)[0]
    return total


def control_variate_mean(
    new: Floats, paired: Floats, old: Floats, weights: Floats, efficiency: Floats | float = 1.0
) -> tuple[Floats, Floats]:
    """Means [Q] of `new` [Q, n] with `paired` [Q, n] as control variate, whose mean is that of `old` [Q, S] under weights [S]; variances.

    new and paired are of the same draws, themselves drawn by the weights. efficiency: how many independent draws one of `old` is worth.
    Means stay between 0 and 1.
    """
    middle, target = paired.mean(1), old @ weights
    x, y = paired - middle[:, None], new - new.mean(1)[:, None]
    squares = (x**2).sum(1)
    constant = squares < 1e-12
    slope = np.where(constant, 1.0, (x * y).sum(1) / np.where(constant, 1.0, squares))
    means = np.clip(new.mean(1) + slope * (target - middle), 0.0, 1.0)
    residual = ((y - slope[:, None] * x) ** 2).sum(1) / max(new.shape[1] - 2, 1) / new.shape[1]
    return means, residual + slope**2 * (weights**2 * (old - target[:, None]) ** 2).sum(1) / efficiency


@dataclass(frozen=True, eq=False)
class MixtureEstimate:
    """The ladder questions [Q] in the mixture of the readings.

    probability  [Q]
    mcse         [Q]: Monte Carlo standard errors
    known        id → probability that it is publicly known by the resolution date, of the questions of the kind *reached by*
    by_reading   id → reading → probability
    """

    probability: Floats
    mcse: Floats
    known: Mapping[str, float]
    by_reading: Mapping[str, Mapping[str, float]]


def mix_readings(questions: LadderQuestions, estimates: Mapping[str, ReadingEstimate], shares: Mapping[str, float]) -> MixtureEstimate:
    """The mixture of the readings by their shares, which sum to one."""
    mixture, slots, disclosed = (
        np.sum([shares[name] * getattr(one, field) for name, one in estimates.items()], axis=0) for field in ("means", "slots", "disclosed")
    )
    variance = np.sum([shares[name] ** 2 * one.variance for name, one in estimates.items()], axis=0)
    reached = {id_: float(p) for id_, p, what in zip(questions.ids, mixture, questions.parts, strict=True) if what[0] == "reached_by"}
    return MixtureEstimate(
        probability=mixture,
        mcse=np.sqrt(variance + slots.var(1, ddof=1) / slots.shape[1]),
        known=reached | {questions.ids[i]: float(disclosed[row]) for row, i in enumerate(questions.secret)},
        by_reading={id_: {name: float(one.means[i]) for name, one in estimates.items()} for i, id_ in enumerate(questions.ids)},
    )


def intervals(readings: Sequence[ReadingEstimate], shares: Sequence[float], level: float = INTERVAL) -> tuple[Floats, Floats]:
    """Ends [Q] of equal-tailed intervals over the draws of all readings.

    Those of subsamples are corrected on the logit scale by how far the subsample's interval of old probabilities is from that of all draws.
    """
    p = (1 - level) / 2, (1 + level) / 2
    weights = np.concatenate([s * one.shares for s, one in zip(shares, readings, strict=True)])
    ends = quantiles_by_row(np.concatenate([one.draws for one in readings], axis=1), weights, p)
    parts = [one.subsample for one in readings if one.subsample]
    if len(parts) == len(readings):
        part = quantiles_by_row(np.concatenate([one.old for one in parts], axis=1), weights, p)
        all_weights = np.concatenate([s * one.weights for s, one in zip(shares, parts, strict=True)])
        whole = quantiles_by_row(np.concatenate([one.all_old for one in parts], axis=1), all_weights, p)
        ends = expit(logit(ends, _EDGE) + logit(whole, _EDGE) - logit(part, _EDGE))
    return ends[0], ends[1]


def _entered(arrays: Arrays, reading: str, questions: LadderQuestions) -> dict[int, Floats]:
    """Probabilities of the first month at each secret level or above, padded to all levels, [H, 6, S]."""
    out = {}
    for k in sorted({questions.parts[i][1] for i in questions.secret}):
        kept = arrays[f"{reading}/entered/{k}"]
        out[k] = np.concatenate([np.zeros((len(kept), k, kept.shape[-1])), kept], axis=1)
    return out
