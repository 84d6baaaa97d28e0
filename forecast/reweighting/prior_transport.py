"""Draws of model 5's prior moved to an edited prior, each to where it stands at the same quantile: exactly, with no weights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.priors.distributions import HalfNormal, LogNormal, Normal
from forecast.priors.load import Priors
from forecast.reweighting.importance_ratios import PARAMETER_FIELDS, PARAMETER_READERS, model_prior
from forecast.typing import Floats

_LEAST = 1e-6  # months above its shift that single precision may have taken from a half-life


def transport_prior_draws(draws: ParameterDraws, old: Priors, new: Priors, names: Collection[str]) -> ParameterDraws:
    """Draws of the old prior as draws of the new one, for named priors that are no skips.

    What hangs on a parameter moves with it: administrations with their sd, the drift with its sd and half-life.
    """
    out: dict[str, Any] = {}
    for name in names:
        field, column = PARAMETER_FIELDS[name]
        moved = _moved(PARAMETER_READERS[name](draws), model_prior(old, name), model_prior(new, name))
        if column is None:
            out[field] = moved
        else:
            out.setdefault(field, getattr(draws, field).copy())[:, column] = moved
    if "administration_sd" in out:
        out["alpha"] = draws.alpha * _ratio(out["administration_sd"], draws.administration_sd)[:, None]
    if "half_life" in out:
        out["drift"] = _recoloured(draws.drift, _persistence(draws.half_life), _persistence(out["half_life"]))
    if "drift_sd" in out:
        out["drift"] = out.get("drift", draws.drift) * _ratio(out["drift_sd"], draws.drift_sd)[:, None]
    return replace(draws, **out)


def _moved(values: Floats, old: Any, new: Any) -> Floats:
    match old, new:
        case Normal(), Normal():
            return np.asarray(new.mean + (values - old.mean) * (new.sd / old.sd))
        case HalfNormal(), HalfNormal():
            return np.asarray(values * (new.sd / old.sd))
        case LogNormal(), LogNormal():
            z = np.log(np.maximum(values - old.shift, _LEAST) / old.median) / old.sd
            return np.asarray(new.shift + new.median * np.exp(new.sd * z))
    raise TypeError(f"no way from {old} to {new}")


def _ratio(after: Floats, before: Floats) -> Floats:
    return np.where(before > 0, after / np.where(before > 0, before, 1.0), 1.0)


def _persistence(half_life: Floats) -> Floats:
    """[S, 1]: what is left of a drift after a year."""
    return np.asarray(2.0 ** (-12.0 / half_life))[:, None]


def _recoloured(drift: Floats, old: Floats, new: Floats) -> Floats:
    """A stationary walk [S, knots] with another persistence, from the same normals."""
    steps = (drift[:, 1:] - old * drift[:, :-1]) * np.sqrt((1 - new**2) / (1 - old**2))
    out = drift.copy()
    for k in range(1, drift.shape[1]):
        out[:, k] = new[:, 0] * out[:, k - 1] + steps[:, k - 1]
    return out
