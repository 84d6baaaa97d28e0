"""Model 3 with its Gaussian part integrated out: moments, likelihood and draws given σ_d, ρ, σ_e and ω.

All functions work on many values of the four hyperparameters at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from forecast import domain
from forecast.arrays.gaussian import log_densities
from forecast.model.poll_shares import FIRST_KNOT, PollShare
from forecast.model.tolerance_data import LOGIT_60
from forecast.typing import Floats

OFFSETS: Final = ("unilateral", "coordinated", "agents")
"""Wordings with an effect of their own, compared with an unqualified question about force, in this order."""


KNOT_MONTHS: Final = 3
HYPER: Final = ("walk_sd", "house_sd", "poll_noise", "favourability")
"""The hyperparameters σ_d, ρ, σ_e, ω in this order; the first three are positive."""
_POSITIVE: Final = np.array([True, True, True, False])

_CHUNK = 250  # rows of hyperparameters worked on at once, to bound memory


class SampledPrior(Protocol):
    """A prior that can be sampled and evaluated."""

    def sample(self, rng: np.random.Generator, size: int) -> Any: ...

    def logpdf(self, x: Floats) -> Floats: ...


@dataclass(frozen=True)
class OppositionPriors:
    """Priors of model 3; (mean, sd) where the prior is normal.

    hyper      of the four hyperparameters
    start      of the first knot
    intercept  of the level of favourability at 60 % opposed
    wording    of the effects of OFFSETS
    """

    hyper: tuple[SampledPrior, SampledPrior, SampledPrior, SampledPrior]
    start: tuple[float, float]
    intercept: tuple[float, float]
    wording: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, priors: Mapping[str, Any]) -> OppositionPriors:
        """From named priors (or their specs) `opposition.*`; KeyError names one that is missing."""

        def spec(name: str) -> Any:
            prior = priors[f"opposition.{name}"]
            return getattr(prior, "spec", prior)

        def normal(name: str) -> tuple[float, float]:
            return float(spec(name).mean), float(spec(name).sd)

        walk, house, noise, slope = (spec(name) for name in HYPER)
        wording = tuple(normal(f"wording.{name}") for name in OFFSETS)
        return cls((walk, house, noise, slope), normal("start"), normal("favourability_intercept"), wording)


def _walk_basis(months: NDArray[np.intp], last: int) -> Floats:
    """(months, steps): the part of each quarterly step that each month includes, for knots from 2000-01 to the first at or after `last`."""
    steps = -(-(last - FIRST_KNOT) // KNOT_MONTHS)
    return np.clip((months[:, None] - FIRST_KNOT) / KNOT_MONTHS - np.arange(steps), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class PollDesign:
    """The m polls as arrays.

    y              [m] logits
    variance       [m] sampling variances
    months         [m] months
    wording        [m, 3] indicators of OFFSETS
    house          [m, h] indicators of houses
    favour         [m] indicator of favourability
    wording_prior  [3, 2] mean and sd of the effects of OFFSETS
    start          mean and sd of the first knot
    intercept      mean and sd of the level of favourability
    """

    y: Floats
    variance: Floats
    months: NDArray[np.intp]
    wording: Floats
    house: Floats
    favour: Floats
    wording_prior: Floats
    start: tuple[float, float]
    intercept: tuple[float, float]

    @classmethod
    def of(cls, rows: Sequence[PollShare], priors: OppositionPriors) -> PollDesign:
        houses = house_names(rows)
        return cls(
            np.array([r.logit for r in rows]),
            np.array([r.sampling_variance for r in rows]),
            np.array([r.month for r in rows], dtype=np.intp),
            np.array([[float(r.wording == name) for name in OFFSETS] for r in rows]),
            np.array([[float((r.pollster, r.topic) == house) for house in houses] for r in rows]),
            np.array([float(r.wording == "favourability") for r in rows]),
            np.array(priors.wording, dtype=float),
            priors.start,
            priors.intercept,
        )

    def slope(self, omega: Floats) -> Floats:
        """(n, m): what a unit of d adds to the logit of each poll."""
        return np.where(self.favour > 0, omega[:, None], 1.0)

    def expected(self, hyper: Floats) -> Floats:
        """(n, m): prior mean of the logits."""
        force = self.start[0] + self.wording @ self.wording_prior[:, 0]
        return np.where(self.favour > 0, self.intercept[0] + hyper[:, [3]] * (self.start[0] - LOGIT_60), force)

    def covariances(self, hyper: Floats) -> Floats:
        """(n, m, m): prior covariance of the logits given hyperparameters (n, 4)."""
        walk, house, noise, omega = hyper.T
        basis = _walk_basis(self.months, int(self.months.max()))
        slope = self.slope(omega)
        fixed = (self.wording * self.wording_prior[:, 1] ** 2) @ self.wording.T
        fixed = fixed + self.intercept[1] ** 2 * np.outer(self.favour, self.favour)
        d = self.start[1] ** 2 + walk[:, None, None] ** 2 * (basis @ basis.T)
        out = slope[:, :, None] * slope[:, None, :] * d + house[:, None, None] ** 2 * (self.house @ self.house.T) + fixed
        diagonal = np.arange(len(self.y))
        out[:, diagonal, diagonal] += self.variance + noise[:, None] ** 2
        return np.asarray(out)

    def log_likelihood(self, hyper: Floats) -> Floats:
        """(n,): log density of all logits, with everything but the hyperparameters integrated out."""
        return np.concatenate(
            [log_densities(self.y - self.expected(hyper[part]), self.covariances(hyper[part])) for part in _chunks(len(hyper))]
        )


def unconstrain(hyper: Floats) -> Floats:
    """Hyperparameters (n, 4) on the unconstrained scale: the logarithm of those that are positive."""
    return np.where(_POSITIVE, np.log(np.where(_POSITIVE, np.maximum(hyper, 1e-300), 1.0)), hyper)


def constrain(points: Floats) -> Floats:
    """Hyperparameters (n, 4) from the unconstrained scale."""
    return np.where(_POSITIVE, np.exp(np.where(_POSITIVE, np.clip(points, -700.0, 300.0), 0.0)), points)


def log_prior(priors: OppositionPriors, points: Floats) -> Floats:
    """(n,): log prior density on the unconstrained scale, of the hyperparameters that vary."""
    hyper, total = constrain(points), np.zeros(len(points))
    for i, spec in enumerate(priors.hyper):
        if np.ptp(points[:, i]) > 0:
            total = total + spec.logpdf(hyper[:, i]) + (points[:, i] if _POSITIVE[i] else 0.0)
    return np.asarray(total)


def house_names(rows: Sequence[PollShare]) -> tuple[tuple[str, str], ...]:
    """The (pollster, topic) pairs, each with a house effect of its own."""
    return tuple(dict.fromkeys((r.pollster, r.topic) for r in rows))


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK))


@dataclass(frozen=True, eq=False)
class Moments:
    """Exact moments given each of n rows of hyperparameters. u unknowns: d by month, wordings, level of favourability, houses.

    means               [n, u]
    variance            [u] the mean over rows, by their weights, of the variance given a row
    fitted              [n, m] posterior means of the polls' logits
    influence           [n, m] change of d at the origin if the poll's logit were one higher
    predicted           [n, m] mean of each logit given all other polls
    predicted_variance  [n, m] its variance
    """

    means: Floats
    variance: Floats
    fitted: Floats
    influence: Floats
    predicted: Floats
    predicted_variance: Floats


def moments(data: PollDesign, hyper: Floats, weights: Floats, origin: int) -> Moments:
    """Exact conditional moments for hyperparameters (n, 4) with weights (n,) that sum to one; months are those from 2006-01 to `origin`."""
    parts = [_chunk_moments(data, hyper[part], weights[part], origin) for part in _chunks(len(hyper))]
    variance, *columns = zip(*parts, strict=True)
    means, *others = (np.concatenate(column) for column in columns)
    return Moments(means, np.maximum(sum(variance), 0.0), *others)  # a difference of large numbers, where a prior is wide


def _chunk_moments(
    data: PollDesign, hyper: Floats, weights: Floats, origin: int
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:  # fmt: skip
    """The part of one chunk in `variance`, and the other moments.

    The prior covariance of the unknowns with the polls is s² + σ_d² B for d, times the slope of each poll, and constant but for a factor
    for the others. So only m × m matrices are summed over the rows, never the unknowns of each.
    """
    months = np.arange(domain.FIRST_MONTH, origin + 1)
    basis, seen = _walk_basis(months, origin), _walk_basis(data.months, origin)
    walk, house, noise, omega = hyper.T
    walk2, house2, s2, n = walk**2, house**2, data.start[1] ** 2, len(hyper)
    offset_mean, offset_sd = data.wording_prior.T
    common, constant = basis @ seen.T, np.vstack([data.wording.T, data.favour])
    constant_variance = np.r_[offset_sd**2, data.intercept[1] ** 2]
    precision, slope = np.linalg.inv(data.covariances(hyper)), data.slope(omega)  # small, well conditioned: the noise has a floor
    surprise = (precision @ (data.y - data.expected(hyper))[..., None])[..., 0]
    pull = slope * surprise
    means = np.hstack(
        [
            data.start[0] + s2 * pull.sum(1, keepdims=True) + (walk2[:, None] * pull) @ common.T,
            np.r_[offset_mean, data.intercept[0]] + constant_variance * (surprise @ constant.T),
            house2[:, None] * (surprise @ data.house),
        ]
    )

    def summed(matrices: Floats, *by: Floats) -> Floats:  # weighted sums over the rows, one for each factor
        return (np.array([weights * factor for factor in by]) @ matrices.reshape(n, -1)).reshape(len(by), *matrices.shape[1:])

    one = np.ones(n)
    of_start, of_both, of_walk = summed(slope[:, :, None] * precision * slope[:, None, :], one, walk2, walk2**2)
    of_constants, of_houses = summed(precision, one, house2**2)
    explained = s2**2 * of_start.sum() + 2.0 * s2 * common @ of_both.sum(1) + ((common @ of_walk) * common).sum(1)
    variance = np.r_[
        s2 * weights.sum() + (weights @ walk2) * (basis**2).sum(1) - explained,
        constant_variance * weights.sum() - constant_variance**2 * ((constant @ of_constants) * constant).sum(1),
        weights @ house2 - ((data.house.T @ of_houses) * data.house.T).sum(1),
    ]
    now = (s2 + walk2[:, None] * common[-1]) * slope  # prior covariance of d at the origin with the polls
    influence = (now[:, None, :] @ precision)[:, 0]
    own = np.diagonal(precision, axis1=1, axis2=2)
    fitted = data.y - (data.variance + noise[:, None] ** 2) * surprise
    return variance, means, fitted, influence, data.y - surprise / own, 1.0 / own


def draws(rng: np.random.Generator, polls: PollDesign, hyper: Floats, last: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """One joint draw of d by month from 2006-01 to `last`, of the wording effects, of the first knot and of the level of favourability, for
    each row of hyperparameters (n, 4); and the log likelihood of the polls given all of that and the houses (n,).

    Matheron's rule: a draw from the prior, corrected by the difference between the real polls and those simulated from it.
    """
    basis = _walk_basis(np.arange(domain.FIRST_MONTH, last + 1), last)
    seen = _walk_basis(polls.months, last)
    parts = [_chunk_draws(rng, polls, hyper[part], basis, seen) for part in _chunks(len(hyper))]
    d, wording, start, level, likelihood = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return d, wording, start, level, likelihood


def _chunk_draws(
    rng: np.random.Generator, polls: PollDesign, hyper: Floats, basis: Floats, seen: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """`draws` for one chunk, with d in the months of `basis`; `seen`: the basis in the months of the polls."""
    walk, house, noise, omega = hyper.T
    n = len(hyper)
    offset_mean, offset_sd = polls.wording_prior.T
    first = polls.start[0] + polls.start[1] * rng.standard_normal(n)
    steps = walk[:, None] * rng.standard_normal((n, basis.shape[1]))
    wording = offset_mean + offset_sd * rng.standard_normal((n, len(OFFSETS)))
    level = polls.intercept[0] + polls.intercept[1] * rng.standard_normal(n)
    r = house[:, None] * rng.standard_normal((n, polls.house.shape[1]))
    variance = polls.variance + noise[:, None] ** 2
    e = np.sqrt(variance) * rng.standard_normal((n, len(polls.y)))
    d_seen = first[:, None] + steps @ seen.T
    force, favour = d_seen + wording @ polls.wording.T, level[:, None] + omega[:, None] * (d_seen - LOGIT_60)
    simulated = np.where(polls.favour > 0, favour, force) + r @ polls.house.T + e
    surprise = np.linalg.solve(polls.covariances(hyper), (polls.y - simulated)[..., None])[..., 0]
    pull = polls.slope(omega) * surprise
    first = first + polls.start[1] ** 2 * pull.sum(1)
    steps = steps + walk[:, None] ** 2 * (pull @ seen)
    wording = wording + offset_sd**2 * (surprise @ polls.wording)
    level = level + polls.intercept[1] ** 2 * (surprise @ polls.favour)
    residual = e + variance * surprise  # of each poll given the draw
    likelihood = -0.5 * (residual**2 / variance + np.log(2 * np.pi * variance)).sum(1)
    return first[:, None] + steps @ basis.T, wording, first, level, likelihood
