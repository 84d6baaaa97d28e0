"""Power-scaling: what the headline would be if a prior, or a block of data, counted a little more or a little less.

A prior π raised to α is a prior narrower (α > 1) or wider (α < 1): of a normal, the sd over √α. A block of data raised to α is as much
evidence of the same kind as α times that block. Both are answered by weights, Pareto-smoothed. Priors are raised on the scale on which the
model has them: rises on the logit, stays and half-lives on the log, all else as it is. Of administrations and drift the prior of the scale
is raised, not of what it scales.

Raising a prior shows what its weight does. Where the data say nothing and the headline is linear in the parameter, that is little, however
much depends on where the prior lies. So each prior is also tilted: its density times e^{t z}, z its parameter in sds of the prior from its
mean, which moves a normal by t sds and leaves its width.

Weights are on draws for what model 5 is fitted to. Priors and data of models 3 and 4, whose draws lie behind the paths, weight the paths;
where opposition moves, its mean over history moves too, and the draws are weighted by the likelihood of the record under the driver as it
then is: the same cut between models as in the fit.

A component's sensitivity is how fast the weighted distribution of a quantity leaves the unweighted one: the cumulative Jensen–Shannon
distance for a doubling of α, as in priorsense and in `psense` of ArviZ, here for draws of unequal weight. Kallioinen, Paananen, Bürkner and
Vehtari, Detecting and diagnosing prior and likelihood sensitivity with power-scaling, Statistics and Computing 34 (2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, Protocol

import numpy as np

from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.forecasting.ladder_forecast import PATHS_A_DRAW
from forecast.priors.distributions import Beta, Distribution, HalfNormal, LogNormal, Normal
from forecast.priors.load import Priors
from forecast.reweighting.driver_update import opposition_change, parameter_by_path
from forecast.reweighting.importance_ratios import EDGE, PARAMETER_READERS, model_prior
from forecast.sensitivity.target_question import TargetQuestion
from forecast.typing import Arrays, Floats, Ints

type Label = Literal["prior–data conflict", "strong prior, weak likelihood", "no sensitivity"]
type Kind = Literal["prior", "data", "all"]

ALPHAS: Final = (0.99, 1.01)
"""The powers between which the speed is taken."""
THRESHOLD: Final = 0.05
"""From here on a component counts as one that matters. A normal that is all prior scores 0.074 under its own prior."""
POWERS: Final = (0.8, 1.25)
"""Powers at which the change of the headline is given: a fifth less, a quarter more."""
TILTS: Final = (-0.5, 0.5)
"""How far each prior is tilted, in sds of it."""


@dataclass(frozen=True)
class ScaledEffect:
    """The headline with a component at a power or a prior tilted by some sds; k̂ and ESS are the worst over readings."""

    at: float
    probability: float
    difference: float
    k_hat: float
    ess: float


@dataclass(frozen=True)
class OwnSensitivity:
    """How fast the prior's own parameter moves, under the prior and under the data it meets."""

    prior: float
    data: float


@dataclass(frozen=True)
class PowerScaling:
    """A component and what it does.

    moves        at the two POWERS; empty if it cannot be scaled, or has no part in the headline
    tilts        at the two TILTS, of a prior
    sensitivity  gradient of the distribution of the headline's probability by draw; None if there are no moves
    own          gradients of the prior's own parameter; None for data
    note         why there are no moves
    """

    name: str
    kind: Kind
    moves: tuple[ScaledEffect, ...] = ()
    tilts: tuple[ScaledEffect, ...] = ()
    sensitivity: float | None = None
    own: OwnSensitivity | None = None
    note: str = ""

    @property
    def label(self) -> Label | None:
        return None if self.own is None else diagnose(self.own.prior, self.own.data)


@dataclass(frozen=True)
class ParameterPrior:
    """Values of a parameter, of any shape, on the scale on which its prior stands, and that prior."""

    values: Floats
    prior: Distribution

    @property
    def log_density(self) -> Floats:
        return self.prior.logpdf(self.values)

    @property
    def in_sds(self) -> Floats:
        """The values over the sd of the prior."""
        return self.values / _sd(self.prior)


def _sd(prior: Distribution) -> float:
    if isinstance(prior, HalfNormal):
        return prior.sd * math.sqrt(1.0 - 2.0 / math.pi)
    if isinstance(prior, Beta):
        total = prior.a + prior.b
        return math.sqrt(prior.a * prior.b / (total**2 * (total + 1.0)))
    assert isinstance(prior, Normal)
    return prior.sd


