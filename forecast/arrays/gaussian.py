"""Linear-Gaussian algebra on dense arrays: conditioning, drawing, log densities of many covariances at once. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.typing import Floats


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A multivariate normal by mean (d,) and covariance (d, d); the covariance may be singular."""

    mean: Floats
    cov: Floats

    def condition(self, design: Floats, values: Floats, noise: Floats) -> Gaussian:
        """This normal given observed `values` (m,) = `design` (m, d) @ z + N(0, `noise` (m, m)).

        One conditioning in covariance form; LinAlgError if the observations have a singular covariance.
        """
        if len(values) == 0:
            return self
        cross = design @ self.cov
        gain = np.linalg.solve(cross @ design.T + noise, cross)
        cov = self.cov - cross.T @ gain
        return Gaussian(self.mean + (values - design @ self.mean) @ gain, (cov + cov.T) / 2)

    def marginal(self, which: slice | NDArray[np.intp]) -> Gaussian:
        """The distribution of the chosen coordinates."""
        return Gaussian(self.mean[which], self.cov[which][:, which])

    @property
    def sd(self) -> Floats:
        return np.sqrt(np.clip(np.diag(self.cov), 0.0, None))

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """(n, d) draws, by the symmetric root, which a singular covariance has too."""
        values, vectors = np.linalg.eigh(self.cov)
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        return self.mean + rng.standard_normal((n, len(self.mean))) @ root.T


def log_densities(residuals: Floats, covs: Floats) -> Floats:
    """log N(residual; 0, cov) for a stack: residuals (n, m), covariances (n, m, m) → (n,).

    LinAlgError if one of them is not positive definite.
    """
    roots = np.linalg.cholesky(covs)
    white = np.linalg.solve(roots, residuals[..., None])[..., 0]
    log_det = 2.0 * np.log(np.diagonal(roots, axis1=-2, axis2=-1)).sum(-1)
    out: Floats = -0.5 * ((white**2).sum(-1) + log_det + residuals.shape[-1] * np.log(2.0 * np.pi))
    return out
