"""What the clock allows: rows that are public by today, and files that are read no further than the last month that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from forecast.data.records import Record
from forecast.data.tables import whole_month
from forecast.domain import last_day

CALENDAR: Final = "calendar.csv"
"""The one file that is covered through days to come."""


def known(row: Record, day: date) -> bool:
    """Whether a row was public at the end of `day`; rows of a kind that is never dated always were."""
    published = getattr(row, "published", None)
    return published is None or published.last <= day


def ahead(file: str, through: date, today: date) -> bool:
    """Whether a file is said to be read through a day that has not come."""
    return through > today and file != CALENDAR


def capped(coverage: Mapping[str, date], today: date) -> dict[str, date]:
    """The coverage that can be true: what is ahead of the clock ends with the last whole month.

    Not with `today`: the data would then mean something else every day, and every day would bring a refit.
    """
    month_end = last_day(whole_month(today))
    return {file: month_end if ahead(file, through, today) else through for file, through in coverage.items()}
