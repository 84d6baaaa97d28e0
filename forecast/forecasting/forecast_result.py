"""A finished forecast, before anyone writes it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from forecast.errors import Problem
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.fit_readings import ReadingForecast
from forecast.forecasting.multiverse import Disputed, UniverseResult
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.question_forecasts import QuestionForecast
from forecast.inference.gate import Diagnostics


@dataclass(frozen=True, slots=True)
class DrawsSource:
    """The run whose draws a forecast weighs instead of a fit of its own; k̂ and effective draws, the worst over readings.

    k_hat is None if all draws weigh alike.
    """

    fitted_in: str
    k_hat: float | None
    ess: float


@dataclass(frozen=True, eq=False)
class Forecast:
    """Everything a report says is read off this: the situation, the fits, the answers, and what was tried besides.

    scenarios: their results as the report shows them; warnings: what is odd in the data, and scenarios that could not be run;
    diagnostics: the worst over readings; standing: how earlier numbers did, as the ledger has it; rests_on: None if a sampler made the
    draws, else the fit they were weighted from, whose diagnostics and multiverse these are.
    """

    origin_state: OriginState
    pool: DriverPaths
    readings: Mapping[str, ReadingForecast]
    answers: Mapping[str, QuestionForecast]
    multiverse: Sequence[UniverseResult]
    disputed: Disputed | None
    scenarios: Sequence[Mapping[str, Any]]
    warnings: Sequence[Problem]
    diagnostics: Diagnostics
    as_of: date | None
    moved: Mapping[str, Any] = field(default_factory=dict)
    standing: Mapping[str, Any] = field(default_factory=dict)
    rests_on: DrawsSource | None = None

    @property
    def headline(self) -> QuestionForecast:
        return self.answers[self.origin_state.data.questions.resolution.headline]
