"""Draws from a posterior of few dimensions, by adaptive importance sampling. NumPy only.

Prior draws weighted by the likelihood degenerate where the two disagree. Here the power of the likelihood rises from 0 to 1 in steps, each
so large that a share of the draws stays effective. After each step a mixture of multivariate t is fitted to the weighted draws, and new
draws are taken from it; so two modes or a curved ridge are no obstacle. The last mixture proposes the final draws, whose weights are
prior × likelihood / proposal, Pareto-smoothed.

Population Monte Carlo with t mixtures: Cappé, Douc, Guillin, Marin and Robert, Adaptive importance sampling in general mixture classes,
Statistics and Computing 18 (2008); powers chosen by effective size: Del Moral, Doucet and Jasra, Statistics and Computing 22 (2012); a wide
component against light tails: Hesterberg, Technometrics 37 (1995).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecast.arrays.psis import SmoothedWeights, pareto_smooth, weight_problem
from forecast.typing import Floats

type LogDensity = Callable[[Floats], Floats]
"""From points (n, d) to log densities (n,), up to a constant."""

STEP_DRAWS: Final = 1000
"""Draws of a step, and so of the prior to begin with."""
DEGREES: Final = 5.0
"""Of freedom of the proposal: its tails are heavier than those of any prior here."""
_COMPONENTS: Final = 8
_EM_ROUNDS: Final = 2
_WIDE_SHARE, _WIDE = 0.1, 2.0  # of the component that covers everything: its share, and its width in sds of all points
_EFFECTIVE: Final = 0.3  # share of the draws of a step that stays effective
_REFINED: Final = 2  # fits of the mixture after the likelihood is in whole
_MOST_STEPS: Final = 60
_EXCLUDED: Final = 1e5  # log prior density below the best draw's from which on the likelihood is not computed


@dataclass(frozen=True, eq=False)
class PosteriorSample:
    """Draws of a posterior: points (n, d), and their weights (n,) with k̂ and effective number."""

    points: Floats
    smoothed: SmoothedWeights


def sample_posterior(
    start: Floats, log_prior: LogDensity, log_likelihood: LogDensity, rng: np.random.Generator, size: int
) -> PosteriorSample:
    """`size` weighted draws from the density prior × likelihood over all of R^d.

    start: draws (n, d) of the prior; a column without spread stays as it is. If the posterior was not reached, k̂ and the effective number
    show it, and the caller judges them.
    """
    moving = np.ptp(start, axis=0) > 0
    if not moving.any():
        return PosteriorSample(np.repeat(start[:1], size, axis=0), pareto_smooth(np.zeros(size)))

    def whole(points: Floats) -> Floats:
        out = np.tile(start[0], (len(points), 1))
        out[:, moving] = points
        return out

    def terms(points: Floats) -> tuple[Floats, Floats]:
        """Log prior and log likelihood (n,), the latter −inf where the prior density is negligible."""
        everything = whole(points)
        prior = log_prior(everything)
        possible = prior > prior.max() - _EXCLUDED
        likelihood = np.full(len(points), -np.inf)
        likelihood[possible] = log_likelihood(everything[possible])
        return prior, likelihood

    for _ in range(2):  # on a hard density the steps may fail; a second attempt takes other draws
        proposal = _adapted(start[:, moving], terms, rng)
        points = proposal.draw(rng, size)
        prior, likelihood = terms(points)
        smoothed = pareto_smooth(prior + likelihood - proposal.log_density(points))
        if not weight_problem(smoothed.k_hat, smoothed.ess):
            break
    return PosteriorSample(whole(points), smoothed)


def _adapted(points: Floats, terms: Callable[[Floats], tuple[Floats, Floats]], rng: np.random.Generator) -> _Mixture:
    """The mixture fitted to the posterior, by steps that begin at draws of the prior."""
    proposal, power, refined = _Mixture.around(points, rng), 0.0, 0
    prior, likelihood = terms(points)
    log_proposal = prior
    for _ in range(_MOST_STEPS):
        power = _next_power(prior - log_proposal, likelihood, power)
        proposal = proposal.fitted(points, _weights(prior - log_proposal + power * likelihood))
        refined += power == 1.0
        if refined > _REFINED:
            break
        points = proposal.draw(rng, len(points))
        log_proposal = proposal.log_density(points)
        prior, likelihood = terms(points)
    return proposal


def _next_power(offset: Floats, likelihood: Floats, power: float) -> float:
    """The largest power up to 1 that leaves a share of the draws effective; no smaller than before."""

    def enough(at: float) -> bool:
        weights = _weights(offset + at * likelihood)
        return bool(1.0 / (weights**2).sum() >= _EFFECTIVE * len(offset))

    if enough(1.0):
        return 1.0
    low, high = power, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low if low > 0 else high  # a first power of exactly 0 would change nothing


def _weights(log_weights: Floats) -> Floats:
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True, eq=False)
class _Mixture:
    """A mixture of multivariate t: shares (k,), centres (k, d), and Cholesky roots (k, d, d) of the scale matrices.

    The last component is the wide one.
    """

    shares: Floats
    centres: Floats
    roots: Floats

    @classmethod
    def around(cls, points: Floats, rng: np.random.Generator) -> _Mixture:
        """Components at some of the points, each as wide as all of them."""
        chosen = points[rng.choice(len(points), _COMPONENTS, replace=len(points) < _COMPONENTS)]
        even = np.full(len(points), 1 / len(points))
        _, root = _moments(points, even)
        return cls(np.full(_COMPONENTS, 1 / _COMPONENTS), chosen, np.repeat(root[None], _COMPONENTS, axis=0)).guarded(points, even)

    def fitted(self, points: Floats, weights: Floats) -> _Mixture:
        """This mixture after rounds of expectation and maximisation on weighted points; components that few points need are dropped."""
        out = _Mixture(self.shares[:-1], self.centres[:-1], self.roots[:-1])
        for _ in range(_EM_ROUNDS):
            out = out._improved(points, weights)
        return out.guarded(points, weights)

    def guarded(self, points: Floats, weights: Floats) -> _Mixture:
        """With a wide component that covers all weighted points, else points in the far tails would get too much weight."""
        centre, root = _moments(points, weights)
        return _Mixture(
            np.r_[(1 - _WIDE_SHARE) * self.shares, _WIDE_SHARE],
            np.concatenate([self.centres, centre[None]]),
            np.concatenate([self.roots, _WIDE * root[None]]),
        )

    def _improved(self, points: Floats, weights: Floats) -> _Mixture:
        d = points.shape[1]
        distances = self._distances(points)
        log_parts = self._log_parts(distances)
        parts = np.exp(log_parts - log_parts.max(0))
        belongs = weights * parts / parts.sum(0)  # (k, n)
        shares = belongs.sum(1)
        kept = (shares**2 > 3 * d * (belongs**2).sum(1)) | (shares == shares.max())
        belongs, shares, distances = belongs[kept], shares[kept], distances[kept]
        near = belongs * (DEGREES + d) / (DEGREES + distances)
        centres = near @ points / near.sum(1, keepdims=True)
        apart = points - centres[:, None]  # (k, n, d)
        scales = np.einsum("kn,kni,knj->kij", near, apart, apart) / shares[:, None, None]
        return _Mixture(shares / shares.sum(), centres, np.array([_root(scale) for scale in scales]))

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        which = rng.choice(len(self.shares), n, p=self.shares)
        apart = np.einsum("nij,nj->ni", self.roots[which], rng.standard_normal((n, self.centres.shape[1])))
        return np.asarray(self.centres[which] + apart / np.sqrt(rng.chisquare(DEGREES, (n, 1)) / DEGREES))

    def log_density(self, points: Floats) -> Floats:
        log_parts = self._log_parts(self._distances(points))
        top = log_parts.max(0)
        return np.asarray(top + np.log(np.exp(log_parts - top).sum(0)))

    def _distances(self, points: Floats) -> Floats:
        """Squared Mahalanobis distance (k, n) to every centre."""
        apart = (points - self.centres[:, None]).swapaxes(1, 2)
        return np.asarray((np.linalg.solve(self.roots, apart) ** 2).sum(1))

    def _log_parts(self, distances: Floats) -> Floats:
        """Log share × density (k, n), up to a constant."""
        spread = np.log(np.diagonal(self.roots, axis1=1, axis2=2)).sum(1)
        return np.asarray((np.log(self.shares) - spread)[:, None] - (DEGREES + self.centres.shape[1]) / 2 * np.log1p(distances / DEGREES))


def _moments(points: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean (d,) and Cholesky root (d, d) of the covariance of weighted points."""
    centre = weights @ points
    return centre, _root(((points - centre) * weights[:, None]).T @ (points - centre))


def _root(scale: Floats) -> Floats:
    """The Cholesky root of a covariance; made definite where the points lie in a plane."""
    width = np.sqrt(np.maximum(np.diag(scale), 1e-300))
    correlation = scale / np.outer(width, width)
    correlation[np.diag_indices_from(correlation)] += 1e-6
    return np.asarray(width[:, None] * np.linalg.cholesky(correlation))
