"""Power-scaling of what acts through the drivers: priors and data of models 3 and 4, whose draws lie behind the paths.

Weights on paths. Where opposition moves, its mean over history moves too, and the draws of model 5 weigh by the likelihood of the record
under the driver as it then is: the same cut between models as in the fit. The speed is that of the probability given a draw and a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.forecasting.ladder_forecast import PATHS_A_DRAW
from forecast.reweighting.driver_update import opposition_change
from forecast.reweighting.importance_ratios import likelihood_ratio
from forecast.sensitivity.power_scaling import (
    ALPHAS,
    POWERS,
    TILTS,
    Kind,
    ParameterPrior,
    PowerScaling,
    ScaledEffect,
    cumulative_jensen_shannon,
    normalised_weights,
    sensitivity_gradient,
)
from forecast.sensitivity.target_question import TargetQuestion
from forecast.typing import Arrays, Floats


@dataclass(frozen=True, eq=False)
class PathEvaluations:
    """The headline by draw and path, asked once of a part of the draws, on as many paths as they have in the run.

    paths [S', P] each draw is on; chances: reading → [S', P]; pooled: all of them, and what each weighs.
    """

    arrays: Arrays
    headline: TargetQuestion
    paths: NDArray[np.int_]
    chances: Mapping[str, Floats]
    pooled: tuple[Floats, Floats]

    @classmethod
    def of(cls, arrays: Arrays, headline: TargetQuestion) -> PathEvaluations:
        paths = headline.paths(headline.readings[0].some.size, PATHS_A_DRAW)
        chances = {r.name: headline.again(r, slots=PATHS_A_DRAW) for r in headline.readings}
        values = np.concatenate([p.ravel() for p in chances.values()])
        return cls(arrays, headline, paths, chances, (values, headline.spread([np.ones(p.size) for p in chances.values()])))


@dataclass(frozen=True, eq=False)
class WeightedPaths:
    """What weights on the paths make of the headline: what each draw on each path weighs, pooled, the mixture, and the worst k̂ and ESS."""

    weights: Floats
    probability: float
    k_hat: float
    ess: float


def scale_prior_of_paths(name: str, behind: PathEvaluations, found: ParameterPrior, against: Floats, opposed: bool) -> PowerScaling:
    """A prior whose parameter has a value by path; against: the log likelihood [P] of the data that it meets."""
    terms = found.log_density
    return replace(
        scale_paths(name, behind, terms, opposed, "prior"),
        tilts=tuple(_move(behind, t * found.in_sds, opposed, t) for t in TILTS),
        own=(_speed(found.values, terms), _speed(found.values, against)),
    )


def scale_paths(name: str, behind: PathEvaluations, terms: Floats, opposed: bool, kind: Kind = "data") -> PowerScaling:
    """A component with a log density [P] by path; opposed: whether it moves opposition over history."""
    moves = tuple(_move(behind, (alpha - 1.0) * terms, opposed, alpha) for alpha in POWERS)
    lower, upper = (cumulative_jensen_shannon(*behind.pooled, weighted(behind, (alpha - 1.0) * terms, opposed).weights) for alpha in ALPHAS)
    return PowerScaling(name, kind, moves, sensitivity=sensitivity_gradient(lower, upper))


def _move(behind: PathEvaluations, log_ratio: Floats, opposed: bool, at: float) -> ScaledEffect:
    found = weighted(behind, log_ratio, opposed)
    return ScaledEffect(at, found.probability, found.k_hat, found.ess)


def _speed(values: Floats, terms: Floats) -> float:
    even = np.full(len(values), 1 / len(values))
    lower, upper = (cumulative_jensen_shannon(values, even, normalised_weights((alpha - 1.0) * terms)) for alpha in ALPHAS)
    return sensitivity_gradient(lower, upper)


def weighted(behind: PathEvaluations, log_ratio: Floats, opposed: bool) -> WeightedPaths:
    """The headline with paths weighted by exp(log_ratio) [P]."""
    on_paths = pareto_smooth(log_ratio)
    shares = on_paths.weights[behind.paths]  # [S', P]
    trust: list[SmoothedWeights] = [on_paths]
    probability, pooled = 0.0, []
    moved = opposition_change(behind.arrays, on_paths.weights) if opposed else None
    for r in behind.headline.readings:
        weight = np.ones(len(shares))
        if moved is not None:
            drivers = replace(r.history.drivers, opposition=r.history.drivers.opposition + moved)
            trust.append(pareto_smooth(likelihood_ratio(r.some, r.history, drivers)))
            weight = trust[-1].weights
        chance = behind.chances[r.name]
        both = weight[:, None] * shares
        probability += r.weight * float(r.chance.mean() / chance.mean() * (both * chance).sum() / both.sum())
        pooled.append(both.ravel())
    return WeightedPaths(
        behind.headline.spread(pooled),
        probability,
        max(s.k_hat for s in trust),
        min(s.effective / len(s.weights) for s in trust) * len(log_ratio),
    )
