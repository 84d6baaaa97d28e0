"""The parts of a report that are the forecast: questions, readings, other choices of method, scenarios, and what moved it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.report.models.base import (
    Count,
    DateText,
    Density,
    Difference,
    Distribution,
    Interval,
    LevelNumber,
    Months,
    MonthText,
    NonNegative,
    Part,
    Positive,
    Probability,
    Text,
)

type QuestionKind = Literal["reached_by", "in_force_at", "fallen_to", "event", "count"]
type QuestionId = Annotated[str, Field(pattern=r"^((reach|hold|fall)-[0-5]-[0-9]+m|(event|count)-[a-z0-9]+(-[a-z0-9]+)*-[0-9]+m)$")]


class QuestionEntry(Part):
    """A question with its probability; null where something does not apply.

    level: of the ladder, null for events and counts; horizon_months: from the origin to the end of the window;
    probability: weighted over the readings, of a count that it is at least 1; probability_known: that it is public in time;
    expected: the expected number, of a count; mcse: the Monte Carlo standard error of the probability;
    prior_probability: without Mexico's record since 2006; by_reading: the probability under each reading.
    """

    id: QuestionId
    text: Text
    level: LevelNumber | None
    kind: QuestionKind
    horizon_months: Positive
    window: Months
    resolution_date: DateText
    probability: Probability
    probability_known: Probability | None
    expected: NonNegative | None
    mcse: NonNegative | None
    interval: Interval | None
    prior_probability: Probability | None
    by_reading: Annotated[dict[str, Probability], Field(min_length=1)]


class CountBaselines(Part):
    """Distributions of a count: of the model, of persistence, of climatology."""

    model: Distribution
    persistence: Distribution
    climatology: Distribution


class BaselineEntry(Part):
    """What persistence and climatology give for the question `id`; null where nothing is on record."""

    id: Text
    persistence: Probability | None
    climatology: Probability | None
    counts: CountBaselines | None


class Reading(Part):
    """A reading of the record with its fit.

    name, title, why: from priors/readings.toml and data/readings.csv; weight: its prior weight; level_now: the level of the last month;
    headline, headline_interval, headline_prior, density: of the headline question under this reading alone.
    """

    name: Text
    title: Text
    weight: Probability
    level_now: LevelNumber
    why: str
    headline: Probability
    headline_interval: Interval
    headline_prior: Probability | None
    density: Density


class Mixture(Part):
    """The headline question over all readings, weighted."""

    mean: Probability
    median: Probability
    interval: Interval
    density: Density


class AlternativeWeight(Part):
    """The headline with another weight on one reading."""

    label: Text
    weight_advisers: Probability
    headline: Probability


class Choice(Part):
    """The headline of the main reading under another choice of method: one row of the multiverse table."""

    label: Text
    group: Text
    probability: Probability
    note: str


class Rung(Part):
    """A level of the ladder, and how often the main reading has it."""

    level: LevelNumber
    name: Text
    meaning: str
    months_at_level_main: Count
    ever_observed: bool


class PriorAndForecast(Part):
    """A probability before and after Mexico's record since 2006."""

    quantity: Text
    prior: Probability
    posterior: Probability


class ScenarioEntry(Part):
    """The headline if something is so (conditioned) or is set from outside (intervened).

    baseline: the forecast without it; difference: probability − baseline; plausibility: how often the simulation goes as far by itself;
    by_horizon: months → probability; fallen_1_12m: that the level falls to 1 or below within twelve months.
    """

    name: Text
    title: Text
    kind: Literal["conditioned", "intervened"]
    story: str
    assumptions: list[str]
    probability: Probability
    baseline: Probability
    difference: Difference
    mcse: NonNegative | None
    interval: Interval | None
    plausibility: Probability | None
    by_horizon: dict[Annotated[str, Field(pattern="^[0-9]+$")], Probability]
    fallen_1_12m: Probability | None


class Change(Part):
    """One change of the inputs since the earlier run.

    how: reweighted if one set of draws gave both ends; joint if the draws cannot carry these steps, so that the part ends in the other
    run's number and holds the noise of both runs. rows: rows changed, by file.
    """

    kind: Literal["model", "settings", "prior", "revision", "time", "new", "several"]
    label: Text
    how: Literal["reweighted", "joint"]
    rows: dict[str, Positive]


class QuestionChange(Part):
    """What moved one question. before + the sum of parts + noise = after.

    parts: of each change, in their order, as a difference of probabilities; parts_se: their standard errors;
    noise_se: standard error of after − before;
    remainder_se: standard error of `noise`; within_noise: of each part whether it is less than two of its own standard errors.
    """

    before: Probability
    after: Probability
    parts: list[float]
    parts_se: list[NonNegative]
    noise: float
    noise_se: NonNegative
    remainder_se: NonNegative
    within_noise: list[bool]


class Attribution(Part):
    """What moved the probabilities since an earlier run, the parts in the order in which the changes are made.

    unexplained: questions of which more remains than chance allows, the worst first; note: whose draws gave the parts, in a sentence;
    unread: rows changed that no model reads, by file; appeared, gone: questions that only one of the runs has.
    """

    from_run: Text
    from_origin: MonthText
    to_origin: MonthText
    order: list[Text]
    parts: list[Change]
    questions: dict[str, QuestionChange]
    unexplained: list[Text]
    note: str
    unread: dict[str, Positive]
    appeared: list[Text]
    gone: list[Text]


class Nothing(Part):
    """An empty object: no run came before."""


class ScoreRow(Part):
    """Mean scores of resolved questions of one kind and horizon; null where an author gave no number.

    windows: how many of them do not overlap.
    """

    kind: Text
    horizon_months: Positive | None
    measure: Literal["brier", "rps"]
    n: Positive
    windows: Positive
    model: NonNegative
    persistence: NonNegative | None = None
    climatology: NonNegative | None = None


class PastPerformance(Part):
    """How earlier published numbers did, by the ledger.

    questions: how many are in each state; caution: what such scores can show.
    """

    questions: dict[str, Count]
    scores: list[ScoreRow]
    caution: Text


class DrawsSourceEntry(Part):
    """The run whose draws were weighted for this forecast. k_hat is null if all draws weigh the same; ess: the worst over readings."""

    fitted_in: Text
    k_hat: float | None
    ess: NonNegative
