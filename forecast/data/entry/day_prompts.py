"""What a day that is typed at a prompt may be: not after today, not before what it follows, within what the file has been read to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from forecast.data.checks.dates import COVERED_BY, SPEAKS_OF
from forecast.data.suggestions import shown
from forecast.data.tables import RECORDS
from forecast.domain import PartialDate, last_day, month_of
from forecast.errors import Problem


def day_problem(name: str, column: str, text: str, cells: Mapping[str, str], today: date) -> Problem | None:
    """What is wrong with a well-formed day in a row with these cells; None for other columns, or if nothing is."""
    record = RECORDS[name]
    day = _day(text) if column in (COVERED_BY[record], "published") else None
    if day is None:
        return None
    if day.last > today:
        expected = f"a day not after today, {today} by this machine's clock"
        remedy = "Correct it, or the clock." if day.first > today else "A month or a year counts as its last day: write the day."
        return Problem(record.file, shown(text), expected, remedy, column=column)
    earlier = SPEAKS_OF.get(record, "")
    before = _day(cells.get(earlier, "")) if column == "published" else None
    if before is not None and day.last < before.first:
        return Problem(record.file, shown(text), f"a day not before {before}, its {earlier}", "Correct it.", column=column)
    return None


def beyond_coverage(name: str, column: str, text: str, through: date) -> date | None:
    """The last day that a cell means, if it lies after the day through which the file has been read; else None."""
    day = _day(text) if column == COVERED_BY[RECORDS[name]] else None
    return day.last if day is not None and day.last > through else None


def coverage_offered(day: date, today: date) -> date:
    """The day to which coverage may be raised for a row of `day`: the end of its month, or today while that is still to come."""
    return min(last_day(month_of(day)), today)


def _day(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text)
    except ValueError:
        return None
