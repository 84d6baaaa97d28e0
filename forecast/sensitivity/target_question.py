"""One question of the ladder, asked again and again of a finished forecast: only that part of the recursion, so in a tenth of a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import Kernel, monthly_probabilities, propagate_month, saturate_pressure
from forecast.arrays.psis import SmoothedWeights
from forecast.domain import Month, Question
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import assign_paths, make_kernel
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.forecasting.predictive_checks import transition_log_odds
from forecast.model.tolerance_data import Drivers, History
from forecast.priors.load import Priors
from forecast.reweighting.draws_archive import unpack_draws, unpack_pool
from forecast.reweighting.prior_edits import reading_weights
from forecast.sensitivity.tipping_points import Point
from forecast.typing import Arrays, Floats

EACH = 4
"""What runs the recursion again does so on every fourth draw,"""
SLOTS = 5
"""and on a quarter of the paths that a draw of the run has: what is asked is a move, on the same paths before and after."""
_CHUNK = 250


@dataclass(frozen=True, eq=False)
class ReadingDraws:
    """One reading: its weight, history and draws, and the per-draw probabilities [S] that the run has of the question.

    efficiency: how many independent draws one is worth; by_paths: the error of the run's probability by its paths, over the probability.
    """

    name: str
    weight: float
    history: History
    draws: ParameterDraws
    chance: Floats
    efficiency: float = 1.0
    by_paths: float = 0.0

    def error(self, weights: Floats, chances: Floats) -> float:
        """Monte Carlo error of the weighted mean of per-draw probabilities [S']."""
        mean = float(weights @ chances)
        by_draws = float((weights**2 * (chances - mean) ** 2).sum()) / self.efficiency
        return float(np.sqrt(by_draws + (self.by_paths * mean) ** 2))

    @cached_property
    def some(self) -> ParameterDraws:
        """The draws of which things are asked again."""
        return self.draws.take(np.arange(0, self.draws.size, EACH))

    @cached_property
    def log_likelihood(self) -> Floats:
        """By draw and month after the first, [S, T − 1]."""
        return log_likelihood(self.draws, self.history)

    @cached_property
    def log_odds(self) -> tuple[Floats, Floats]:
        """Of a rise and of a fall, by draw of `some` and month after the first."""
        return log_odds(self.some, self.history)


@dataclass(frozen=True, eq=False)
class TargetQuestion:
    """A question of the kind *reached by*: level `level` or above within `horizon` months, in every reading."""

    id: str
    level: int
    horizon: int
    readings: tuple[ReadingDraws, ...]
    pool: DriverPaths
    origin: Month
    administrations: NDArray[np.int_]

    @property
    def probability(self) -> float:
        """The mixture, as the run has it."""
        return float(sum(r.weight * r.chance.mean() for r in self.readings))

    @cached_property
    def pooled(self) -> tuple[Floats, Floats]:
        """Per-draw probabilities of all readings, and what each draw weighs; both [R · S]."""
        return np.concatenate([r.chance for r in self.readings]), self.spread([np.ones(len(r.chance)) for r in self.readings])

    def spread(self, weights: list[Floats]) -> Floats:
        """Weights of pooled draws from weights within each reading; a reading keeps the share it has."""
        return np.concatenate([r.weight * w / w.sum() for r, w in zip(self.readings, weights, strict=True)])

    def again(
        self, reading: ReadingDraws, draws: ParameterDraws | None = None, pool: DriverPaths | None = None, slots: int = SLOTS
    ) -> Floats:
        """Probability by draw and path slot, [S, P], for the draws given (`reading.some` if none) on the paths of a pool.

        Draws and paths are matched in the same way each time, so that what differs is what was changed.
        """
        draws, pool = draws or reading.some, pool or self.pool
        paths = self.paths(draws.size, slots)
        months = np.arange(self.origin + 1, self.origin + 1 + self.horizon)
        pressure, governs = saturate_pressure(pool.leverage), self.administrations[: self.horizon]
        parts = []
        for first in range(0, draws.size, _CHUNK):
            some = np.arange(first, min(first + _CHUNK, draws.size))
            kernel = make_kernel(draws.take(some), pool, pressure, paths[some], months, governs)
            parts.append(reached(kernel, reading.history.level_now, reading.history.just_risen_now, self.level))
        return np.concatenate(parts)

    def paths(self, size: int, slots: int = SLOTS) -> NDArray[np.int_]:
        """Which path each slot of each draw is on, [S, P]."""
        return assign_paths(size, len(self.pool.leverage), 1, slots)

    def mixed(self, means: Mapping[str, float]) -> float:
        """The mixture from what a part of the draws says in each reading, asked again.

        A part of the draws says by chance something else than all of them do; that is taken out as a factor.
        """
        return float(sum(r.weight * self.anchor[r.name] * means[r.name] for r in self.readings))

    def point(
        self,
        value: float,
        chances: Mapping[str, Floats],
        weights: Mapping[str, SmoothedWeights],
        beside: Sequence[SmoothedWeights] = (),
        anchored: bool = True,
    ) -> Point:
        """The mixture at a value of what is varied, from new chances [S'] by reading and what their draws weigh.

        beside: weights of paths that were redrawn, which are trusted or not as those of draws are; anchored: as in `mixed`.
        """
        means, variance, relative = {}, 0.0, 0.0
        for r in self.readings:
            w, p = weights[r.name].weights, chances[r.name]
            mean, error = float(w @ p), r.error(w, p)
            means[r.name] = mean * (1.0 if anchored else 1.0 / self.anchor[r.name])
            variance += (r.weight * self.anchor[r.name] * error) ** 2
            relative = max(relative, error / mean)
        judged = (*weights.values(), *beside)
        return Point(
            value=value,
            probability=self.mixed(means),
            mcse=float(np.sqrt(variance)),
            k_hat=max(s.k_hat for s in judged),
            share=min(s.effective / len(s.weights) for s in judged),
            relative=float(relative),
        )

    @cached_property
    def anchor(self) -> Mapping[str, float]:
        """By reading: what all draws of the run say over what the part of them says that is asked again."""
        return {r.name: float(r.chance.mean() / self.again(r).mean()) for r in self.readings}


def target_question(arrays: Arrays, priors: Priors, question: str) -> TargetQuestion:
    """The question with this id, from the arrays of `draws.npz` and the priors they were made with.

    ValueError if it is not of the kind *reached by*; KeyError if the arrays lack something.
    """
    asked = Question.parse_id(question)
    if asked.kind != "reached_by" or asked.level is None:
        raise ValueError(f"the question {question} is not about a level that is reached")
    drivers = Drivers(**{f: np.asarray(arrays[f"drivers/{f}"]) for f in Drivers.__dataclass_fields__})
    row = [str(i) for i in arrays["questions"]].index(question)
    names = [str(n) for n in arrays["readings"]]
    weights = reading_weights(arrays, priors)
    slots = {name: np.asarray(arrays[f"{name}/slots"][row], float) for name in names}
    return TargetQuestion(
        id=question,
        level=asked.level,
        horizon=asked.horizon,
        readings=tuple(
            ReadingDraws(
                name,
                weights[name],
                History(arrays[f"{name}/levels"].astype(int), drivers),
                unpack_draws(arrays, name),
                chance := np.asarray(arrays[f"{name}/questions"][row], float),
                min(float(arrays[f"{name}/efficiency"][row]), 1.0),
                float(np.sqrt(slots[name].var(ddof=1) / len(slots[name])) / chance.mean()),
            )
            for name in names
        ),
        pool=unpack_pool(arrays),
        origin=Month(int(arrays["origin"])),
        administrations=arrays["administrations"].astype(int),
    )


def reached(kernel: Kernel, level: int, just_risen: bool, target: int) -> Floats:
    """P(level >= target within the months of the kernel) by draw and path [S, P]; the starting month itself does not count."""
    start = np.zeros((2, kernel.up.shape[0], *kernel.theta.shape[1:]))
    start[int(just_risen), level] = 1.0
    first = propagate_month(
        start, 0, monthly_probabilities(kernel, 0), kernel
    ).state  # from all levels, for one may start beyond the target
    out, state = first[:, target:].sum((0, 1)), first[:, :target]
    for t in range(1, kernel.horizon):
        moved = propagate_month(state, 0, monthly_probabilities(kernel, t), kernel)
        out = out + moved.above.sum(0)
        state = moved.state
    return np.asarray(out)


def log_likelihood(draws: ParameterDraws, history: History) -> Floats:
    """log P(what the level did | draw) by draw and month after the first, [S, T − 1]; `replicate.log_likelihood` is its sum."""
    rise, fall = log_odds(draws, history)
    return chosen(rise, fall, history)


def log_odds(draws: ParameterDraws, history: History) -> tuple[Floats, Floats]:
    """Log-odds of a rise and of a fall against staying, by draw and month after the first, each [S, T − 1]."""
    known, before = transition_log_odds(draws, history.drivers), history.levels[:-1]
    rise = draws.rise_logits().T[:, before] + known.theta[:, 1:] + known.rise_push[:, 1:]
    fall = (
        draws.fall_logits().T[:, before] - known.theta[:, 1:] + known.fall_push[:, 1:] + draws.just_risen[:, None] * history.just_risen[:-1]
    )
    return rise, fall


def chosen(rise: Floats, fall: Floats, history: History) -> Floats:
    """Log probability of what happened in each month, from the log-odds."""
    before, after = history.levels[:-1], history.levels[1:]
    top = np.where(after > before, rise, np.where(after < before, fall, 0.0))
    return np.asarray(top - np.log1p(np.exp(np.minimum(rise, 500.0)) + np.exp(np.minimum(fall, 500.0))))
