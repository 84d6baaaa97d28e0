"""Warnings about values that are off by a factor, against neighbours in time, other vintages of the same figure, and related figures.

Two figures are near if their logs differ by no more than a bound. A figure far from all its neighbours is reported. Where two figures are
far from each other but each has a near neighbour on its other side, the series changes its scale there, and the later one is reported.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Any, Final

from forecast.data.checks.expected import is_expected, newest_by_series, oddity, series_value
from forecast.data.problems import Finding
from forecast.data.records import Indicator, OverdoseRelease
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.domain import month_text

type Point = tuple[int, float, int]  # position in time, value above 0, index of the row
type Jump = tuple[int, int]  # indices of the row that is off and of the one it is compared with

MAX_CHANGE: Final = 8.0
"""A monthly change is a step if it exceeds this many times the series' usual change (median absolute log change, scaled to a normal sd)."""

MAX_DISTANCE: Final = 6.0
NEIGHBOURS: Final = 3
"""So is a value further than this many usual distances from the median of the three months before and the three after."""

DOUBLING: Final = math.log(2)
EIGHTFOLD: Final = math.log(8)
"""A step also doubles or halves the value; a change by more than a factor of eight is always one."""

MIN_CHANGES: Final = 12
"""With fewer changes than this, a series has no usual change."""

MAX_TOTAL_CHANGE: Final = 0.15
"""Twelve-month totals overlap: their logs differ by less from month to month, between vintages, and from reported to predicted.
The largest difference ever seen is half of it."""

TOTAL_MONTHS: Final = 12
"""Two totals this many months apart do not overlap, so that the bound grows no further."""

MAX_BELOW: Final = 0.02
"""A predicted total adds the pending deaths, so it is not this far (in logs) below the reported one."""

MAX_SHARE: Final = 0.85
"""Synthetic opioids were never in more than 70 per cent of all deaths by overdose."""

RARE: Final = 0.1
"""A zero or negative value is odd if a smaller share than this of the other values is like it."""

MAX_NAMED: Final = 3
"""Up to this many rows of one release are named each; more are named together."""


def jumps(points: Sequence[Point], bound: Callable[[int], float]) -> list[Jump]:
    """The values that are off, of points in order; `bound` gives the largest difference of two logs by their distance in time."""
    far = [abs(math.log(b[1] / a[1])) > bound(b[0] - a[0]) for a, b in pairwise(points)]
    last = len(points) - 1
    alone = [0 < i < last and far[i - 1] and far[i] for i in range(last + 1)]
    if last == 1:  # of two, either may be wrong: the later is reported
        alone[1] = far[0]
    elif last > 1:  # an end has one neighbour, which is itself wrong if it is far from its other one too
        alone[0], alone[last] = far[0] and not alone[1], far[-1] and not alone[last - 1]
    off = []
    for i, (_, _, row) in enumerate(points):
        if alone[i] or (i and far[i - 1] and not alone[i - 1]):
            off.append((row, points[i - 1 if i else 1][2]))
    return off


