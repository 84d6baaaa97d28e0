"""What persistence and climatology say to each question, frozen with the forecast that is to be scored beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.forecasting.baselines import baselines, poisson_distribution
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.question_forecasts import QuestionForecast


def frozen(forecast: Forecast) -> list[dict[str, Any]]:
    """One row a question; null where nothing is on record. Of a count the three distributions: chances of 0, 1, …, the last or more."""
    origin_state = forecast.origin_state
    asked = [answer.question for answer in forecast.answers.values()]
    levels = origin_state.histories["main"].levels
    found = baselines(asked, levels, origin_state.data.events, origin_state.data.questions, origin_state.origin)
    rows: list[dict[str, Any]] = []
    for answer in forecast.answers.values():
        base = found.get(answer.question.id)
        counts = None
        if base and base.persistence_count is not None and base.climatology_count is not None:
            model = poisson_distribution(expected_counts(answer))
            counts = {
                name: [float(p) for p in chances]
                for name, chances in (("model", model), ("persistence", base.persistence_count), ("climatology", base.climatology_count))
            }
        rows.append({
            "id": answer.question.id,
            "persistence": base and base.persistence,
            "climatology": base and base.climatology,
            "counts": counts,
        })  # fmt: skip
    return rows


def expected_counts(answer: QuestionForecast) -> NDArray[np.float64]:
    """The expected count by draw [S]: given it the count is Poisson, so that P(≥ 1) = 1 − exp(−expected)."""
    return np.asarray(-np.log1p(-np.minimum(answer.draws[0], 1.0 - 1e-15)))