def parameter_prior(target: TargetQuestion, priors: Priors, name: str) -> ParameterPrior:
    """A prior of model 5 at the draws of all readings, [R, S]."""
    values, prior = np.array([PARAMETER_READERS[name](r.draws) for r in target.readings]), model_prior(priors, name)
    if isinstance(prior, LogNormal):
        return ParameterPrior(np.log(values - prior.shift), Normal(math.log(prior.median), prior.sd))
    return ParameterPrior(np.clip(values, EDGE, 1 - EDGE) if isinstance(prior, Beta) else values, prior)


def path_parameter_prior(arrays: Arrays, priors: Priors, name: str) -> ParameterPrior:
    """A prior of models 3 and 4 at the draws behind the paths, [P]."""
    return ParameterPrior(parameter_by_path(arrays, name), priors.distribution(name))


@dataclass(frozen=True, eq=False)
class WeightedValues:
    """Values [S] and their weights [S], which sum to one."""

    values: Floats
    weights: Floats

    @cached_property
    def _sorted(self) -> tuple[Ints, Floats]:
        """Their order, and the widths between neighbours."""
        order = np.argsort(self.values, kind="stable")
        return order, np.diff(self.values[order])

    def distance(self, after: Floats) -> float:
        """Cumulative Jensen–Shannon distance between these weights and others [S] of the same values; between 0 and 1.

        The larger of that of the distribution functions and that of their complements, so that its sign does not matter.
        """
        order, width = self._sorted
        p, q = self.weights[order], after[order]
        return max(_one_sided(width, p, q), _one_sided(width[::-1], p[::-1], q[::-1]))


def _one_sided(width: Floats, before: Floats, after: Floats) -> float:
    p, q = np.cumsum(before)[:-1], np.cumsum(after)[:-1]
    middle = _log2(0.5 * (p + q))
    areas = float(width @ p), float(width @ q)
    slack = 0.5 / np.log(2.0) * (areas[1] - areas[0])
    from_p = max(0.0, float(width @ (p * (_log2(p) - middle))) + slack)
    from_q = max(0.0, float(width @ (q * (_log2(q) - middle))) - slack)
    total = sum(areas)
    return float(np.sqrt((from_p + from_q) / total)) if total > 0 else 0.0


class Reweighter(Protocol):
    """Weights on draws or on paths by log ratios, of the shape of a component's log density."""

    @property
    def pooled(self) -> WeightedValues:
        """Probabilities of the headline, and their weights as the run has them."""

    def pooled_weights(self, log_ratios: Floats) -> Floats:
        """Weights of the pooled probabilities under small log ratios."""

    def parameter_weights(self, log_ratios: Floats) -> Floats:
        """Weights of a component's own values, flattened, under small log ratios."""

    def effect(self, log_ratios: Floats, at: float) -> ScaledEffect:
        """The headline under log ratios."""


@dataclass(frozen=True, eq=False)
class DrawReweighter:
    """Weights on the draws of each reading, by log ratios [R, S]."""

    target: TargetQuestion

    @cached_property
    def pooled(self) -> WeightedValues:
        values = [r.probabilities for r in self.target.readings]
        return WeightedValues(np.concatenate(values), self.target.pooled_weights([np.ones(p.size) for p in values]))

    def pooled_weights(self, log_ratios: Floats) -> Floats:
        return self.target.pooled_weights([normalised_weights(row) for row in log_ratios])

    parameter_weights = pooled_weights

    def effect(self, log_ratios: Floats, at: float) -> ScaledEffect:
        smoothed = [pareto_smooth(row) for row in log_ratios]
        probability = sum(r.weight * float(s.weights @ r.probabilities) for r, s in zip(self.target.readings, smoothed, strict=True))
        change = probability - self.target.probability
        return ScaledEffect(at, probability, change, max(s.k_hat for s in smoothed), min(s.ess for s in smoothed))


@dataclass(frozen=True, eq=False)
class PathProbabilities:
    """The headline by draw and path, simulated once for the subsample, on as many paths as a draw has in the run.

    by_reading  reading → [S', P]
    """

    arrays: Arrays
    target: TargetQuestion
    by_reading: dict[str, Floats]

    @classmethod
    def of(cls, arrays: Arrays, target: TargetQuestion) -> PathProbabilities:
        return cls(arrays, target, {r.name: target.resimulate(r, slots=PATHS_A_DRAW) for r in target.readings})

    @cached_property
    def pooled(self) -> WeightedValues:
        """All probabilities, and the weight of each."""
        values = list(self.by_reading.values())
        return WeightedValues(np.concatenate([p.ravel() for p in values]), self.target.pooled_weights([np.ones(p.size) for p in values]))


