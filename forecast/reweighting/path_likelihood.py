"""How well each path explains what it was drawn from: for scaling the data that paths rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast.domain import FIRST_MONTH
from forecast.forecasting.driver_paths import DriverPaths
from forecast.model.events import STREAMS, predictors
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.forecasting.origin_state import OriginState


_BY = STREAMS.index("mobilisation")


def events_log_likelihood(origin_state: OriginState, pool: DriverPaths) -> Floats:
    """Log likelihood [P] of the counts of events in model 4's window, given the elasticities and rates of each path.

    Constants of the counts alone are left out. A path's rates are those of the draw whose rate of mobilisations it has: no two are alike.
    """
    rates = origin_state.rates
    order = np.argsort(rates.rate[:, _BY])
    row = order[np.searchsorted(rates.rate[order, _BY], pool.mobilising)]
    window = np.arange(rates.window[0], rates.window[1] + 1) - FIRST_MONTH
    series = (origin_state.drivers.log2_deaths, origin_state.concessions, origin_state.leverage.value)
    lagged = [s[window - 1] - mean for s, mean in zip(series, rates.means, strict=True)]
    z = predictors(lagged[0][None], lagged[1][None], lagged[2][None], rates.eta[row, None, :])  # [P, W, K]
    rate = rates.rate[row]
    log_expected = np.log(rate)[:, None, :] + z
    return np.asarray((rates.counts.T * log_expected - np.exp(log_expected)).sum((1, 2)))
