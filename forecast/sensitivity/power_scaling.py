"""Power-scaling: what the headline would do if a prior, or a block of data, counted a little more or a little less.

A prior π raised to α is a prior narrower (α > 1) or wider (α < 1): of a normal, the sd over √α. A block of data raised to α is as much
evidence of the same kind as α times that block. Both are answered by weights on the draws, Pareto-smoothed. Priors are raised on the scale
on which the model has them: rises on the logit, stays and half-lives on the log, all else as it is. Of scales that lie beneath
(administrations, drift) the prior of the scale is raised, not of what it scales.

Raising a prior asks what its weight does. Where the data say nothing and the headline is straight in the parameter, that is little, however
much hangs on where the prior lies. So each prior is also tilted: its density times e^{t z}, z its parameter in sds of the prior from its
mean, which moves a normal by t sds and leaves its width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from forecast.arrays.psis import pareto_smooth
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.priors.distributions import Beta, Distribution, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, rise_after_selection
from forecast.reweighting.importance_ratios import PARAMETER_READERS, skip_prior
from forecast.sensitivity.power_scaling import ALPHAS, Label, cumulative_jensen_shannon, diagnose, normalised_weights, sensitivity_gradient
from forecast.sensitivity.target_question import TargetQuestion
from forecast.typing import Floats

type Terms = Mapping[str, Floats]
"""Log density by reading, each [S]."""
type Kind = Literal["prior", "data", "all"]

POWERS: Final = (0.8, 1.25)
"""Powers at which the move of the headline is given: a fifth less, a quarter more."""
TILTS: Final = (-0.5, 0.5)
"""How far each prior is tilted, in sds of it."""
_EDGE = 1e-7


@dataclass(frozen=True)
class ScaledEffect:
    """The headline with a component at a power or a prior tilted, and how well the weights carry it: the worst over readings."""

    at: float
    probability: float
    k_hat: float
    ess: float


@dataclass(frozen=True)
class PowerScaling:
    """A component and what it does.

    moves         at the two POWERS; empty if it can't be scaled, or has no part in the headline
    tilts         at the two TILTS, of a prior
    sensitivity   speed of the distribution of the headline's per-draw probability; None if there are no moves
    own           the same of the prior's own parameter, under the prior and under the data it meets; None for data
    note          why there are no moves
    """

    name: str
    kind: Kind
    moves: tuple[ScaledEffect, ...] = ()
    tilts: tuple[ScaledEffect, ...] = ()
    sensitivity: float | None = None
    own: tuple[float, float] | None = None
    note: str = ""

    @property
    def label(self) -> Label | None:
        return None if self.own is None else diagnose(*self.own)


@dataclass(frozen=True)
class ParameterPrior:
    """Values of a parameter [S] on the scale on which its prior stands, and that prior."""

    values: Floats
    prior: Distribution

    @property
    def log_density(self) -> Floats:
        return self.prior.logpdf(self.values)

    @property
    def in_sds(self) -> Floats:
        """The values over the sd of the prior."""
        return self.values / sd_of(self.prior)


def sd_of(prior: Distribution) -> float:
    """Standard deviation of a normal, half-normal or Beta."""
    if isinstance(prior, HalfNormal):
        return prior.sd * math.sqrt(1.0 - 2.0 / math.pi)
    if isinstance(prior, Beta):
        total = prior.a + prior.b
        return math.sqrt(prior.a * prior.b / (total**2 * (total + 1.0)))
    assert isinstance(prior, Normal)
    return prior.sd


def parameter_prior(draws: ParameterDraws, priors: Priors, name: str) -> ParameterPrior:
    """A prior of model 5 at its draws, the selection factor applied."""
    values, spec = PARAMETER_READERS[name](draws), priors.distribution(name)
    if name == RISE:
        return ParameterPrior(values, Normal(*rise_after_selection(priors)))
    if name.startswith("ladder.skip"):
        return ParameterPrior(np.clip(values, _EDGE, 1 - _EDGE), skip_prior(priors, name))
    if isinstance(spec, Quantiles):
        return ParameterPrior(values, Normal(spec.location, spec.sd))
    if isinstance(spec, LogNormal):
        return ParameterPrior(np.log(values - spec.shift), Normal(math.log(spec.median), spec.sd))
    return ParameterPrior(values, spec)


def skips_likelihood(draws: ParameterDraws, counts: tuple[Floats, Floats]) -> Floats:
    """Log likelihood [S] of how often moves went on or stopped, from the counts [4, 2] up and down."""
    total = np.zeros(draws.size)
    for skip, seen in zip((draws.skip_up, draws.skip_down), counts, strict=True):
        inside = np.clip(skip, _EDGE, 1 - _EDGE)
        total += np.log(inside) @ seen[:, 0] + np.log1p(-inside) @ seen[:, 1]
    return total


def scale_prior(name: str, headline: TargetQuestion, priors: Priors, against: Terms) -> PowerScaling:
    """A prior of model 5; against: the log likelihood of the data that its parameter meets."""
    found = {r.name: parameter_prior(r.draws, priors, name) for r in headline.readings}
    terms = {n: b.log_density for n, b in found.items()}
    _, base = headline.pooled
    about = np.concatenate([found[r.name].values for r in headline.readings])
    return replace(
        scale_component(name, "prior", headline, terms),
        tilts=tuple(_move(headline, {n: t * b.in_sds for n, b in found.items()}, t) for t in TILTS),
        own=(_speed(headline, about, base, terms), _speed(headline, about, base, against)),
    )


def scale_component(name: str, kind: Kind, headline: TargetQuestion, terms: Terms) -> PowerScaling:
    """A component that acts through the draws of model 5, by its log density."""
    values, base = headline.pooled
    moves = tuple(_move(headline, {n: (alpha - 1.0) * term for n, term in terms.items()}, alpha) for alpha in POWERS)
    return PowerScaling(name, kind, moves, sensitivity=_speed(headline, values, base, terms))


def _move(headline: TargetQuestion, log_ratios: Terms, at: float) -> ScaledEffect:
    smoothed = [pareto_smooth(log_ratios[r.name]) for r in headline.readings]
    probability = sum(r.weight * float(s.weights @ r.chance) for r, s in zip(headline.readings, smoothed, strict=True))
    return ScaledEffect(at, probability, max(s.k_hat for s in smoothed), min(s.effective for s in smoothed))


def _speed(headline: TargetQuestion, values: Floats, base: Floats, terms: Terms) -> float:
    weights = ([normalised_weights((alpha - 1.0) * terms[r.name]) for r in headline.readings] for alpha in ALPHAS)
    lower, upper = (cumulative_jensen_shannon(values, base, headline.spread(w)) for w in weights)
    return sensitivity_gradient(lower, upper)