def odd_steps(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """A month far from those beside it: another unit, a typing error, a missing digit."""
    for series, at in newest_by_series(table).items():
        points = [(table.rows[i].month, series_value(table.rows[i]), i) for i in at if series_value(table.rows[i]) > 0]
        for i, words, bound in _off(table, points):
            m = table.rows[i].month
            if not is_expected(settings, table.rows[i].file, "step", m, m, series):
                found, wanted = f"{series} at {words} in {month_text(m)}", f"a change by at most a factor {math.exp(bound):.1f}"
                yield oddity(i, "month", found, wanted, "Check the figure and its unit")


def _off(table: RecordTable[Any], points: Sequence[Point]) -> Iterator[tuple[int, str, float]]:
    """Index, words and bound of each value far from the months beside it or, failing that, from the median of several."""
    bound = _bound(MAX_CHANGE, [math.log(b[1] / a[1]) for a, b in pairwise(points)])
    steps = dict(jumps(points, lambda _: bound))
    for i, j in steps.items():
        beside = "before" if table.rows[j].month < table.rows[i].month else "after"
        yield i, f"{series_value(table.rows[i]) / series_value(table.rows[j]):.2g} times the month {beside}", bound
    away = _distances([v for _, v, _ in points])
    bound = _bound(MAX_DISTANCE, away)
    near = {n + k for n, (_, _, i) in enumerate(points) if i in steps for k in range(-NEIGHBOURS, NEIGHBOURS + 1)}
    for n, ((_, _, i), distance) in enumerate(zip(points, away, strict=True)):
        if n not in near and abs(distance) > bound:
            yield i, f"{math.exp(distance):.2g} times the median of the months around it", bound


def _distances(values: Sequence[float]) -> list[float]:
    """In logs, how far each value is from the median of those before and after it."""
    logs = [math.log(v) for v in values]
    around = [[*logs[max(n - NEIGHBOURS, 0) : n], *logs[n + 1 : n + 1 + NEIGHBOURS]] for n in range(len(logs))]
    return [log - median(near) if near else 0.0 for log, near in zip(logs, around, strict=True)]


def _bound(times: float, moves: Sequence[float]) -> float:
    """A multiple of the usual change, if there is one; between a doubling and a factor of eight."""
    if len(moves) < MIN_CHANGES:
        return EIGHTFOLD
    return min(max(times * median(map(abs, moves)) / 0.6745, DOUBLING), EIGHTFOLD)


def odd_signs(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """A zero or negative value in a series that has few or none."""
    for series, at in newest_by_series(table).items():
        signs = {i: math.copysign(1, series_value(table.rows[i])) if series_value(table.rows[i]) else 0 for i in at}
        count = Counter(signs.values())
        for i, sign in signs.items():
            m = table.rows[i].month
            rare = len(at) > 1 and count[sign] - 1 < RARE * (len(at) - 1)
            if sign <= 0 and rare and not is_expected(settings, table.rows[i].file, "outlier", m, m, series):
                value = "a zero" if sign == 0 else "a negative value"
                yield oddity(i, "month", f"{value} in {series} of {month_text(m)}", "a value above 0, as in its other months", "Check it")


def odd_units(table: RecordTable[Indicator], settings: Settings) -> Iterator[Finding]:
    """Rows in another unit than most of their series."""
    rows = sorted(range(len(table.rows)), key=lambda i: (table.rows[i].series, i))
    for series, group in groupby(rows, key=lambda i: table.rows[i].series):
        at = list(group)
        usual = Counter(table.rows[i].unit for i in at).most_common(1)[0][0]
        other = [i for i in at if table.rows[i].unit != usual]
        if other:
            more = f" and {len(other) - 1} more rows" if len(other) > 1 else ""
            found = f"{series} in {table.rows[other[0]].unit!r}{more}"
            yield (other[0], "unit", found, f"{usual!r}, the unit of the series", "Convert the values.")


def odd_vintages(table: RecordTable[Any], settings: Settings) -> Iterator[Finding]:
    """A month's value far from that of the vintage before."""
    months: dict[tuple[str, int], list[int]] = {}
    for i, row in enumerate(table.rows):
        months.setdefault((row.series, row.month), []).append(i)
    for (series, m), at in months.items():
        at.sort(key=lambda i: table.rows[i].published.last)
        points = [(n, series_value(table.rows[i]), i) for n, i in enumerate(at) if series_value(table.rows[i]) > 0]
        for i, j in jumps(points, lambda _: DOUBLING):
            if not is_expected(settings, table.rows[i].file, "step", m, m, series):
                ratio = series_value(table.rows[i]) / series_value(table.rows[j])
                found = f"{series} of {month_text(m)} at {ratio:.2g} times what was published on {table.rows[j].published}"
                yield oddity(i, "published", found, "vintages of one month that differ by less than a factor 2", "Check both")


def odd_totals(table: RecordTable[OverdoseRelease], settings: Settings) -> Iterator[Finding]:
    """Twelve-month totals far from those beside them, from another release, or from related totals."""
    found: dict[tuple[str, str, str, str], list[tuple[int, str, str]]] = {}
    for column in ("reported", "predicted", "percent_pending"):
        checks = (_pending,) if column == "percent_pending" else (_neighbouring_periods, _other_releases, _shares_of_all, _predicted)
        for kind, i, what, wanted in (odd for check in checks for odd in check(table, column)):
            row = table.rows[i]
            if not is_expected(settings, row.file, "step", row.period_end, row.period_end, row.indicator, str(row.published)):
                found.setdefault((kind, str(row.published), row.indicator, column), []).append((i, what, wanted))
    for (_, _, _, column), rows in found.items():
        yield from _named(column, rows)


def _named(column: str, rows: Sequence[tuple[int, str, str]]) -> Iterator[Finding]:
    """One problem a row, or one for all if there are many, since then the whole release is wrong."""
    more = f", and {len(rows) - 1} more rows of its release like it" if len(rows) > MAX_NAMED else ""
    for i, what, wanted in rows[:1] if more else rows:
        yield oddity(i, column, what + more, wanted, "Check it against the source")


type Odd = tuple[str, int, str, str]  # kind, index of the row, what was found, what was expected


def _neighbouring_periods(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    for points in _grouped(table, column, _release, _period).values():
        for i, j in jumps(points, lambda months: MAX_TOTAL_CHANGE * min(months, TOTAL_MONTHS)):
            other = month_text(table.rows[j].period_end)
            found = f"{column} {_ratio(table, column, i, j)} times that to {other} in the same release"
            yield "beside", i, found, f"totals that overlap to differ by at most {MAX_TOTAL_CHANGE:.0%} a month"


def _other_releases(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    for points in _grouped(table, column, lambda row: (row.period_end, row.indicator), _day).values():
        for i, j in jumps(points, lambda _: MAX_TOTAL_CHANGE):
            found = f"{column} {_ratio(table, column, i, j)} times what the release of {table.rows[j].published} says of the same months"
            yield "between", i, found, f"releases to differ by at most {MAX_TOTAL_CHANGE:.0%}"


def _shares_of_all(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    """Synthetic opioids against all drugs of the same months, in the same release or the last one before that has both."""
    whole = _grouped(table, column, lambda row: (row.indicator, row.period_end), _day)
    for i, row in enumerate(table.rows):
        part = getattr(row, column)
        if row.indicator != "synthetic_opioids" or not part:
            continue
        before = [p for p in whole.get(("all_drugs", row.period_end), ()) if table.rows[p[2]].published.last <= row.published.last]
        if before and part > MAX_SHARE * before[-1][1]:
            found = f"{column} {part / before[-1][1]:.2f} of the {before[-1][1]:g} for all drugs"
            yield "part", i, found, f"at most {MAX_SHARE:.0%} of them; or do these rows count all drugs?"


def _predicted(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    for i, row in enumerate(table.rows if column == "predicted" else ()):
        if row.reported and row.predicted and not -MAX_BELOW <= math.log(row.predicted / row.reported) <= MAX_TOTAL_CHANGE:
            found = f"predicted {row.predicted / row.reported:.2g} times the {row.reported:g} reported"
            yield "sibling", i, found, f"a predicted total at most {MAX_TOTAL_CHANGE:.0%} above the reported one, and not below it"


def _pending(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    """The share pending moves little from one period to the next."""
    releases = _grouped(table, column, _release, _period)
    for points in releases.values():
        for i, j in jumps(points, lambda _: DOUBLING):
            found = f"{column} {_ratio(table, column, i, j)} times that to {month_text(table.rows[j].period_end)} in the same release"
            yield "pending", i, found, "a share that less than doubles from one period to the next"
    for i, row in enumerate(table.rows):
        if row.percent_pending == 0 and _release(row) in releases:
            yield "pending", i, f"{column} 0", "a share above 0, as in its other periods"


def _release(row: OverdoseRelease) -> tuple[str, str]:
    return str(row.published), row.indicator


def _period(row: OverdoseRelease) -> int:
    return row.period_end


def _day(row: OverdoseRelease) -> int:
    return row.published.last.toordinal()


def _grouped(
    table: RecordTable[Any], column: str, key: Callable[[Any], Any], position: Callable[[Any], int]
) -> Mapping[Any, Sequence[Point]]:
    """Points of one column by a key, in order of their position; what is empty or 0 is no point."""
    groups: dict[Any, list[Point]] = {}
    for i, row in enumerate(table.rows):
        if getattr(row, column):
            groups.setdefault(key(row), []).append((position(row), getattr(row, column), i))
    return {name: sorted(points) for name, points in groups.items()}


def _ratio(table: RecordTable[Any], column: str, i: int, j: int) -> str:
    value, other = getattr(table.rows[i], column), getattr(table.rows[j], column)
    return f"{value:g}, {value / other:.2g}"
