"""Draws in and out of `draws.npz`: what answers an edited prior or a scenario without fitting again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.domain import TOP
from forecast.forecasting.draws import ParameterDraws
from forecast.forecasting.pool import Pool
from forecast.forecasting.situation import Situation

if TYPE_CHECKING:
    from forecast.forecasting.readings import ReadingForecast

type Arrays = dict[str, NDArray[Any]]

SECRET = (3, 4, TOP)
"""Levels for which the first month of reaching them is kept by level: below, what happens is known at once."""


def pack(situation: Situation, readings: Mapping[str, ReadingForecast], pool: Pool) -> Arrays:
    """Everything that `draws.npz` holds, in single precision: rounding moves a probability far less than its Monte Carlo error.

    <reading>/<parameter> [S, …] the draws; <reading>/levels [T]; <reading>/skips_up, skips_down [4, 2] counts (went on, stopped);
    <reading>/entered/<k> [H, levels >= k, S]; <reading>/in_force [H, 6, S]; <reading>/fallen [2, H, S];
    pool/<field>; drivers/<field> [T]; opposition/hyper and /weights, model 3's draws.
    """
    out: Arrays = {}
    for name, made in readings.items():
        out |= pack_draws(name, made.draws)
        out[f"{name}/levels"] = made.history.levels.astype(np.int8)
        out[f"{name}/skips_up"], out[f"{name}/skips_down"] = made.skip_counts
        out |= {f"{name}/entered/{k}": _single(made.climb.entered[k - 1, :, k:]) for k in SECRET}
        out[f"{name}/in_force"], out[f"{name}/fallen"] = _single(made.climb.in_force), _single(made.climb.fallen)
    out |= {f"pool/{f.name}": _single(getattr(pool, f.name)) for f in fields(pool)}
    out |= {f"drivers/{f.name}": np.asarray(getattr(situation.drivers, f.name)) for f in fields(situation.drivers)}
    out["opposition/hyper"], out["opposition/weights"] = situation.opposition.hyper, situation.opposition.weights
    return out


def _single(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.int8) if values.dtype.kind == "i" else values.astype(np.float32)


def pack_draws(reading: str, draws: ParameterDraws) -> Arrays:
    """The parameters of one reading, under `<reading>/<field>`."""
    return {f"{reading}/{field}": _single(values) for field, values in draws.__dict__.items()}


def unpack_draws(arrays: Mapping[str, NDArray[Any]], reading: str) -> ParameterDraws:
    """The draws of one reading; KeyError if the archive has none."""
    return ParameterDraws(**{f.name: np.asarray(arrays[f"{reading}/{f.name}"], float) for f in fields(ParameterDraws)})
