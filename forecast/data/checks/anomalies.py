"""Warnings about series and events: gaps, stops, repeats, possible duplicates, outliers and terms that are too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

from forecast.data.checks.expected import FORTNIGHT, are_expected_duplicates, is_expected, newest_by_series, oddity, series_value, source_of
from forecast.data.problems import Finding
from forecast.data.records import Administration, Event, OverdoseRelease
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.domain import PartialDate, first_day, month_of, month_text

REPEATS = 4
"""Equal values in this many consecutive months of a measured series have probably been copied."""

MAX_TERM = {"Mexico": 72, "US": 96}
"""The most months that one president can be in office."""

OUTLIER_FACTOR = 3
"""A number of persons is odd if it is this many times above or below all others of its instrument."""


def odd_gaps(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """Months missing inside a monthly series."""
    for series, at in newest_by_series(table).items():
        months = sorted({table.rows[i].month for i in at})
        for a, b in pairwise(months):
            if b > a + 1 and not is_expected(settings, table.rows[at[0]].file, "gap", a + 1, b - 1, series):
                span = month_text(a + 1) if b == a + 2 else f"{month_text(a + 1)} to {month_text(b - 1)}"
                i = next(i for i in at if table.rows[i].month == b)
                yield oddity(i, "month", f"no {series} for {span}", "every month", "Add what is missing")


def odd_releases(table: RecordTable[OverdoseRelease], settings: Settings) -> Iterator[Finding]:
    """Periods missing inside a release."""
    releases: dict[tuple[str, PartialDate], dict[int, int]] = {}
    for i, row in enumerate(table.rows):
        releases.setdefault((row.indicator, row.published), {})[row.period_end] = i
    for (indicator, published), periods in releases.items():
        for a, b in pairwise(sorted(periods)):
            if b > a + 1 and not is_expected(settings, OverdoseRelease.file, "gap", a + 1, b - 1, indicator, str(published)):
                found = f"no {indicator} from {month_text(a + 1)} to {month_text(b - 1)} in the release of {published}"
                yield oddity(periods[b], "period_end", found, "every month", "Add what is missing")


def odd_stops(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """A series whose newest month is older than its file's coverage and its publisher's lag allow."""
    for series, at in newest_by_series(table).items():
        source = source_of(settings, table.rows[at[0]].file, series)
        through = settings.coverage.get(table.rows[at[0]].file)
        if source is None or through is None or source.cadence != "monthly":
            continue
        newest = max(at, key=lambda i: table.rows[i].month)
        last = table.rows[newest].month
        due = month_of(first_day(month_of(through - timedelta(days=source.lag_days) + timedelta(days=1))) - timedelta(days=1))
        if source.expected_stop and last >= month_of(source.expected_stop):
            continue
        if last < due:
            yield oddity(newest, "month", f"{series} stops at {month_text(last)}", f"months to {month_text(due)}", "Add the newer ones")


def odd_repeats(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """The same value in many consecutive months."""
    for series, at in newest_by_series(table).items():
        for _, run in groupby(at, key=lambda i: series_value(table.rows[i])):
            same = list(run)
            a, b = table.rows[same[0]].month, table.rows[same[-1]].month
            if len(same) >= REPEATS and not is_expected(settings, table.rows[same[0]].file, "repeat", a, b, series):
                found = f"{series} equal in {len(same)} consecutive rows from {month_text(a)}"
                expected = "values that change"
                yield oddity(same[REPEATS - 1], "month", found, expected, "Check them against the source")


def odd_duplicates(table: RecordTable[Event], settings: Settings) -> Iterator[Finding]:
    """Two rows within a fortnight that are coded alike and not linked: perhaps one act, entered twice."""
    rows = sorted(range(len(table.rows)), key=lambda i: (table.rows[i].date.last, i))
    for n, i in enumerate(rows):
        event = table.rows[i]
        for j in reversed(rows[:n]):
            other = table.rows[j]
            if event.date.last - other.date.last > FORTNIGHT:
                break
            if _alike(event, other) and not are_expected_duplicates(settings, event.file, (event.id, other.id)):
                found = f"{event.id} close to {other.id}"
                expected = "rows of one act to be linked"
                yield oddity(i, "id", found, expected, "Name the earlier row in same_act_as if both are one act")


def odd_counts(table: RecordTable[Event], settings: Settings) -> Iterator[Finding]:
    """A number of persons far beyond those of all other acts of its instrument."""
    counts: dict[str, list[int]] = {}
    for event in table.rows:
        if event.count:
            counts.setdefault(event.instrument, []).append(event.count)
    for values in counts.values():
        values.sort()
    for i, event in enumerate(table.rows):
        values = counts[event.instrument] if event.count else []
        if not event.count or len(values) < 2:
            continue
        least = values[1] if event.count == values[0] else values[0]  # of the others
        most = values[-2] if event.count == values[-1] else values[-1]
        m = event.date.month
        declared = is_expected(settings, event.file, "outlier", m, m, event.instrument)
        if not least / OUTLIER_FACTOR <= event.count <= most * OUTLIER_FACTOR and not declared:
            span = f"{least} to {most}, as of other rows with instrument {event.instrument}"
            yield oddity(i, "count", f"{event.count} persons", span, "Check it against the source")


def odd_terms(table: RecordTable[Administration], settings: Settings) -> Iterator[Finding]:
    """A term that is longer than the constitution allows."""
    for i, term in enumerate(table.rows):
        months = term.end - term.start + 1
        if months > MAX_TERM[term.country]:
            yield (i, "end", f"a term of {months} months", f"at most {MAX_TERM[term.country]} in {term.country}", "Check it.")


def _alike(a: Event, b: Event) -> bool:
    same_coding = all(
        getattr(a, c) == getattr(b, c)
        for c in ("family", "role", "channel", "instrument", "kind", "direction", "operation_level", "intensity")
    )
    linked = {*a.ends, *a.caused_by, *a.same_act_as, *b.ends, *b.caused_by, *b.same_act_as} & {a.id, b.id}
    return same_coding and not linked and not (a.episode and a.episode == b.episode)
