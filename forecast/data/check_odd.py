"""What is odd rather than impossible: gaps, stops, repeats, steps, twins and outliers that sources.toml does not declare expected."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

from forecast.data.finding import finding
from forecast.data.records import Event, OverdoseFinal, OverdoseRelease, Poll
from forecast.data.settings import Source
from forecast.data.tables import Table
from forecast.data.toml import Settings
from forecast.domain import PartialDate, first_day, month, month_of, month_text
from forecast.errors import Problem

RUN = 4
"""A measured series that has one value so many months running has probably been copied down."""

STEP = 8.0
"""A monthly change so many times the series' usual one (median absolute log change, scaled to a normal sd) is a step …"""

DOUBLING = math.log(2)
"""… if it also doubles or halves the value."""

APART = 40.0
"""Points of the opposed share between two polls of one month on one question that call for a look."""

FORTNIGHT = timedelta(days=14)


def odd_gaps(table: Table[Any], settings: Settings) -> Iterator[Problem]:
    """Months missing inside a monthly series."""
    for series, at in _series(table).items():
        months = sorted({table.rows[i].month for i in at})
        for a, b in pairwise(months):
            if b > a + 1 and not _expected(settings, table, series, "gap", a + 1, b - 1):
                span = month_text(a + 1) if b == a + 2 else f"{month_text(a + 1)} to {month_text(b - 1)}"
                i = next(i for i in at if table.rows[i].month == b)
                yield _odd(table, i, "month", f"no {series} for {span}", "every month", "Add what is missing")


def odd_releases(table: Table[OverdoseRelease], settings: Settings) -> Iterator[Problem]:
    """Periods missing inside a release."""
    releases: dict[tuple[str, PartialDate], dict[int, int]] = {}
    for i, row in enumerate(table.rows):
        releases.setdefault((row.indicator, row.published), {})[row.period_end] = i
    for (indicator, published), periods in releases.items():
        for a, b in pairwise(sorted(periods)):
            if b > a + 1 and not _expected(settings, table, None, "gap", a + 1, b - 1):
                found = f"no {indicator} from {month_text(a + 1)} to {month_text(b - 1)} in the release of {published}"
                yield _odd(table, periods[b], "period_end", found, "every month", "Add what is missing")


def odd_stops(table: Table[Any], settings: Settings) -> Iterator[Problem]:
    """A series whose newest month is older than its file's coverage and its publisher's lag allow."""
    for series, at in _series(table).items():
        source = _source(settings, table, series)
        through = settings.coverage.get(table.rows[at[0]].file)
        if source is None or through is None or source.cadence != "monthly":
            continue
        newest = max(at, key=lambda i: table.rows[i].month)
        last = table.rows[newest].month
        due = month_of(first_day(month_of(through - timedelta(days=source.lag_days) + timedelta(days=1))) - timedelta(days=1))
        if source.expected_stop and last >= month_of(source.expected_stop):
            continue
        if last < due:
            yield _odd(
                table, newest, "month", f"{series} stops at {month_text(last)}", f"months to {month_text(due)}", "Add the newer ones"
            )


def odd_repeats(table: Table[Any], settings: Settings) -> Iterator[Problem]:
    """One value many months running."""
    for series, at in _series(table).items():
        for _, run in groupby(sorted(at, key=lambda i: table.rows[i].month), key=lambda i: _value(table.rows[i])):
            same = list(run)
            a, b = table.rows[same[0]].month, table.rows[same[-1]].month
            if len(same) >= RUN and not _expected(settings, table, series, "repeat", a, b):
                yield _odd(
                    table,
                    same[RUN - 1],
                    "month",
                    f"{series} equal in {len(same)} rows running from {month_text(a)}",
                    "values that move",
                    "Check them against the source",
                )


