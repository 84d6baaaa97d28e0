"""The parts of a report that are evidence: the record, the drivers, what was asked and answered, stakes, dates, sources."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.report.models.base import (
    Band,
    Count,
    DateText,
    Difference,
    Fan,
    Integer,
    LevelNumber,
    MonthlySeries,
    Months,
    MonthText,
    NonNegative,
    Part,
    Probability,
    Series,
    Text,
)


class LevelChangeEntry(Part):
    """A change of level in the main reading, with the claim that stands for it and the ids of its events."""

    month: MonthText
    before: LevelNumber
    after: LevelNumber
    claim_id: str
    confidence: str
    why: str
    events: list[str]


class NotableEvent(Part):
    """An event that is marked on the time line. what: its description; short: the same in a few words."""

    date: DateText
    id: str
    family: str
    what: str
    short: str


class HistorySection(Part):
    """Coded levels by month: of the main reading, and of each reading by name; θ of the main reading."""

    months: Annotated[list[MonthText], Field(min_length=1)]
    main: Annotated[list[LevelNumber], Field(min_length=1)]
    by_reading: dict[str, list[LevelNumber]]
    theta: Band
    changes: list[LevelChangeEntry]
    events: list[NotableEvent]


class Channels(Part):
    """What each channel of pressure adds to leverage, by month."""

    economic: Series
    diplomatic: Series
    security: Series


class CheckSeries(MonthlySeries):
    """A series that others made, set beside leverage; correlation: over the months that both have."""

    name: Text
    correlation: Difference | None


class LeverageSection(MonthlySeries):
    """US pressure by month; 1 is its mean over the months on which its scale was frozen."""

    by_channel: Channels
    future: Fan
    checks: list[CheckSeries]


class FinalDeaths(Part):
    """The final count of synthetic-opioid deaths in a month."""

    month: MonthText
    deaths: NonNegative


class ProvisionalDeaths(Part):
    """Deaths in the twelve months to `period_end`, as a release gave them."""

    period_end: MonthText
    published: DateText
    reported: NonNegative | None
    predicted: NonNegative | None


class Overdoses(Fan):
    """Synthetic-opioid deaths a month: the estimate with its band, the counts, and the simulated future."""

    final: list[FinalDeaths]
    provisional: list[ProvisionalDeaths]
    future: Fan


class PollEntry(Part):
    """A poll. share: opposed among those with an opinion; n: persons asked, null where it is not published."""

    date: DateText
    share: Probability
    wording: str
    pollster: str
    n: Count | None


class OppositionSection(Fan):
    """The share of Mexicans opposed to US force: the estimate with its band, the polls, and the simulated future.

    mobilisation: its strength against US pressure by month; gap: the longest stretch without a poll on force, from poll to poll.
    """

    polls: list[PollEntry]
    mobilisation: MonthlySeries
    future: Fan
    gap: Months | None


class DriversSection(Part):
    """The three drivers of the forecast."""

    leverage: LeverageSection
    overdoses: Overdoses
    opposition: OppositionSection


class Episode(Part):
    """What was asked of Mexico and what it answered. level: the highest kind of operation asked for; ids: of the events."""

    episode: Text
    first: DateText
    last: DateText
    level: LevelNumber | None
    answer: Literal["granted", "refused", "mixed", "open"]
    what: str
    ids: list[str]


class Concession(Part):
    """What Mexico conceded, and the next US act that named cooperation as its reason; null where none came in time."""

    date: DateText
    id: str
    what: str
    response: Literal["sufficient", "insufficient", "none stated"]
    response_id: str | None
    response_date: DateText | None
    days: Integer | None


class StakeEntry(Part):
    """A gain or a cost for one side. levels: at which levels it counts; status: whether the model uses it, or there is a figure."""

    side: Text
    kind: Text
    argument: Text
    evidence: str
    figure: str | None
    source: str | None
    url: str | None
    levels: list[LevelNumber]
    status: Literal["modelled", "measured", "not measured"]


class CalendarEntry(Part):
    """A date ahead. effect: what it does in the simulation, null for nothing; probability: that it does."""

    date: DateText
    what: str
    effect: str | None
    probability: Probability | None
    channel: str | None


class FreshnessEntry(Part):
    """How new a series is. newest: the last period it covers; expected_next: when the next figures are due."""

    series: Text
    file: str
    newest: str | None
    published: DateText | None
    expected_next: DateText | None
    status: Literal["fresh", "late", "stopped (expected)"]
    used_for: str


class DataWarning(Part):
    """Something odd in a data file that was not refused."""

    file: str
    row: Count | None
    column: str | None
    text: str


class AgreementEntry(Part):
    """How far two coders agree on a field, over `n` records."""

    field: Text
    statistic: Text
    value: float
    n: Count


class Definition(Part):
    """A term of the report and what it means."""

    term: Text
    text: str


class SourceEntry(Part):
    """A source of data, with its terms of use and how to cite it."""

    name: Text
    what: str
    terms: str
    citation: str
    url: str | None
