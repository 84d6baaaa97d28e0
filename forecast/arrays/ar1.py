"""Slow drift at yearly knots."""

from __future__ import annotations

import numpy as np

from forecast.typing import Floats


def knot_weights(n_months: int, n_knots: int) -> Floats:
    """[n_months, n_knots]: linear interpolation between knots each January, month 0 being a January."""
    years, part = np.divmod(np.arange(n_months), 12)
    out = np.zeros((n_months, n_knots))
    out[np.arange(n_months), years] = 1.0 - part / 12.0
    out[np.arange(n_months), years + 1] += part / 12.0
    return out
