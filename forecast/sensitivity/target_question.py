"""One ladder question answered again and again by a finished forecast; it runs only its own part of the recursion, compiled, some ms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from forecast.arrays.ladder import saturate_pressure
from forecast.arrays.psis import K_HAT_MAX, SmoothedWeights
from forecast.domain import Month, Question
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import assign_paths, driver_array, probability_reached
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.tolerance_data import History
from forecast.priors.load import Priors
from forecast.reweighting.diagnostics import MCSE_MAX
from forecast.reweighting.draws_archive import unpack_draws, unpack_drivers, unpack_pool
from forecast.reweighting.importance_ratios import RecordLikelihood
from forecast.reweighting.prior_edits import reading_weights
from forecast.typing import Arrays, Floats, Ints

EACH: Final = 4
"""The recursion runs again on every fourth draw,"""
SLOTS: Final = 5
"""and on a quarter of the paths that a draw of the run has. What is wanted is a change, on the same paths before and after."""
ESS_SHARE_MIN: Final = 0.2
"""Smallest effective share of the draws: 400 of 2,000, as in `priors try`."""


@dataclass(frozen=True)
class Point:
    """The question at one value of what is varied.

    mcse     Monte Carlo standard error of the probability
    k_hat    the largest of all weights it takes
    trusted  whether the draws carry it, by the rule of `priors try`
    """

    value: float
    probability: float
    mcse: float
    k_hat: float
    trusted: bool

    @classmethod
    def judge(cls, value: float, probability: float, mcse: float, k_hat: float, ess_share: float, relative_error: float = 0.0) -> Point:
        """ess_share: the smallest effective share of the draws; relative_error: the largest error of a reading over its probability."""
        trusted = k_hat < K_HAT_MAX and ess_share >= ESS_SHARE_MIN and relative_error <= MCSE_MAX
        return cls(value, probability, mcse, k_hat, trusted)


@dataclass(frozen=True, eq=False)
class ReadingDraws:
    """One reading.

    weight         in the mixture
    draws          [S]
    probabilities  [S]: of the question, as the run has them
    efficiency     how many independent draws one draw is worth
    path_error     error of the run's probability by its paths, over the probability
    """

    name: str
    weight: float
    history: History
    draws: ParameterDraws
    probabilities: Floats
    efficiency: float = 1.0
    path_error: float = 0.0

    def error(self, weights: Floats, probabilities: Floats) -> float:
        """Monte Carlo error of the weighted mean of probabilities by draw [S']."""
        mean = float(weights @ probabilities)
        by_draws = float((weights**2 * (probabilities - mean) ** 2).sum()) / self.efficiency
        return float(np.sqrt(by_draws + (self.path_error * mean) ** 2))

    @cached_property
    def subsample(self) -> ParameterDraws:
        """The draws on which the recursion runs again."""
        return self.draws.take(np.arange(0, self.draws.size, EACH))

    @cached_property
    def record(self) -> RecordLikelihood:
        """The likelihood of the record by all draws."""
        return RecordLikelihood(self.draws, self.history)

    @cached_property
    def subsample_record(self) -> RecordLikelihood:
        """The likelihood of the record by the draws of the subsample."""
        return RecordLikelihood(self.subsample, self.history, np.float32)


@dataclass(frozen=True, eq=False)
class TargetQuestion:
    """The question whether `level` or above is reached within `horizon` months, in every reading."""

    id: str
    level: int
    horizon: int
    readings: tuple[ReadingDraws, ...]
    pool: DriverPaths
    origin: Month
    administrations: Ints

    @property
    def probability(self) -> float:
        """The mixture, as the run has it."""
        return float(sum(r.weight * r.probabilities.mean() for r in self.readings))

    def pooled_weights(self, weights: Sequence[Floats]) -> Floats:
        """Weights of pooled draws from weights within each reading; a reading keeps its share."""
        return np.concatenate([r.weight * w / w.sum() for r, w in zip(self.readings, weights, strict=True)])

    def resimulate(
        self, reading: ReadingDraws, draws: ParameterDraws | None = None, pool: DriverPaths | None = None, slots: int = SLOTS
    ) -> Floats:
        """Probability by draw and path slot, [S', slots], of the draws given (the subsample if none) on the paths of a pool.

        Draws and paths are matched in the same way each time, so that only what was changed differs.
        """
        draws = draws or reading.subsample
        return probability_reached(
            draws, self._drivers if pool is None else _driver_array(pool), self.paths(draws.size, slots), reading.history.level_now,
            reading.history.just_risen_now, self.origin, self.administrations[: self.horizon], self.level,
        )  # fmt: skip

    def paths(self, size: int, slots: int = SLOTS) -> Ints:
        """The path of each slot of each draw, [S', slots]."""
        if (size, slots) not in self._paths:
            self._paths[size, slots] = assign_paths(size, len(self.pool.leverage), 1, slots)
        return self._paths[size, slots]

    @cached_property
    def _paths(self) -> dict[tuple[int, int], Ints]:
        return {}

    @cached_property
    def _drivers(self) -> Floats:
        return _driver_array(self.pool)

    def point(
        self,
        value: float,
        probabilities: Mapping[str, Floats],
        weights: Mapping[str, SmoothedWeights],
        path_weights: Sequence[SmoothedWeights] = (),
        corrected: bool = True,
    ) -> Point:
        """The mixture at a value of what is varied, from new probabilities [S'] by reading and the weights of their draws.

        path_weights: of paths that were resampled, judged as those of draws are; corrected: by `subsample_correction`
        """
        mixture, variance, relative = 0.0, 0.0, 0.0
        for r in self.readings:
            w, p = weights[r.name].weights, probabilities[r.name]
            mean, error = float(w @ p), r.error(w, p)
            mixture += r.weight * mean * (self.subsample_correction[r.name] if corrected else 1.0)
            variance += (r.weight * self.subsample_correction[r.name] * error) ** 2
            relative = max(relative, error / mean)
        judged = (*weights.values(), *path_weights)
        share = min(s.ess / len(s.weights) for s in judged)
        return Point.judge(value, mixture, float(np.sqrt(variance)), max(s.k_hat for s in judged), share, relative)

    @cached_property
    def subsample_correction(self) -> Mapping[str, float]:
        """By reading: the probability by all draws of the run over that by the subsample, which by chance is another."""
        return {r.name: float(r.probabilities.mean() / self.resimulate(r).mean()) for r in self.readings}


def _driver_array(pool: DriverPaths) -> Floats:
    return driver_array(pool, saturate_pressure(pool.leverage))


def target_question(arrays: Arrays, priors: Priors, question: str) -> TargetQuestion:
    """The question with this id, from the arrays of `draws.npz` and the priors they were made with.

    ValueError if it is not of the kind *reached by*; KeyError if the arrays lack something.
    """
    asked = Question.parse_id(question)
    if asked.kind != "reached_by" or asked.level is None:
        raise ValueError(f"the question {question} is not about a level that is reached")
    drivers, weights = unpack_drivers(arrays), reading_weights(arrays, priors)
    row = [str(i) for i in arrays["questions"]].index(question)
    readings = []
    for name in map(str, arrays["readings"]):
        probabilities, slots = (np.asarray(arrays[f"{name}/{field}"][row], float) for field in ("questions", "slots"))
        readings.append(
            ReadingDraws(
                name,
                weights[name],
                History(arrays[f"{name}/levels"].astype(int), drivers),
                unpack_draws(arrays, name),
                probabilities,
                efficiency=min(float(arrays[f"{name}/efficiency"][row]), 1.0),
                path_error=float(np.sqrt(slots.var(ddof=1) / len(slots)) / probabilities.mean()),
            )
        )
    return TargetQuestion(
        question, asked.level, asked.horizon, tuple(readings), unpack_pool(arrays), Month(int(arrays["origin"])),
        arrays["administrations"].astype(int),
    )  # fmt: skip
