"""What the headline is made of, by the same function as `forecast priors sensitivity`, from what the run's draws will hold."""

from __future__ import annotations

from typing import Any

from forecast.forecasting.forecast_result import Forecast
from forecast.reweighting.draws_archive import pack
from forecast.sensitivity.analysis import analyse_sensitivity as sensitivity_of


def sensitivity(forecast: Forecast) -> dict[str, Any]:
    """Power-scaling, flips, sweeps and the bias that all pollsters share."""
    return sensitivity_of(pack(forecast), forecast.origin_state.priors, forecast.headline.question.id).as_dict()
