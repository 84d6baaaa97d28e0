"""One frozen record a row of each bundled file; the columns of a file are exactly the fields of its record.

A field's type (`column_types.py`) says what a cell may hold, its description what it means: prompts, help and data/README.md show it.
What spans several cells or rows is checked in `checks/`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    id: Name = Field(description="name of the row")
    date: DateCell = Field(description="when it happened")
    published: DateCell = Field(description="when it could first be known")
    family: Literal["A", "B", "C", "D"] = Field(
        description="who acts: A Mexico, decided or alleged; B US pressure; C opposition in Mexico; D context"
    )
    role: Role = Field(description="what kind of record it is")
    channel: Name = Field(description="the field it belongs to")
    instrument: Text = Field(description="by what means")
    kind: Opt[Kind] = Field(description="kind of pressure")
    intensity: Opt[Intensity] = Field(description="how strong, from 1 to 5")
    count: Opt[Count] = Field(description="number of persons")
    direction: Opt[Sign] = Field(description="+ for more, - for less")
    operation_level: Opt[Level] = Field(description="level of the operation, from 0 to 5")
    until: Opt[DateCell] = Field(description="day on which the measure ended")
    ends: IdList = Field(description="ids of the measures that it ends")
    answers: Opt[Literal["sufficient", "insufficient"]] = Field(description="whether Washington itself calls what Mexico did enough")
    episode: Text = Field(description="a name that all rows on one act or quarrel share")
    caused_by: IdList = Field(description="ids of the earlier rows that it responds to")
    same_act_as: IdList = Field(description="ids of earlier rows on the same act")
    disputed: Text = Field(description="'no', or what is contested and by whom")
    evidence: Evidence = Field(description="whether you have read the source yourself")
    confidence: Confidence = Field(description="how sure the coding is; low where no rule fits")
    source: NonEmpty = Field(description="who reports it: outlet or document, and its day")
    url: Text = Field(description="where to read it")
    description: NonEmpty = Field(description="what happened, in your own words, on one line")


class Claim(Record):
    """The outcome, bitemporally: from `published` on, the months `start`..`end` (open if empty) are said to be at `level`."""

    file = "outcome_claims.csv"
    key = ("claim_id",)
    claim_id: Name = Field(description="name of the row")
    start: MonthCell = Field(description="first month")
    end: Opt[MonthCell] = Field(description="last month; empty while it goes on")
    level: Level = Field(description="level of the ladder, from 0 to 5")
    published: DateCell = Field(description="when it could first be known")
    supersedes: IdList = Field(description="ids of the claims that it replaces")
    stance: Literal["documented", "disputed", "denied"] = Field(description="whether the evidence meets the rules")
    basis_ids: IdList = Field(description="ids of the events that are its evidence")
    confidence: Confidence = Field(description="how sure the coding is")
    why: NonEmpty = Field(description="the reason, in your own words, on one line")


class ReadingRow(Record):
    """An override on the main reading for some months; the row of `main` has none. `title` stands in the first row of a reading."""

    file = "readings.csv"
    reading: Name = Field(description="name of the reading")
    title: Opt[NonEmpty] = Field(description="what the reading is called in texts; in its first row")
    start: Opt[MonthCell] = Field(description="first month of the override")
    end: Opt[MonthCell] = Field(description="last month of the override; empty while it goes on")
    level: Opt[Level] = Field(description="level in these months, from 0 to 5")
    published: Opt[DateCell] = Field(description="when this reading could first be held")
    why: NonEmpty = Field(description="the reason, on one line")


class Administration(Record):
    """Who governs on the 15th of the months `start`..`end`."""

    file = "administrations.csv"
    key = ("country", "name")
    country: Literal["Mexico", "US"] = Field(description="whose administration")
    name: Name = Field(description="name of the president")
    start: MonthCell = Field(description="first month in office")
    end: MonthCell = Field(description="last month in office")
    published: DateCell = Field(description="when it could first be known")


class Poll(Record):
    """One question put to one sample; shares in per cent."""

    file = "polls.csv"
    key = ("poll_id",)
    poll_id: Name = Field(description="name of the row")
    topic: Name = Field(description="subject of the question; one pollster's questions on one topic share a house effect")
    wording: Literal[
        "force_unqualified",
        "force_unilateral",
        "force_coordinated",
        "agents",
        "favourability",
        "intelligence_or_training",
        "other",
    ] = Field(description="what kind of US action the question names")
    pollster: Name = Field(description="who asked")
    field_start: DateCell = Field(description="first day of field work")
    field_end: DateCell = Field(description="last day of field work")
    published: DateCell = Field(description="when the figures became public")
    published_basis: NonEmpty = Field(description="how that day is known")
    n: Opt[Count] = Field(description="number of respondents")
    opposed_pct: Opt[Percent] = Field(description="per cent opposed to US action (favourability: with a bad opinion)")
    in_favour_pct: Opt[Percent] = Field(description="per cent in favour")
    other_pct: Opt[Percent] = Field(description="per cent with neither answer")
    use: YesNo = Field(description="whether the model may use it")
    why_not: Text = Field(description="why it is not used")
    source: NonEmpty = Field(description="where the figures were read")
    url: Text = Field(description="where to read it")
    confidence: Confidence = Field(description="how sure the figures are")
    question: NonEmpty = Field(description="the question as it was asked")


class OverdoseFinal(Record):
    """Deaths of a month, final or estimated, by series."""

    file = "overdose_final.csv"
    key = ("month", "series", "published")
    month: MonthCell = Field(description="month of death")
    series: Name = Field(description="name of the series in sources.toml")
    deaths: Deaths = Field(description="deaths in the month")
    published: DateCell = Field(description="when the figure became public")


class OverdoseRelease(Record):
    """Deaths of the twelve months to `period_end` as a release gave them; two indicators, reported and predicted."""

    file = "overdose_releases.csv"
    key = ("published", "period_end", "indicator")
    published: DateCell = Field(description="day of the release")
    period_end: MonthCell = Field(description="last of the twelve months")
    indicator: Literal["all_drugs", "synthetic_opioids"] = Field(description="which deaths are counted")
    reported: Opt[Deaths] = Field(description="deaths reported so far")
    predicted: Opt[Deaths] = Field(description="deaths predicted once all records are in")
    percent_pending: Opt[Percent] = Field(description="per cent of records still under investigation")


class Indicator(Record):
    """A monthly context or check series."""

    file = "indicators.csv"
    key = ("month", "series", "published")
    month: MonthCell = Field(description="month of the figure")
    series: Name = Field(description="name of the series in sources.toml")
    value: Number = Field(description="the figure")
    unit: Name = Field(description="its unit")
    published: DateCell = Field(description="when it became public")
    source: NonEmpty = Field(description="who publishes it")


class Scheduled(Record):
    """Something known to be coming; with an `effect` it acts on simulated pressure at its date with its probability."""

    file = "calendar.csv"
    key = ("id",)
    id: Name = Field(description="name of the row")
    date: DateCell = Field(description="when it is due")
    what: NonEmpty = Field(description="what is due")
    kind: Name = Field(description="kind of occasion")
    channel: Name = Field(description="the field it belongs to")
    effect: Literal["none", "ends", "starts", "determination"] = Field(description="what it does to simulated pressure")
    event_id: Text = Field(description="id of the measure that ends")
    intensity: Opt[Intensity] = Field(description="how strong, from 1 to 5")
    probability: Opt[Share] = Field(description="probability that the effect comes")
    published: DateCell = Field(description="when the date became known")
    source: NonEmpty = Field(description="who says so")


class Spell(Record):
    """A run of months in which a comparable state tolerated one level."""

    file = "reference_spells.csv"
    key = ("country", "start")
    country: Name = Field(description="the state")
    start: MonthCell = Field(description="first month")
    end: MonthCell = Field(description="last month")
    level: Level = Field(description="level tolerated, from 0 to 5")
    published: DateCell = Field(description="when it could first be known")
    published_basis: Literal["source", "rule"] = Field(description="how that day is known")
    disputed: Text = Field(description="'no', or what is contested")
    imposed: YesNo = Field(description="whether the action was imposed, not tolerated")
    drug_case: Literal["CN", "CT", "both"] = Field(description="counter-narcotics (CN), counter-terrorism (CT), or both")
    confidence: Confidence = Field(description="how sure the coding is")
    basis: NonEmpty = Field(description="the reason for the level")
    source: NonEmpty = Field(description="where it is reported")


class State(Record):
    """What a comparable state was like from `year_start` to `year_end`."""

    file = "reference_states.csv"
    key = ("country", "year_start")
    country: Name = Field(description="the state")
    year_start: Year = Field(description="first year")
    year_end: Year = Field(description="last year")
    export_share_to_us: Literal["low", "mid", "high"] = Field(description="share of its exports that go to the US")
    competitive_elections: Flag = Field(description="1 if its elections are competitive")
    income: Literal["low", "lower_middle", "upper_middle", "high", "unclassified"] = Field(description="income group")
    capable_army: Flag = Field(description="1 if its army is judged capable")
    published: DateCell = Field(description="when it could first be known")
    published_basis: NonEmpty = Field(description="how that day is known")
    notes: Text = Field(description="remarks")
    source: NonEmpty = Field(description="where the figures were read")


class ReferencePressure(Record):
    """Years in which a US request, threat or decertification was open against a comparable state."""

    file = "reference_pressure.csv"
    key = ("country", "year_start", "kind")
    country: Name = Field(description="the state")
    year_start: Year = Field(description="first year")
    year_end: Year = Field(description="last year")
    kind: Literal["request", "threat", "decertification", "decertification_debate", "host_invitation"] = Field(
        description="kind of US pressure"
    )
    what: NonEmpty = Field(description="what was asked or threatened")
    published: DateCell = Field(description="when it could first be known")
    published_basis: NonEmpty = Field(description="how that day is known")
    confidence: Confidence = Field(description="how sure the coding is")
    source: NonEmpty = Field(description="where it is reported")


class Stake(Record):
    """One argument about what tolerance gains or costs a side, with one piece of evidence."""

    file = "stakes.csv"
    side: Literal["US", "Mexico"] = Field(description="whose stake")
    kind: Literal["gain", "cost"] = Field(description="gain or cost")
    argument: NonEmpty = Field(description="the argument")
    evidence: NonEmpty = Field(description="one piece of evidence")
    figure: Text = Field(description="the figure in it")
    source: NonEmpty = Field(description="where it is reported")
    url: Text = Field(description="where to read it")
    applies_to_levels: IdList = Field(description="levels of the ladder it is about")
    driver: Literal["", "overdoses", "leverage", "opposition"] = Field(description="driver of the model that takes account of it")


class SecondCoding(Record):
    """An independent second coding of an event, for the reliability of the first."""

    file = "coding_second.csv"
    key = ("id",)
    id: Name = Field(description="id of the event")
    role: Role = Field(description="second coding of its role")
    operation_level: Opt[Level] = Field(description="second coding of its level")
    direction: Opt[Sign] = Field(description="second coding of its direction")
    kind: Opt[Kind] = Field(description="second coding of its kind of pressure")
    channel: Opt[Literal["economic", "diplomatic", "security"]] = Field(description="second coding of its channel")
    intensity: Opt[Intensity] = Field(description="second coding of its intensity")
