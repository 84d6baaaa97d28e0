"""Dates against each other, against how far a file has been read, and against the clock.

What the clock says is still to come is a warning and is left out of every forecast; it is no error, since the clock may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from forecast.data.checks.expected import is_expected
from forecast.data.problems import row_problem
from forecast.data.records import (
    Claim,
    Event,
    Indicator,
    OverdoseFinal,
    OverdoseRelease,
    Poll,
    ReferencePressure,
    Scheduled,
    Spell,
    State,
)
from forecast.data.suggestions import did_you_mean, quoted
from forecast.data.tables import RECORDS, RecordTable, capped_coverage, covers_future, is_public, last_whole_month
from forecast.data.toml_file import Settings
from forecast.domain import FIRST_MONTH, first_day, last_day, month_of, month_text
from forecast.errors import Problem

OCCURRED_COLUMN: Mapping[type, str] = {
    Event: "date",
    Poll: "field_end",
    OverdoseFinal: "month",
    Indicator: "month",
    OverdoseRelease: "period_end",
    Spell: "start",
    State: "year_start",
    ReferencePressure: "year_start",
}
"""The column of each kind of row that says when what it tells of was over at the earliest; it can't have been published before."""

COVERED_COLUMN: Mapping[type, str] = {
    Event: "date",
    Poll: "field_end",
    OverdoseFinal: "month",
    Indicator: "month",
    OverdoseRelease: "published",
    Scheduled: "date",
    Claim: "published",
    Spell: "end",
}
"""The column that a file's `covered_through` bounds. A calendar is covered through the last day looked ahead to."""


def check_published(table: RecordTable[Any]) -> Iterator[Problem]:
    """Nothing is published before the first day that its date can mean."""
    for i, row in enumerate(table.rows):
        column = OCCURRED_COLUMN[type(row)]
        first, text = _bounds(getattr(row, column), column)[0], _text(getattr(row, column), column)
        if row.published.last < first:
            yield row_problem(
                table, i, "published", quoted(str(row.published)), f"a day not before its {column} {text}", "Correct one of the two."
            )