def odd_steps(table: Table[Any], settings: Settings) -> Iterator[Problem]:
    """A month that doubles or halves a series whose months hardly differ: a unit, a typing slip, a missing digit."""
    for series, at in _series(table).items():
        order = sorted(at, key=lambda i: table.rows[i].month)
        logs = [(i, math.log(_value(table.rows[i]))) for i in order if _value(table.rows[i]) > 0]
        moves = [(i, now - before) for (_, before), (i, now) in pairwise(logs)]
        if len(moves) < 12:
            continue
        usual = sorted(abs(move) for _, move in moves)[len(moves) // 2] / 0.6745
        for i, move in moves:
            m = table.rows[i].month
            if abs(move) > max(STEP * usual, DOUBLING) and not _expected(settings, table, series, "step", m, m):
                yield _odd(
                    table,
                    i,
                    "month",
                    f"{series} at {math.exp(move):.2g} times the month before in {month_text(m)}",
                    f"a change by at most a factor {math.exp(max(STEP * usual, DOUBLING)):.1f}",
                    "Check the figure and its unit",
                )


def odd_polls(table: Table[Poll], settings: Settings) -> Iterator[Problem]:
    """Two usable polls of one month and one kind of question that lie far apart."""
    usable = [(i, p, share) for i, p in enumerate(table.rows) if p.use == "yes" and (share := _opposed(p)) is not None]
    for n, (i, poll, share) in enumerate(usable):
        for _, other, theirs in usable[:n]:
            same = (poll.field_end.month, poll.wording, poll.topic) == (other.field_end.month, other.wording, other.topic)
            m = poll.field_end.month
            if same and abs(share - theirs) >= APART and not _expected(settings, table, None, "outlier", m, m):
                yield _odd(
                    table,
                    i,
                    "opposed_pct",
                    f"{share:.0f} per cent opposed, {abs(share - theirs):.0f} points from {other.poll_id}",
                    f"polls of one month within {APART:.0f} points",
                    "Check wording and shares against the sources",
                )


def odd_pairs(table: Table[Event], settings: Settings) -> Iterator[Problem]:
    """Two records of one fortnight, family, role, channel and instrument that nothing links: perhaps one act, entered twice."""
    rows = sorted(range(len(table.rows)), key=lambda i: (table.rows[i].date.last, i))
    for n, i in enumerate(rows):
        event = table.rows[i]
        for j in reversed(rows[:n]):
            other = table.rows[j]
            if event.date.last - other.date.last > FORTNIGHT:
                break
            if _twins(event, other) and not _told_apart(settings, table, event, other):
                yield _odd(
                    table,
                    i,
                    "id",
                    f"{event.id} close to {other.id}",
                    "a link between rows of one act",
                    "Name the earlier in same_act_as if both are one act",
                )


def _twins(a: Event, b: Event) -> bool:
    alike = all(
        getattr(a, c) == getattr(b, c)
        for c in ("family", "role", "channel", "instrument", "kind", "direction", "operation_level", "intensity")
    )
    linked = {*a.ends, *a.caused_by, *a.same_act_as, *b.ends, *b.caused_by, *b.same_act_as} & {a.id, b.id}
    return alike and not linked and not (a.episode and a.episode == b.episode)


def _told_apart(settings: Settings, table: Table[Event], a: Event, b: Event) -> bool:
    """Whether sources.toml names both rows in one expected duplicate."""
    source = _source(settings, table, None)
    return source is not None and any(
        e.kind == "duplicate" and {a.id, b.id} <= set(re.findall(r"[\w.:-]+", e.what)) for e in source.expected
    )


def _opposed(poll: Poll) -> float | None:
    """Per cent opposed of those with a side; where one side alone was published, 6 per cent are taken to have none."""
    if poll.opposed_pct is not None and poll.in_favour_pct is not None:
        total = poll.opposed_pct + poll.in_favour_pct
        return 100 * poll.opposed_pct / total if total else None
    if poll.opposed_pct is not None:
        return poll.opposed_pct / 0.94
    return 100 - poll.in_favour_pct / 0.94 if poll.in_favour_pct is not None else None


def _series(table: Table[Any]) -> dict[str, list[int]]:
    """The rows of each series, of each month only the vintage published last."""
    newest: dict[tuple[str, int], int] = {}
    for i, row in enumerate(table.rows):
        held = newest.get((row.series, row.month))
        if held is None or table.rows[held].published.last <= row.published.last:
            newest[row.series, row.month] = i
    found: dict[str, list[int]] = {}
    for (series, _), i in newest.items():
        found.setdefault(series, []).append(i)
    return found


def _value(row: Any) -> float:
    return float(row.deaths if isinstance(row, OverdoseFinal) else row.value)


def _source(settings: Settings, table: Table[Any], series: str | None) -> Source | None:
    of_file = [s for s in settings.sources.values() if s.file == table.rows[0].file]
    return next((s for s in of_file if s.series == series), None) or next((s for s in of_file if s.series is None), None)


def _expected(settings: Settings, table: Table[Any], series: str | None, kind: str, first: int, last: int) -> bool:
    source = _source(settings, table, series)
    return source is not None and any(
        e.kind == kind and (e.from_ is None or month(e.from_) <= first) and (e.to is None or last <= month(e.to)) for e in source.expected
    )


def _odd(table: Table[Any], i: int, column: str, found: str, expected: str, do: str) -> Problem:
    return finding(table, i, column, found, expected, f"{do}, or declare it expected in sources.toml.", "warning")
