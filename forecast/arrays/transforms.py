"""Between probabilities and log-odds, in NumPy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forecast.typing import Floats


def logit(p: ArrayLike, edge: float = 0.0) -> Floats:
    """Log-odds of probabilities of any shape.

    edge: how near to 0 and 1 a probability may come; nearer ones count as being there. With 0 they must lie within (0, 1).
    """
    inside = np.clip(np.asarray(p, float), edge, 1.0 - edge)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def expit(log_odds: ArrayLike) -> Floats:
    """Probabilities of log-odds of any shape. The exponential is only taken of numbers below 0, so nothing overflows."""
    z = np.asarray(log_odds, float)
    small = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1.0, small) / (1.0 + small))
