"""Questions with their baselines, the levels of the ladder, and what the data changed on the scale of the forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from forecast.arrays.weighted_quantiles import INTERVAL
from forecast.domain import HORIZONS, LEVELS, TOP, month_text
from forecast.forecasting.baselines import baselines, poisson_distribution
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.question_forecasts import QuestionForecast
from forecast.forecasting.questions import resolution_date
from forecast.report.models.base import Interval, Months
from forecast.report.models.forecast import BaselineEntry, CountBaselines, PriorAndForecast, QuestionEntry, Rung
from forecast.typing import Floats

MEANINGS: Final = (
    "even liaison is suspended: agents expelled, or intelligence sharing stopped",
    "accredited US agents who share information; training; extraditions and hand-overs",
    "US aircraft, drones, sensors or fusion centres, with open or tacit consent",
    "US personnel in the planning cell, the command post or the field, while Mexicans carry out the operation",
    "US personnel or weapons carry out a capture, strike or killing that Mexico overlooks or denies",
    "the same, with consent on the record",
)
"""What is tolerated at each level."""


def questions(forecast: Forecast) -> list[QuestionEntry]:
    config = forecast.origin_state.data.questions
    return [
        QuestionEntry(
            id=a.question.id,
            text=a.question.text,
            level=a.question.level,
            kind=a.question.kind,
            horizon_months=a.question.horizon,
            window=Months(start=month_text(a.question.start), end=month_text(a.question.end)),
            resolution_date=resolution_date(a.question, config).isoformat(),
            probability=within_unit(a.probability),
            probability_known=None if a.known is None else within_unit(a.known),
            expected=a.expected,
            mcse=a.mcse,
            interval=interval(a),
            prior_probability=within_unit(a.prior),
            by_reading={name: within_unit(p) for name, p in a.by_reading.items()},
        )
        for a in forecast.answers.values()
    ]


def within_unit(p: float) -> float:
    """A probability; sums of exact recursions can pass one by a rounding error."""
    return float(min(max(p, 0.0), 1.0))


def interval(answer: QuestionForecast) -> Interval:
    low, high = answer.interval
    return Interval(prob=INTERVAL, low=within_unit(low), high=within_unit(high))


def question_baselines(forecast: Forecast) -> list[BaselineEntry]:
    """What persistence and climatology give, frozen with the forecast that is to be scored beside them; null where nothing is on record."""
    state = forecast.origin_state
    answers = forecast.answers.values()
    levels = state.histories["main"].levels
    computed = baselines([a.question for a in answers], levels, state.data.events, state.data.questions, state.origin)
    rows = []
    for answer in answers:
        base, counts = computed.get(answer.question.id), None
        if base and base.persistence_count is not None and base.climatology_count is not None:
            model = poisson_distribution(expected_counts(answer))
            triple = ([float(p) for p in chances] for chances in (model, base.persistence_count, base.climatology_count))
            counts = CountBaselines(**dict(zip(("model", "persistence", "climatology"), triple, strict=True)))
        persistence, climatology = (base.persistence, base.climatology) if base else (None, None)
        rows.append(BaselineEntry(id=answer.question.id, persistence=persistence, climatology=climatology, counts=counts))
    return rows


def expected_counts(answer: QuestionForecast) -> Floats:
    """The expected count by draw [S]: given it the count is Poisson, so that P(≥ 1) = 1 − exp(−expected)."""
    return np.asarray(-np.log1p(-np.minimum(answer.draws[0], 1.0 - 1e-15)))


def ladder(forecast: Forecast) -> list[Rung]:
    levels = forecast.origin_state.histories["main"].levels
    return [
        Rung(
            level=k,
            name=LEVELS[k],
            meaning=MEANINGS[k],
            months_at_level_main=int((levels == k).sum()),
            ever_observed=bool((levels == k).any()),
        )
        for k in range(TOP + 1)
    ]


def prior_and_forecast(forecast: Forecast) -> list[PriorAndForecast]:
    """What the data changed, on the scale of the forecast."""
    quantities: Mapping[str, str] = {
        **{f"reach-{k}-{HORIZONS[2]}m": f"level {k} or above within a year" for k in (5, 4, 3)},
        **{f"fall-{k}-{HORIZONS[2]}m": f"level {k} or below within a year" for k in (1, 0)},
    }
    return [
        PriorAndForecast(quantity=words, prior=within_unit(answer.prior), posterior=within_unit(answer.probability))
        for id_, words in quantities.items()
        if (answer := forecast.answers.get(id_))
    ]
