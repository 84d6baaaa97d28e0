"""Draws for one target turned into draws for another: moved to the same quantile where that is exact, and weighted by log ratios else.

Draws of the prior move from a prior to the edited one. Skips move from one conjugate Beta posterior to another; a skip's posterior is
independent of all else, so moved draws are draws of the new posterior, and the nearer it is the less they move.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import DTypeLike

from forecast.arrays.ladder import skip_counts
from forecast.arrays.psis import SmoothedWeights, pareto_smooth
from forecast.domain import TOP
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.tolerance_data import History
from forecast.priors.distributions import Distribution, HalfNormal, LogNormal, Normal
from forecast.priors.load import Priors
from forecast.reweighting.edit_effects import EditEffects
from forecast.reweighting.importance_ratios import (
    EDGE,
    PARAMETER_FIELDS,
    PARAMETER_READERS,
    RecordLikelihood,
    log_ratio,
    model_prior,
    skip_prior,
    with_parameters,
)
from forecast.typing import Floats, Ints

SKIPS: Final = tuple(name for name in PARAMETER_FIELDS if name.startswith("ladder.skip"))
_LEAST: Final = 1e-6
"""Months above its shift that single precision may have taken from a half-life."""


def transport_prior_draws(draws: ParameterDraws, old: Priors, new: Priors, names: Collection[str]) -> ParameterDraws:
    """Draws [S] of the old prior as draws of the new one, for named priors that are no skips, with what those parameters scale."""
    return with_parameters(
        draws, {name: _transported(PARAMETER_READERS[name](draws), model_prior(old, name), model_prior(new, name)) for name in names}
    )


def _transported(values: Floats, old: Distribution, new: Distribution) -> Floats:
    match old, new:
        case Normal(), Normal():
            return np.asarray(new.mean + (values - old.mean) * (new.sd / old.sd))
        case HalfNormal(), HalfNormal():
            return np.asarray(values * (new.sd / old.sd))
        case LogNormal(), LogNormal():
            z = np.log(np.maximum(values - old.shift, _LEAST) / old.median) / old.sd
            return np.asarray(new.shift + new.median * np.exp(new.sd * z))
    raise TypeError(f"draws of {old} cannot be moved to {new}")


def skip_betas(priors: Priors, names: Collection[str], levels: Ints | None = None) -> tuple[Floats, Floats]:
    """Parameters [4, 2] of the Betas of the named skips by level, up and down; rows of other skips are zero.

    levels: the history that the skips are posterior to; None for the prior. Only named ones: to fit a Beta to quantiles takes time.
    """
    counts = (np.zeros((TOP - 1, 2)), np.zeros((TOP - 1, 2))) if levels is None else skip_counts(levels)
    out = np.zeros((2, TOP - 1, 2))
    for name in names:
        field, row = PARAMETER_FIELDS[name]
        direction, prior = int(field == "skip_down"), skip_prior(priors, name)
        out[direction, row] = np.array([prior.a, prior.b]) + counts[direction][row]
    return out[0], out[1]


def transport_skips(draws: ParameterDraws, before: Sequence[Floats], after: Sequence[Floats]) -> ParameterDraws:
    """Draws [S] whose skips keep their quantiles under other Beta distributions; a skip whose Beta is the same stays as it is.

    before, after: the parameters [4, 2] of the Betas by level, up and down.
    """
    moved = {}
    for field, a, b in zip(("skip_up", "skip_down"), before, after, strict=True):
        values = getattr(draws, field)
        columns = np.flatnonzero((a != b).any(1))
        if len(columns):
            from scipy.special import betainc, betaincinv  # here, since edits of other priors need NumPy alone

            values = values.copy()
            for k in columns:
                values[:, k] = betaincinv(b[k, 0], b[k, 1], betainc(a[k, 0], a[k, 1], np.clip(values[:, k], EDGE, 1 - EDGE)))
        moved[field] = values
    return replace(draws, **moved)


@dataclass(frozen=True, eq=False)
class ReadingTarget:
    """What the draws of one reading are, or shall be, conditioned on: the named priors, and a history of levels with its drivers."""

    priors: Priors
    history: History


@dataclass(frozen=True, eq=False)
class WeightedDraws:
    """Draws [S] of one reading for a new target, with moved skips, and their weights.

    fit: the reading that the draws were fitted to
    """

    draws: ParameterDraws
    smoothed: SmoothedWeights
    fit: str

    @property
    def weights(self) -> Floats:
        """[S], summing to one."""
        return self.smoothed.weights


def weight_draws(
    draws: ParameterDraws, old: ReadingTarget, new: ReadingTarget, fit: str, edit: EditEffects, precision: DTypeLike = float
) -> WeightedDraws:
    """Draws for one target as weighted draws for another.

        log weight = log L(draw; new history) − log L(draw; old history) + log p(draw; new priors) − log p(draw; old priors)

    Pareto-smoothed; skips are moved. edit: how the priors differ; precision: of the exponentials, if only drivers differ.
    """
    ratio = _likelihood_ratio(draws, old.history, new.history, precision) + log_ratio(draws, old.priors, new.priors, edit.densities)
    skips = edit.skips if np.array_equal(old.history.levels, new.history.levels) else SKIPS
    before, after = (skip_betas(target.priors, skips, target.history.levels) for target in (old, new))
    draws = transport_skips(draws, before, after)
    return WeightedDraws(draws, pareto_smooth(ratio), fit)


def _likelihood_ratio(draws: ParameterDraws, old: History, new: History, precision: DTypeLike) -> Floats:
    """Log likelihood of the new history less that of the old one, by draw [S]."""
    if new is old:
        return np.zeros(draws.size)
    fixed = ("log2_deaths", "change", "mobilisation", "administration")  # where these are the same, only pressure and opposition moved
    if np.array_equal(old.levels, new.levels) and all(np.array_equal(getattr(old.drivers, f), getattr(new.drivers, f)) for f in fixed):
        return RecordLikelihood(draws, old, precision).driver_ratio(new.drivers)
    return np.asarray(RecordLikelihood(draws, new).by_month.sum(1) - RecordLikelihood(draws, old).by_month.sum(1))
