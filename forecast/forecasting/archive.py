"""Draws in and out of `draws.npz`: what answers an edited prior or a scenario without fitting again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.forecasting.draws import ParameterDraws

type Arrays = dict[str, NDArray[Any]]


def pack_draws(reading: str, draws: ParameterDraws) -> Arrays:
    """Single precision, under `<reading>/<field>`; what rounding does to a probability is far below its Monte Carlo error."""
    return {f"{reading}/{field}": values.astype(np.float32) for field, values in draws.__dict__.items()}


def unpack_draws(arrays: Mapping[str, NDArray[Any]], reading: str) -> ParameterDraws:
    """The draws of one reading; KeyError if the archive has none."""
    fields = ParameterDraws.__dataclass_fields__
    return ParameterDraws(**{field: np.asarray(arrays[f"{reading}/{field}"], float) for field in fields})
