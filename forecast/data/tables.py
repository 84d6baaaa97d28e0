"""The tables of a workspace's data as read and checked, and the months and days that they cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from forecast.data.records import (
    Administration,
    Claim,
    Event,
    Indicator,
    OverdoseFinal,
    OverdoseRelease,
    Poll,
    ReadingRow,
    Record,
    ReferencePressure,
    Scheduled,
    SecondCoding,
    Spell,
    Stake,
    State,
)
from forecast.data.settings import QuestionsConfig, Scales, Source
from forecast.domain import FIRST_MONTH, Month, last_day, month_of
from forecast.errors import Problem


@dataclass(frozen=True, slots=True)
class RecordTable[R: Record]:
    """The rows of one file, and the line on which each starts (no lines if the rows did not come from a file)."""

    rows: tuple[R, ...] = ()
    lines: tuple[int, ...] = ()

    def line(self, i: int) -> int | None:
        return self.lines[i] if self.lines else None


@dataclass(frozen=True, slots=True)
class Data:
    """All data of a forecast, as read from a workspace's `data/`, or as public on a day (`as_of.as_of`).

    One tuple of rows a CSV file, in the order of the file. coverage: file → the day through which it is complete. scales: units of the
    drivers. sources: where each series comes from. questions: questions.toml. warnings: what is unusual but no error.
    """

    events: tuple[Event, ...]
    claims: tuple[Claim, ...]
    readings: tuple[ReadingRow, ...]
    administrations: tuple[Administration, ...]
    polls: tuple[Poll, ...]
    overdose_final: tuple[OverdoseFinal, ...]
    overdose_releases: tuple[OverdoseRelease, ...]
    indicators: tuple[Indicator, ...]
    calendar: tuple[Scheduled, ...]
    spells: tuple[Spell, ...]
    states: tuple[State, ...]
    pressure: tuple[ReferencePressure, ...]
    stakes: tuple[Stake, ...]
    coding_second: tuple[SecondCoding, ...]
    coverage: Mapping[str, date]
    scales: Scales
    sources: Mapping[str, Source]
    questions: QuestionsConfig
    warnings: tuple[Problem, ...] = ()


RECORDS: Mapping[str, type[Record]] = MappingProxyType(
    {
        "events": Event,
        "claims": Claim,
        "readings": ReadingRow,
        "administrations": Administration,
        "polls": Poll,
        "overdose_final": OverdoseFinal,
        "overdose_releases": OverdoseRelease,
        "indicators": Indicator,
        "calendar": Scheduled,
        "spells": Spell,
        "states": State,
        "pressure": ReferencePressure,
        "stakes": Stake,
        "coding_second": SecondCoding,
    }
)
"""Field of `Data` → the type of its rows; the type knows its file."""

assert set(RECORDS) <= {f.name for f in fields(Data)}


def table_rows(data: Data, name: str) -> tuple[Any, ...]:
    """The rows of one table of `RECORDS`, by its name."""
    return tuple(getattr(data, name))


def origin(data: Data) -> Month:
    """The origin of a forecast: the last whole month that the event ledger covers."""
    return last_whole_month(data.coverage["events.csv"])


def last_whole_month(day: date) -> Month:
    """The last month that has ended by the end of `day`."""
    month = month_of(day)
    return month if last_day(month) == day else Month(month - 1)


def history_months(data: Data) -> range:
    """The months of Mexico's record, from the first to the origin."""
    return range(FIRST_MONTH, origin(data) + 1)


CALENDAR: Final = "calendar.csv"
"""The only file that may be covered through days to come."""


def is_public(row: Record, day: date) -> bool:
    """Whether a row was public at the end of `day`; rows without a `published` always are."""
    published = getattr(row, "published", None)
    return published is None or published.last <= day


def covers_future(file: str, through: date, today: date) -> bool:
    """Whether a file is covered through a day that has not come."""
    return through > today and file != CALENDAR


def capped_coverage(coverage: Mapping[str, date], today: date) -> dict[str, date]:
    """The coverage, with what is ahead of the clock reduced to the last whole month.

    Reduced to `today`, the data would mean something else every day, and every day would need a refit.
    """
    month_end = last_day(last_whole_month(today))
    return {file: month_end if covers_future(file, through, today) else through for file, through in coverage.items()}