@dataclass(frozen=True, eq=False)
class PathReweighter:
    """Weights on the paths, by log ratios [P]; opposed: whether they move opposition over history."""

    evaluated: PathProbabilities
    opposed: bool

    @property
    def pooled(self) -> WeightedValues:
        return self.evaluated.pooled

    def pooled_weights(self, log_ratios: Floats) -> Floats:
        return self._reweight(log_ratios)[0]

    def parameter_weights(self, log_ratios: Floats) -> Floats:
        return normalised_weights(log_ratios)

    def effect(self, log_ratios: Floats, at: float) -> ScaledEffect:
        _, probability, judged = self._reweight(log_ratios)
        ess = min(s.ess / len(s.weights) for s in judged) * len(log_ratios)
        change = probability - self.evaluated.target.probability
        return ScaledEffect(at, probability, change, max(s.k_hat for s in judged), ess)

    def _reweight(self, log_ratios: Floats) -> tuple[Floats, float, list[SmoothedWeights]]:
        """The pooled weights, the mixture, and all weights it takes."""
        target, by_path = self.evaluated.target, pareto_smooth(log_ratios)
        shares = by_path.weights[target.paths(target.readings[0].subsample.size, PATHS_A_DRAW)]  # [S', P]
        judged, probability, pooled = [by_path], 0.0, []
        change = opposition_change(self.evaluated.arrays, by_path.weights) if self.opposed else None
        for r in target.readings:
            weight = np.ones(len(shares))
            if change is not None:
                own = r.history.drivers
                judged.append(pareto_smooth(r.subsample_record.driver_ratio(replace(own, opposition=own.opposition + change))))
                weight = judged[-1].weights
            values, both = self.evaluated.by_reading[r.name], weight[:, None] * shares
            probability += r.weight * float(r.probabilities.mean() / values.mean() * (both * values).sum() / both.sum())
            pooled.append(both.ravel())
        return target.pooled_weights(pooled), probability, judged


def scale_component(name: str, kind: Kind, reweighter: Reweighter, log_density: Floats) -> PowerScaling:
    """A component by its log density at the draws or paths."""
    moves = tuple(reweighter.effect((alpha - 1.0) * log_density, alpha) for alpha in POWERS)
    lower, upper = (reweighter.pooled.distance(reweighter.pooled_weights((a - 1.0) * log_density)) for a in ALPHAS)
    return PowerScaling(name, kind, moves, sensitivity=sensitivity_gradient(lower, upper))


def scale_prior(name: str, reweighter: Reweighter, parameter: ParameterPrior, log_likelihood: Floats) -> PowerScaling:
    """A prior; log_likelihood: of the data that its parameter meets, of the shape of its values."""

    values = parameter.values.ravel()
    own = WeightedValues(values, reweighter.parameter_weights(np.zeros_like(parameter.values)))

    def gradient(log_density: Floats) -> float:
        lower, upper = (own.distance(reweighter.parameter_weights((alpha - 1.0) * log_density)) for alpha in ALPHAS)
        return sensitivity_gradient(lower, upper)

    return replace(
        scale_component(name, "prior", reweighter, parameter.log_density),
        tilts=tuple(reweighter.effect(t * parameter.in_sds, t) for t in TILTS),
        own=OwnSensitivity(gradient(parameter.log_density), gradient(log_likelihood)),
    )


def _log2(x: Floats) -> Floats:
    """log₂ where there is one; 0 elsewhere, for it is multiplied by 0."""
    return np.log2(x, out=np.zeros_like(x), where=x > 0)


def normalised_weights(log_ratios: Floats) -> Floats:
    """Weights [S] that sum to one, from log ratios so small that their tail needs no smoothing: those at the ALPHAS."""
    weights = np.exp(log_ratios - log_ratios.max())
    return np.asarray(weights / weights.sum())


def sensitivity_gradient(lower: float, upper: float, alphas: tuple[float, float] = ALPHAS) -> float:
    """Distance a doubling of α, from the distances at the lower and the upper power."""
    return float((upper / np.log2(alphas[1]) - lower / np.log2(alphas[0])) / 2)


def diagnose(prior: float, likelihood: float, threshold: float = THRESHOLD) -> Label:
    """What the speeds of a quantity under its prior and under its likelihood say together."""
    if prior < threshold:
        return "no sensitivity"
    return "prior–data conflict" if likelihood >= threshold else "strong prior, weak likelihood"
