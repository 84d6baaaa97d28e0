"""Model 5 in plain arrays: the order of its free parameters, what they stand for, and the log density at many points. No PyMC.

The equations are those of `tolerance.py`. `tolerance_kernel.py` computes the same density and its gradient at one point, for the sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.decay import yearly_persistence
from forecast.model.tolerance_data import ADMINISTRATIONS
from forecast.typing import Floats

type ModelData = Mapping[str, NDArray[np.generic]]
"""The data of the model by name, as `model_data` makes them."""

COLUMNS: Final = (
    "used", "rose", "fell", "level", "in_office", "just_risen", "pressure", "log2_deaths", "change", "opposition", "mobilised",
)  # fmt: skip
"""What the kernel reads of each month, in this order."""
CONSTANTS: Final = (
    "rise", "stay", "leverage", "leverage_on_falls", "just_risen", "overdose_level", "overdose_change", "opposition", "mobilisation_sd",
    "administration_sd", "drift_sd", "half_life", "symmetric",
)  # fmt: skip
"""What the kernel reads of the priors, in this order."""


def free_parameters(n_knots: int) -> dict[str, int]:
    """The free parameters in the sampler's order, each with its number of elements. All are standard normal a priori, but for those
    whose name ends in `_log__`: logarithms of standard half-normals."""
    return {
        "logit_rise_z": 5, "log_stay_z": 5, "leverage_effect_z": 1, "leverage_effect_on_falls_free_z": 1, "just_risen_effect_z": 1,
        "overdose_level_effect_z": 1, "overdose_change_effect_z": 1, "opposition_effect_z": 1, "opposition_mobilisation_z_log__": 1,
        "administration_sd_z_log__": 1, "administration_z": ADMINISTRATIONS, "drift_sd_z_log__": 1, "drift_half_life_z": 1,
        "drift_z": n_knots,
    }  # fmt: skip


def knots_of(data: ModelData) -> int:
    return int(data["knot_weights"].shape[1])


def pack(data: ModelData) -> Floats:
    """All that the kernel reads, in one array: months, knots, administrations, constants of the priors, columns of the months."""
    sizes = [len(data["used"]), knots_of(data), ADMINISTRATIONS]
    parts = [np.asarray(data[f"prior_{name}"], float).ravel() for name in CONSTANTS]
    return np.concatenate([np.array(sizes, float), *parts, *(np.asarray(data[name], float) for name in COLUMNS)])


def parameters(points: Floats, data: ModelData) -> dict[str, Floats]:
    """The named parameters at points [..., n] of the free ones: name → [...], or [..., k] for those with k elements."""
    z, prior = _split(points, knots_of(data)), _priors(data)
    out = {"logit_rise": prior["rise"][:, 0] + prior["rise"][:, 1] * z["logit_rise_z"]}
    out["log_stay"] = prior["stay"][:, 0] + prior["stay"][:, 1] * z["log_stay_z"]
    for name, constants in (
        ("leverage_effect", "leverage"), ("leverage_effect_on_falls", "leverage_on_falls"), ("just_risen_effect", "just_risen"),
        ("overdose_level_effect", "overdose_level"), ("overdose_change_effect", "overdose_change"), ("opposition_effect", "opposition"),
    ):  # fmt: skip
        free = z["leverage_effect_on_falls_free_z" if name == "leverage_effect_on_falls" else f"{name}_z"]
        out[name] = prior[constants][0] + prior[constants][1] * free[..., 0]
    if prior["symmetric"] > 0.5:
        out["leverage_effect_on_falls"] = -out["leverage_effect"]
    out["opposition_mobilisation"] = prior["mobilisation_sd"] * np.exp(z["opposition_mobilisation_z_log__"][..., 0])
    out["administration_sd"] = prior["administration_sd"] * np.exp(z["administration_sd_z_log__"][..., 0])
    out["administration_effect"] = out["administration_sd"][..., None] * z["administration_z"]
    out["drift_sd"] = prior["drift_sd"] * np.exp(z["drift_sd_z_log__"][..., 0])
    out["drift_half_life"] = prior["half_life"][2] + np.exp(prior["half_life"][0] + prior["half_life"][1] * z["drift_half_life_z"][..., 0])
    out["drift"] = out["drift_sd"][..., None] * _stationary_ar1(z["drift_z"], yearly_persistence(out["drift_half_life"]))
    return out


def log_density(points: Floats, data: ModelData) -> Floats:
    """Log density [...] of the free parameters at points [..., n], with all its constants."""
    p = parameters(points, data)
    month = {name: np.asarray(data[name], float) for name in COLUMNS}
    a, b = np.full((*points.shape[:-1], 6), -np.inf), np.full((*points.shape[:-1], 6), -np.inf)
    c = -np.logaddexp(0.0, p["logit_rise"]) / 12.0
    a[..., :-1] = np.log(-np.expm1(c)) - c
    x = np.log(2.0) * np.exp(-p["log_stay"])
    b[..., 1:] = x + np.log(-np.expm1(-x))

    def times(name: str, column: str) -> Floats:
        return np.asarray(p[name][..., None] * month[column])

    opposition = month["opposition"] + times("opposition_mobilisation", "mobilised")
    theta = p["administration_effect"][..., data["in_office"].astype(int)] + p["drift"] @ np.asarray(data["knot_weights"], float).T
    theta = theta + times("overdose_level_effect", "log2_deaths") + times("overdose_change_effect", "change")
    theta = theta - p["opposition_effect"][..., None] * opposition
    level = data["level"].astype(int)
    up = a[..., level] + theta + times("leverage_effect", "pressure")
    down = b[..., level] - theta + times("leverage_effect_on_falls", "pressure") + times("just_risen_effect", "just_risen")
    moves = np.where(month["rose"] > 0, up, np.where(month["fell"] > 0, down, 0.0))
    record = (month["used"] * (moves - np.logaddexp(np.logaddexp(0.0, up), down))).sum(-1)
    return np.asarray(record + _log_prior(points, knots_of(data)))


def _log_prior(points: Floats, n_knots: int) -> Floats:
    half = np.repeat([name.endswith("_log__") for name in free_parameters(n_knots)], list(free_parameters(n_knots).values()))
    normal = -0.5 * points**2 - 0.5 * np.log(2.0 * np.pi)
    half_normal = -0.5 * np.exp(2.0 * points) + points + 0.5 * np.log(2.0 / np.pi)
    return np.asarray(np.where(half, half_normal, normal).sum(-1))


def _split(points: Floats, n_knots: int) -> dict[str, Floats]:
    sizes = free_parameters(n_knots)
    return dict(zip(sizes, np.split(points, np.cumsum(list(sizes.values()))[:-1], axis=-1), strict=True))


def _priors(data: ModelData) -> dict[str, Floats]:
    return {name: np.asarray(data[f"prior_{name}"], float) for name in CONSTANTS}


def _stationary_ar1(z: Floats, rho: Floats) -> Floats:
    """[..., knots] from standard normals of that shape and ρ [...]: u_k = ρ u_{k−1} + √(1 − ρ²) z_k, of unit marginal sd."""
    out = z.copy()
    for k in range(1, z.shape[-1]):
        out[..., k] = rho * out[..., k - 1] + np.sqrt(1.0 - rho**2) * z[..., k]
    return out
