"""Dates against each other, against how far a file has been read, and against the clock.

What the clock says is still to come is a warning and is left out of every forecast; it is no error, since the clock may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from forecast.data.checks.expected import is_expected
from forecast.data.problems import Finding
from forecast.data.records import Claim, Event, Indicator, OverdoseFinal, OverdoseRelease, Poll, ReferencePressure, Scheduled, Spell, State
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
"""By kind of row the column with the earliest day on which it can have been published: when the act or the period was over."""

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
"""By kind of row the column that `covered_through` bounds; that of a calendar is the last day looked ahead to."""


def check_published(table: RecordTable[Any]) -> Iterator[Finding]:
    """Nothing is published before the first day that its date can mean."""
    for i, row in enumerate(table.rows):
        column = OCCURRED_COLUMN[type(row)]
        first, text = _bounds(getattr(row, column), column)[0], _text(getattr(row, column), column)
        if row.published.last < first:
            yield (i, "published", quoted(str(row.published)), f"a day not before its {column} {text}", "Correct one of the two.")


def check_covered(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """Nothing is dated after the day through which its file is complete."""
    for i, row in enumerate(table.rows):
        through = settings.coverage.get(row.file)
        column = COVERED_COLUMN[type(row)]
        if through and covered_day(row) > through:
            found = quoted(_text(getattr(row, column), column))
            expected = f"a day not after {through}, the end of the file's coverage"
            remedy = f"Correct the date, or raise covered_through of {row.file} in coverage.toml once all of the period has been read."
            yield i, column, found, expected, remedy


def covered_day(row: Any) -> date:
    """The day through which a file must have been read before this row may stand in it."""
    column = COVERED_COLUMN[type(row)]
    return _bounds(getattr(row, column), column)[1]


def check_coverage(settings: Settings) -> Iterator[Finding]:
    """coverage.toml and sources.toml name only files that exist, and coverage.toml names all of them."""
    files = [record.file for record in RECORDS.values()]
    for file in settings.coverage:
        if file not in files:
            yield Problem(
                "coverage.toml", f"the table {quoted(file)}", "the name of a CSV file of data/", did_you_mean(file, files), column=file
            )
    for file in files:
        if file not in settings.coverage:
            yield Problem(
                "coverage.toml",
                f"no table for {file}",
                "the day through which each file has been read",
                f'Add ["{file}"] with covered_through.',
                column=file,
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


def check_sourced(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """Every series has a source."""
    sourced = {source.series for source in settings.sources.values() for row in table.rows[:1] if source.file == row.file}
    seen: set[str] = set()
    for i, row in enumerate(table.rows):
        if row.series not in sourced and None not in sourced and row.series not in seen:
            seen.add(row.series)
            found = quoted(row.series)
            expected = "a series with a table in sources.toml"
            yield i, "series", found, expected, did_you_mean(row.series, [s for s in sourced if s]) + " Else add its source."


def check_documented(claims: RecordTable[Claim], settings: Settings) -> Iterator[Finding]:
    """Every month from the first of the record to the origin has a documented claim."""
    through = settings.coverage.get("events.csv", date.min)
    documented = [c for c in claims.rows if c.stance == "documented" and c.published.last <= through]
    months = range(FIRST_MONTH, last_whole_month(through) + 1) if through > date.min else range(0)
    uncovered = [m for m in months if not any(c.start <= m and (c.end is None or m <= c.end) for c in documented)]
    if uncovered:
        span = _month_span(uncovered)
        yield Problem(
            "outcome_claims.csv",
            f"no documented claim for {span}",
            "a level for every month of the record",
            "Add a claim that covers them, or leave the `end` of the one before open.",
        )


def check_reading_months(readings: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """An override lies within the record."""
    through = settings.coverage.get("outcome_claims.csv")
    for i, row in enumerate(readings.rows):
        if row.start is not None and row.start < FIRST_MONTH:
            yield (i, "start", month_text(row.start), f"{month_text(FIRST_MONTH)} or later, where the record begins", "Correct it.")
        for column in ("start", "end"):
            value = getattr(row, column)
            if through and value is not None and first_day(value) > through:
                found = month_text(value)
                expected = f"a month that has begun by {through}, through which the claims are complete"
                yield i, column, found, expected, "Correct it, or leave `end` empty for a level that goes on."


def _month_span(months: Sequence[int]) -> str:
    first, last = month_text(months[0]), month_text(months[-1])
    return first if len(months) == 1 else f"{len(months)} months from {first} to {last}"


def _bounds(value: Any, column: str) -> tuple[date, date]:
    """The first and the last day that a date, a month or a year can mean."""
    if not isinstance(value, int):
        return value.first, value.last
    if column.startswith("year"):
        return date(value, 1, 1), date(value, 12, 31)
    return first_day(value), last_day(value)


def _text(value: Any, column: str) -> str:
    return month_text(value) if isinstance(value, int) and not column.startswith("year") else str(value)


MAX_NAMED: Final = 3
"""Up to this many rows of one file are named each; of more, the first is named and the others are counted."""

YEARS_IN_FORCE: Final = 10
"""An end of a measure further ahead than this is probably a mistyped year."""


def odd_published(table: RecordTable[Any], settings: Settings, today: date) -> Iterator[Finding]:
    """Rows that are published after today; they are left out until then."""
    late = [i for i, row in enumerate(table.rows) if not is_public(row, today)]
    late = [i for i in late if not _is_declared(settings, table.rows[i])]
    more = f" and {len(late) - 1} more rows" if len(late) > MAX_NAMED else ""
    for i in late[:1] if more else late:
        yield _ahead(i, "published", f"{table.rows[i].published}{more}", today, "until then the row is left out")


def odd_months(table: RecordTable[Any], settings: Settings, today: date) -> Iterator[Finding]:
    """Claims and years that reach beyond today; what they say of later days does not count."""
    for i, row in enumerate(table.rows):
        for column in ("start", "end", "year_end"):
            value = getattr(row, column, None)
            if value is None:
                continue
            first = date(value, 1, 1) if column == "year_end" else first_day(value)
            if first > today:
                text = str(value) if column == "year_end" else month_text(value)
                yield _ahead(i, column, text, today, "what it says of later days does not count")
                break


def odd_until(table: RecordTable[Any], settings: Settings, today: date) -> Iterator[Finding]:
    """The end of a measure may lie ahead, but not by more than YEARS_IN_FORCE years."""
    for i, event in enumerate(table.rows):
        if event.until and event.until.first.year > max(event.date.last.year, today.year) + YEARS_IN_FORCE:
            expected = f"an end within {YEARS_IN_FORCE} years"
            yield (i, "until", str(event.until), expected, "Correct the date, or leave it empty while the end is not known.")


def odd_coverage(settings: Settings, today: date) -> Iterator[Finding]:
    """Files covered through a day that has not come: a mistyped date, or a wrong clock."""
    allowed = capped_coverage(settings.coverage, today)
    for file, through in settings.coverage.items():
        if covers_future(file, through, today):
            yield Problem(
                "coverage.toml",
                f"{file} covered through {through}; {allowed[file]} is used instead",
                f"a day not after today, {today} by this machine's clock",
                "Correct the date, or set the clock right.",
                column=file,
                severity="warning",
            )


def _is_declared(settings: Settings, row: Any) -> bool:
    month = month_of(row.published.last)
    return is_expected(settings, row.file, "ahead", month, month)


def _ahead(i: int, column: str, found: str, today: date, consequence: str) -> Finding:
    expected = f"a day not after today, {today} by this machine's clock; {consequence}"
    return (i, column, found, expected, "Correct the date, or set the clock right.")
