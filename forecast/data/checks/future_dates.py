"""What the clock says is still to come: it is named, and left out of every forecast, but refused nowhere, since the clock may be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from forecast.data.clock import ahead, capped, known
from forecast.data.expected import expected
from forecast.data.finding import finding
from forecast.data.tables import Table
from forecast.data.toml_file import Settings
from forecast.domain import first_day, month_of, month_text
from forecast.errors import Problem

MANY: Final = 3
"""So many rows of one file are named one by one; of more, the first is named and the others are counted."""

YEARS_IN_FORCE: Final = 10
"""A measure whose end was set further ahead than this has probably a mistyped year."""


def odd_published(table: Table[Any], settings: Settings, today: date) -> Iterator[Problem]:
    """Rows that are published only after today: they are left out until then."""
    late = [i for i, row in enumerate(table.rows) if not known(row, today)]
    late = [i for i in late if not _declared(settings, table.rows[i])]
    more = f" and {len(late) - 1} more rows" if len(late) > MANY else ""
    for i in late[:1] if more else late:
        yield _ahead(table, i, "published", f"{table.rows[i].published}{more}", today, "until then the row is left out")


def odd_months(table: Table[Any], settings: Settings, today: date) -> Iterator[Problem]:
    """Claims and years that reach beyond today: what they say of days to come counts for nothing."""
    for i, row in enumerate(table.rows):
        for column in ("start", "end", "year_end"):
            value = getattr(row, column, None)
            if value is None:
                continue
            first = date(value, 1, 1) if column == "year_end" else first_day(value)
            if first > today:
                text = str(value) if column == "year_end" else month_text(value)
                yield _ahead(table, i, column, text, today, "what it says of later days does not count")
                break


def odd_until(table: Table[Any], settings: Settings, today: date) -> Iterator[Problem]:
    """The end of a measure may lie ahead, but not by decades."""
    for i, event in enumerate(table.rows):
        if event.until and event.until.first.year > max(event.date.last.year, today.year) + YEARS_IN_FORCE:
            found, wanted = f"{event.until}", f"an end within {YEARS_IN_FORCE} years"
            yield finding(table, i, "until", found, wanted, "Correct the date, or leave it empty while the end is not known.", "warning")


def odd_coverage(settings: Settings, today: date) -> Iterator[Problem]:
    """Files that are said to be read through a day that has not come: a date mistyped, or a clock that is wrong."""
    allowed = capped(settings.coverage, today)
    for file, through in settings.coverage.items():
        if ahead(file, through, today):
            yield Problem(
                "coverage.toml",
                f"{file} covered through {through}; {allowed[file]} is taken instead",
                f"a day not after today, {today} by this machine's clock",
                "Correct the date, or set the clock right.",
                column=file,
                severity="warning",
            )


def _declared(settings: Settings, row: Any) -> bool:
    month = month_of(row.published.last)
    return expected(settings, row.file, "ahead", month, month)


def _ahead(table: Table[Any], i: int, column: str, found: str, today: date, so: str) -> Problem:
    wanted = f"a day not after today, {today} by this machine's clock; {so}"
    return finding(table, i, column, found, wanted, "Correct the date, or set the clock right.", "warning")
