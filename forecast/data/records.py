"""One frozen record a row of each bundled file; the columns of a file are exactly the fields of its record.

The types (`cells.py`) say what a cell may hold; what spans several cells or rows is checked in `check.py`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from forecast.data.column_types import (
    Confidence,
    Count,
    DateCell,
    Deaths,
    Evidence,
    Flag,
    IdList,
    Intensity,
    Kind,
    Level,
    MonthCell,
    Name,
    NonEmpty,
    Number,
    Opt,
    Percent,
    Role,
    Share,
    Sign,
    Text,
    Year,
    YesNo,
)


class Record(BaseModel):
    """Base of all rows: frozen, no column more or fewer than its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    file: ClassVar[str]
    key: ClassVar[tuple[str, ...]] = ()  # columns that together name a row; two rows with one key are an error


class Event(Record):
    """A dated, coded act or statement.

    Family A: what Mexico granted, refused or is said to have tolerated; B: pressure; C: opposition; D: context.
    """

    file = "events.csv"
    key = ("id",)
    id: Name
    date: DateCell
    published: DateCell
    family: Literal["A", "B", "C", "D"]
    role: Role
    channel: Name
    instrument: Text
    kind: Opt[Kind]
    intensity: Opt[Intensity]
    count: Opt[Count]
    direction: Opt[Sign]
    operation_level: Opt[Level]
    until: Opt[DateCell]
    ends: IdList
    answers: Opt[Literal["sufficient", "insufficient"]]
    episode: Text
    caused_by: IdList
    same_act_as: IdList
    disputed: Text
    evidence: Evidence
    confidence: Confidence
    source: NonEmpty
    url: Text
    description: NonEmpty


class Claim(Record):
    """The outcome, bitemporally: from `published` on, the months `start`..`end` (open if empty) are said to be at `level`."""

    file = "outcome_claims.csv"
    key = ("claim_id",)
    claim_id: Name
    start: MonthCell
    end: Opt[MonthCell]
    level: Level
    published: DateCell
    supersedes: IdList
    stance: Literal["documented", "disputed", "denied"]
    basis_ids: IdList
    confidence: Confidence
    why: NonEmpty


class ReadingRow(Record):
    """An override on the main reading for some months; the row of `main` has none. `title` stands in the first row of a reading."""

    file = "readings.csv"
    reading: Name
    title: Opt[NonEmpty]
    start: Opt[MonthCell]
    end: Opt[MonthCell]
    level: Opt[Level]
    published: Opt[DateCell]
    why: NonEmpty


class Administration(Record):
    """Who governs on the 15th of the months `start`..`end`."""

    file = "administrations.csv"
    key = ("country", "name")
    country: Literal["Mexico", "US"]
    name: Name
    start: MonthCell
    end: MonthCell
    published: DateCell


class Poll(Record):
    """One question put to one sample; shares in per cent."""

    file = "polls.csv"
    key = ("poll_id",)
    poll_id: Name
    topic: Name
    wording: Literal[
        "force_unqualified",
        "force_unilateral",
        "force_coordinated",
        "agents",
        "favourability",
        "intelligence_or_training",
        "other",
    ]
    pollster: Name
    field_start: DateCell
    field_end: DateCell
    published: DateCell
    published_basis: NonEmpty
    n: Opt[Count]
    opposed_pct: Opt[Percent]
    in_favour_pct: Opt[Percent]
    other_pct: Opt[Percent]
    use: YesNo
    why_not: Text
    source: NonEmpty
    url: Text
    confidence: Confidence
    question: NonEmpty


class OverdoseFinal(Record):
    """Deaths of a month, final or estimated, by series."""

    file = "overdose_final.csv"
    key = ("month", "series", "published")
    month: MonthCell
    series: Name
    deaths: Deaths
    published: DateCell


class OverdoseRelease(Record):
    """Deaths of the twelve months to `period_end` as a release gave them; two indicators, reported and predicted."""

    file = "overdose_releases.csv"
    key = ("published", "period_end", "indicator")
    published: DateCell
    period_end: MonthCell
    indicator: Literal["all_drugs", "synthetic_opioids"]
    reported: Opt[Deaths]
    predicted: Opt[Deaths]
    percent_pending: Opt[Percent]


class Indicator(Record):
    """A monthly context or check series."""

    file = "indicators.csv"
    key = ("month", "series", "published")
    month: MonthCell
    series: Name
    value: Number
    unit: Name
    published: DateCell
    source: NonEmpty


class Scheduled(Record):
    """Something known to be coming; with an `effect` it acts on simulated pressure at its date with its probability."""

    file = "calendar.csv"
    key = ("id",)
    id: Name
    date: DateCell
    what: NonEmpty
    kind: Name
    channel: Name
    effect: Literal["none", "ends", "starts", "determination"]
    event_id: Text
    intensity: Opt[Intensity]
    probability: Opt[Share]
    published: DateCell
    source: NonEmpty


class Spell(Record):
    """A run of months in which a comparable state tolerated one level."""

    file = "reference_spells.csv"
    key = ("country", "start")
    country: Name
    start: MonthCell
    end: MonthCell
    level: Level
    published: DateCell
    published_basis: Literal["source", "rule"]
    disputed: Text
    imposed: YesNo
    drug_case: Literal["CN", "CT", "both"]
    confidence: Confidence
    basis: NonEmpty
    source: NonEmpty


class State(Record):
    """What a comparable state was like from `year_start` to `year_end`."""

    file = "reference_states.csv"
    key = ("country", "year_start")
    country: Name
    year_start: Year
    year_end: Year
    export_share_to_us: Literal["low", "mid", "high"]
    competitive_elections: Flag
    income: Literal["low", "lower_middle", "upper_middle", "high", "unclassified"]
    capable_army: Flag
    published: DateCell
    published_basis: NonEmpty
    notes: Text
    source: NonEmpty


class ReferencePressure(Record):
    """Years in which a US request, threat or decertification was open against a comparable state."""

    file = "reference_pressure.csv"
    key = ("country", "year_start", "kind")
    country: Name
    year_start: Year
    year_end: Year
    kind: Literal["request", "threat", "decertification", "decertification_debate", "host_invitation"]
    what: NonEmpty
    published: DateCell
    published_basis: NonEmpty
    confidence: Confidence
    source: NonEmpty


class Stake(Record):
    """One argument about what tolerance gains or costs a side, with one piece of evidence."""

    file = "stakes.csv"
    side: Literal["US", "Mexico"]
    kind: Literal["gain", "cost"]
    argument: NonEmpty
    evidence: NonEmpty
    figure: Text
    source: NonEmpty
    url: Text
    applies_to_levels: IdList
    driver: Literal["", "overdoses", "leverage", "opposition"]  # through which of them the model takes account of it


class SecondCoding(Record):
    """An independent second coding of an event, for the reliability of the first."""

    file = "coding_second.csv"
    key = ("id",)
    id: Name
    role: Role
    operation_level: Opt[Level]
    direction: Opt[Sign]
    kind: Opt[Kind]
    channel: Opt[Literal["economic", "diplomatic", "security"]]
    intensity: Opt[Intensity]
