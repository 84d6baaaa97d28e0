"""Simulated paths of the drivers after the origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.typing import Floats


@dataclass(frozen=True)
class DriverPaths:
    """Driver paths, each [P, H + 1], month 0 being the origin.

    leverage is L, unbent; log2_deaths, change, opposition and mobilisation as in Drivers; arrivals [P, H, K] counts by stream.
    measures, impulses [P, 3, H + 1] are the parts of L, gains and reliefs [P, 3, H + 1] the strongest impulse and relaxation of a month, of
    which the second is made (0 at the origin); eta [P, 3] the elasticities of each path, mobilising [P] its Λ of mobilisations.
    """

    leverage: Floats
    log2_deaths: Floats
    change: Floats
    opposition: Floats
    mobilisation: Floats
    arrivals: NDArray[np.int64]
    measures: Floats
    impulses: Floats
    gains: NDArray[np.int_]
    reliefs: NDArray[np.int_]
    eta: Floats
    mobilising: Floats

    @property
    def horizon(self) -> int:
        return int(self.leverage.shape[1]) - 1
