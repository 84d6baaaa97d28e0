"""A finished forecast, before anyone writes it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from forecast.errors import Problem
from forecast.forecasting.answers import Answer
from forecast.forecasting.multiverse import Disputed, Outcome
from forecast.forecasting.paths import Pool
from forecast.forecasting.readings import ReadingForecast
from forecast.forecasting.situation import Situation
from forecast.inference.gate import Diagnostics


@dataclass(frozen=True, eq=False)
class Forecast:
    """Everything a report says is read off this: the situation, the fits, the answers, and what was tried besides.

    scenarios: their results as the report shows them; warnings: what is odd in the data, and scenarios that could not be run;
    diagnostics: the worst over readings.
    """

    situation: Situation
    pool: Pool
    readings: Mapping[str, ReadingForecast]
    answers: Mapping[str, Answer]
    multiverse: Sequence[Outcome]
    disputed: Disputed | None
    scenarios: Sequence[Mapping[str, Any]]
    warnings: Sequence[Problem]
    diagnostics: Diagnostics
    as_of: date | None

    @property
    def headline(self) -> Answer:
        return self.answers[self.situation.data.questions.resolution.headline]
