"""What model 5 is given: the constants of its priors and the history, as arrays of fixed shape. No PyMC here."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.decay import knot_weights
from forecast.domain import FIRST_MONTH, Month
from forecast.model.history import History
from forecast.typing import Floats

MODEL_VERSION = "1"
ADMINISTRATIONS = 8
"""Slots for Mexican administrations; those not yet seen are draws from the prior, which future ones use."""
SLOT_YEARS = 25
"""Months enter in slots of fixed number, 2006 on; a longer history takes the next ten years of slots and compiles anew."""
AHEAD_YEARS = 3
"""Years of knots of the drift beyond the slots, so that the simulation only interpolates."""


@dataclass(frozen=True)
class TolerancePriors:
    """Constants of model 5's priors, as locations and scales on the scale each parameter is normal on.

    rise [5, 2] logit of the 12-month probability; stay [5, 2] log of the median months; the others [2] as (location, scale);
    half-normals are scales alone; half_life is (log median, log sd, shift in months); symmetric sets π⁻ = −π⁺.
    skip_up, skip_down [4, 2]: Beta parameters, conjugate, outside the sampler.
    """

    rise: Floats
    stay: Floats
    leverage: Floats
    leverage_on_falls: Floats
    fresh: Floats
    overdose_level: Floats
    overdose_change: Floats
    opposition: Floats
    mobilisation_sd: float
    administration_sd: float
    drift_sd: float
    half_life: Floats
    skip_up: Floats
    skip_down: Floats
    symmetric: bool = False

    def constants(self) -> dict[str, Floats]:
        """What enters the graph: name → array."""
        skip = ("skip_up", "skip_down")
        return {f"prior_{f.name}": np.asarray(getattr(self, f.name), float) for f in fields(self) if f.name not in skip}


def slots(origin: Month) -> tuple[int, int]:
    """(months, knots) of the graph that holds a history up to the origin."""
    years = SLOT_YEARS
    while FIRST_MONTH + 12 * years <= origin:
        years += 10
    return 12 * years, years + AHEAD_YEARS


def model_data(history: History, priors: TolerancePriors) -> dict[str, NDArray[np.generic]]:
    """Everything the graph holds as data, by name, in shapes that depend only on `slots`.

    Slot t is the transition into month FIRST_MONTH + t; it sees the drivers of t − 1, the level of t − 1, and whether t − 1 had just risen.
    """
    n, n_knots = slots(history.drivers.origin)
    d, y = history.drivers, history.levels

    def lagged(series: Floats) -> Floats:
        out = np.zeros(n)
        out[1 : len(series)] = series[:-1]
        return out

    used, rose, fell = np.zeros(n), np.zeros(n), np.zeros(n)
    level, administration = np.zeros(n, int), np.zeros(n, int)
    used[1 : len(y)] = 1.0
    rose[1 : len(y)] = y[1:] > y[:-1]
    fell[1 : len(y)] = y[1:] < y[:-1]
    level[1 : len(y)] = y[:-1]
    administration[: len(y)] = d.administration
    return {
        "used": used, "rose": rose, "fell": fell, "level": level, "in_office": administration,
        "fresh": lagged(history.fresh.astype(float)), "pressure": lagged(d.pressure),
        "log2_deaths": lagged(d.log2_deaths), "change": lagged(d.change),
        "opposition": lagged(d.opposition), "mobilised": lagged(d.mobilisation),
        "knot_weights": knot_weights(n, n_knots), "knot_lag": np.subtract.outer(np.arange(n_knots), np.arange(n_knots)).astype(float),
        **priors.constants(),
    }  # fmt: skip
