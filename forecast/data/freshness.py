"""How recent each series is, when its next figure is due, and whether it is late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

from forecast.data.settings import Source
from forecast.data.tables import RECORDS, Data
from forecast.domain import STALE_AFTER, PartialDate, last_day, month_of, month_text

type Status = Literal["fresh", "late", "stopped (expected)"]

STALE: Final = timedelta(days=STALE_AFTER)
"""A file without a release schedule is late if it was last read through longer ago than this."""

PERIOD_COLUMN: Final[Mapping[str, str]] = {
    "events": "date",
    "claims": "start",
    "readings": "start",
    "administrations": "start",
    "polls": "field_end",
    "overdose_final": "month",
    "overdose_releases": "period_end",
    "indicators": "month",
    "calendar": "date",
    "spells": "end",
    "states": "year_end",
    "pressure": "year_end",
}
"""By table the column with the period of a row; tables without a time are not here."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How recent one series is.

    series: its name in sources.toml. newest: its newest period. published: when its newest row was published. expected_next: when the next
    is due (None without a release schedule). used_for: driver, check or context.
    """

    series: str
    file: str
    newest: str | None
    published: date | None
    expected_next: date | None
    status: Status
    used_for: str


def freshness(data: Data, today: date) -> list[Freshness]:
    """The state of every series of sources.toml on a day, in its order."""
    tables = {record.file: name for name, record in RECORDS.items()}
    return [_of(data, key, source, tables[source.file], today) for key, source in data.sources.items()]


def _of(data: Data, key: str, source: Source, table: str, today: date) -> Freshness:
    column = PERIOD_COLUMN.get(table)
    rows = [row for row in getattr(data, table) if source.series is None or row.series == source.series]
    times = [value for row in rows if column and (value := getattr(row, column)) is not None]
    newest = max(times, key=_end, default=None)
    published = max((row.published.last for row in rows if getattr(row, "published", None)), default=None)
    due = _next(_end(newest), source) if newest is not None else None
    status = _status(due, newest, source, data.coverage.get(source.file), today)
    return Freshness(key, source.file, None if newest is None else _text(newest), published, due, status, source.used_for)


def _next(end: date, source: Source) -> date | None:
    """The day on which the period after the one that ended on `end` is due, by the publisher's cadence and lag."""
    if source.cadence == "monthly":
        following = last_day(month_of(end) + 1)
    elif source.cadence == "yearly":
        following = date(end.year + 1, 12, 31)
    elif source.cadence in ("daily", "weekly"):
        following = end + timedelta(days=1 if source.cadence == "daily" else 7)
    else:
        return None
    return following + timedelta(days=source.lag_days)


def _status(due: date | None, newest: Any, source: Source, through: date | None, today: date) -> Status:
    if due is None:
        return "late" if through is not None and today - through > STALE else "fresh"
    if today <= due:
        return "fresh"
    return "stopped (expected)" if source.expected_stop and _end(newest) == source.expected_stop else "late"


def _end(value: Any) -> date:
    if isinstance(value, PartialDate):
        return value.last
    return date(value, 12, 31) if value < 10_000 else last_day(value)  # a year, or a month counted from year 0


def _text(value: Any) -> str:
    return str(value) if isinstance(value, PartialDate) or value < 10_000 else month_text(value)