def check_covered(table: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
    """Nothing is dated after the day through which its file is complete."""
    for i, row in enumerate(table.rows):
        through = settings.coverage.get(row.file)
        column = COVERED_COLUMN[type(row)]
        if through and covered_day(row) > through:
            yield row_problem(
                table,
                i,
                column,
                quoted(_text(getattr(row, column), column)),
                f"a day not after {through}, the end of the file's coverage",
                f"Correct the date, or raise covered_through of {row.file} in coverage.toml once all of the period has been read.",
            )


def covered_day(row: Any) -> date:
    """The day up to which a file must have been read for this row to stand in it."""
    column = COVERED_COLUMN[type(row)]
    return _bounds(getattr(row, column), column)[1]


def check_coverage(settings: Settings) -> Iterator[Problem]:
    """coverage.toml and sources.toml speak of the files there are, and coverage.toml of all of them."""
    files = [record.file for record in RECORDS.values()]
    for file in settings.coverage:
        if file not in files:
            yield Problem(
                "coverage.toml", f"the table {quoted(file)}", "the name of a CSV file of data/", did_you_mean(file, files), column=file
            )
    for file in files:
        if file not in settings.coverage:
            yield Problem(
                "coverage.toml", f"no table for {file}", "how far each file goes", f'Add ["{file}"] with covered_through.', column=file
            )
    for key, source in settings.sources.items():
        if source.file not in files:
            yield Problem(
                "sources.toml",
                quoted(source.file),
                "the name of a CSV file of data/",
                did_you_mean(source.file, files),
                column=f"{key}.file",
            )


def check_sourced(table: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
    """Every series has its source."""
    told = {source.series for source in settings.sources.values() for row in table.rows[:1] if source.file == row.file}
    seen: set[str] = set()
    for i, row in enumerate(table.rows):
        if row.series not in told and None not in told and row.series not in seen:
            seen.add(row.series)
            yield row_problem(
                table,
                i,
                "series",
                quoted(row.series),
                "a series with a table in sources.toml",
                did_you_mean(row.series, [s for s in told if s]) + " Else add its source.",
            )


def check_documented(claims: RecordTable[Claim], settings: Settings) -> Iterator[Problem]:
    """Every month from the first of the record to the origin has a documented claim."""
    through = settings.coverage.get("events.csv", date.min)
    documented = [c for c in claims.rows if c.stance == "documented" and c.published.last <= through]
    months = range(FIRST_MONTH, last_whole_month(through) + 1) if through > date.min else range(0)
    bare = [m for m in months if not any(c.start <= m and (c.end is None or m <= c.end) for c in documented)]
    if bare:
        span = month_text(bare[0]) if len(bare) == 1 else f"{len(bare)} months from {month_text(bare[0])} to {month_text(bare[-1])}"
        yield Problem(
            "outcome_claims.csv",
            f"no documented claim for {span}",
            "a level for every month of the record",
            "Add a claim that covers them, or leave the `end` of the one before open.",
        )


def check_reading_months(readings: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
    """An override lies within the record."""
    through = settings.coverage.get("outcome_claims.csv")
    for i, row in enumerate(readings.rows):
        if row.start is not None and row.start < FIRST_MONTH:
            yield row_problem(
                readings, i, "start", month_text(row.start), f"{month_text(FIRST_MONTH)} or later, where the record begins", "Correct it."
            )
        for column in ("start", "end"):
            value = getattr(row, column)
            if through and value is not None and first_day(value) > through:
                yield row_problem(
                    readings,
                    i,
                    column,
                    month_text(value),
                    f"a month that has begun by {through}, through which the claims are complete",
                    "Correct it, or leave `end` empty for a level that goes on.",
                )


def _bounds(value: Any, column: str) -> tuple[date, date]:
    """The first and the last day that a date, a month or a year can mean."""
    if not isinstance(value, int):
        return value.first, value.last
    if column.startswith("year"):
        return date(value, 1, 1), date(value, 12, 31)
    return first_day(value), last_day(value)


def _text(value: Any, column: str) -> str:
    return month_text(value) if isinstance(value, int) and not column.startswith("year") else str(value)


MANY: Final = 3
"""So many rows of one file are named one by one; of more, the first is named and the others are counted."""

YEARS_IN_FORCE: Final = 10
"""A measure whose end was set further ahead than this has probably a mistyped year."""


def odd_published(table: RecordTable[Any], settings: Settings, today: date) -> Iterator[Problem]:
    """Rows that are published only after today: they are left out until then."""
    late = [i for i, row in enumerate(table.rows) if not is_public(row, today)]
    late = [i for i in late if not _declared(settings, table.rows[i])]
    more = f" and {len(late) - 1} more rows" if len(late) > MANY else ""
    for i in late[:1] if more else late:
        yield _ahead(table, i, "published", f"{table.rows[i].published}{more}", today, "until then the row is left out")


def odd_months(table: RecordTable[Any], settings: Settings, today: date) -> Iterator[Problem]:
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


def odd_until(table: RecordTable[Any], settings: Settings, today: date) -> Iterator[Problem]:
    """The end of a measure may lie ahead, but not by decades."""
    for i, event in enumerate(table.rows):
        if event.until and event.until.first.year > max(event.date.last.year, today.year) + YEARS_IN_FORCE:
            found, wanted = f"{event.until}", f"an end within {YEARS_IN_FORCE} years"
            yield row_problem(
                table, i, "until", found, wanted, "Correct the date, or leave it empty while the end is not known.", "warning"
            )


def odd_coverage(settings: Settings, today: date) -> Iterator[Problem]:
    """Files that are said to be read through a day that has not come: a date mistyped, or a clock that is wrong."""
    allowed = capped_coverage(settings.coverage, today)
    for file, through in settings.coverage.items():
        if covers_future(file, through, today):
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
    return is_expected(settings, row.file, "ahead", month, month)


def _ahead(table: RecordTable[Any], i: int, column: str, found: str, today: date, so: str) -> Problem:
    wanted = f"a day not after today, {today} by this machine's clock; {so}"
    return row_problem(table, i, column, found, wanted, "Correct the date, or set the clock right.", "warning")
