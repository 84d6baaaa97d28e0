"""`report.json` as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from forecast.report.models.base import Count, DateText, MonthText, Part, Text
from forecast.report.models.evidence import (
    AgreementEntry,
    CalendarEntry,
    Concession,
    DataWarning,
    Definition,
    DriversSection,
    Episode,
    FreshnessEntry,
    HistorySection,
    SourceEntry,
    StakeEntry,
)
from forecast.report.models.fit import DiagnosticsSection, Directions, Parameter, Replicates, SensitivitySection, Skip
from forecast.report.models.forecast import (
    AlternativeWeight,
    Attribution,
    BaselineEntry,
    Choice,
    DrawsSourceEntry,
    Mixture,
    Nothing,
    PastPerformance,
    PriorAndForecast,
    QuestionEntry,
    Reading,
    Rung,
    ScenarioEntry,
)


class Sentences(Part):
    """What the report says in words of its headline; empty where a clause has no numbers."""

    headline: str
    headline_long: str
    prior: str
    disputed_act: str
    range_readings: str
    range_pressure: str
    never_observed: str
    what_would_change: list[str]
    short: str


class Report(Part):
    """The numbers of one run. Every other output is made from them.

    created: time in UTC; origin: the last month whose events were read; as_of: only what was public on that day, null for all;
    stale: whether the origin is long past; headline: id of the headline question; multiverse: the main reading under other choices;
    rest as their classes say.
    """

    schema_version: Literal["3"]
    run_id: Text
    created: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|\+00:00)$")]
    origin: MonthText
    as_of: DateText | None
    stale: bool
    model_version: Text
    seed: Count
    data_digest: Text
    priors_digest: Text
    versions: dict[str, str]
    headline: Text
    sentences: Sentences
    questions: Annotated[list[QuestionEntry], Field(min_length=1)]
    baselines: list[BaselineEntry]
    readings: Annotated[list[Reading], Field(min_length=1)]
    mixture: Mixture
    weights_alternative: list[AlternativeWeight]
    multiverse: list[Choice]
    ladder: Annotated[list[Rung], Field(min_length=6, max_length=6)]
    history: HistorySection
    drivers: DriversSection
    parameters: list[Parameter]
    prior_vs_posterior: list[PriorAndForecast]
    skips: list[Skip]
    replicates: Replicates
    sensitivity: SensitivitySection
    asked_answered: list[Episode]
    concessions: list[Concession]
    stakes: list[StakeEntry]
    scenarios: list[ScenarioEntry]
    directions: Directions | None
    diagnostics: DiagnosticsSection
    freshness: list[FreshnessEntry]
    warnings: list[DataWarning]
    calendar: list[CalendarEntry]
    reliability: list[AgreementEntry]
    definitions: list[Definition]
    resolution: str
    limitations: list[str]
    sources: list[SourceEntry]
    draws_source: DrawsSourceEntry | None
    moved: Attribution | Nothing
    past_performance: PastPerformance | None

    @property
    def headline_question(self) -> QuestionEntry:
        """The question that `headline` names; KeyError if there is none."""
        for question in self.questions:
            if question.id == self.headline:
                return question
        raise KeyError(f"the report's headline names a question it does not hold: {self.headline}")

    @property
    def attribution(self) -> Attribution | None:
        """What moved the forecast; None if no run came before."""
        return self.moved if isinstance(self.moved, Attribution) else None

    def document(self) -> dict[str, Any]:
        """The report as the object that report.json holds."""
        return self.model_dump()


def report_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of report.json, built from the models."""
    schema = Report.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "report.json of tolerance-forecast"} | {
        key: value for key, value in schema.items() if key != "title"
    }
