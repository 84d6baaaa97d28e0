"""Values off by a factor: each is compared with its neighbours in time, with other vintages of the same figure, and with its sibling.

Two figures are near if their logs differ by no more than a bound. A figure that is far from all its neighbours is named; where two
figures are far from each other but each has a near neighbour on its other side, the series changes its scale there, and the later is named.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Any, Final

from forecast.data.checks.expected import is_expected, newest_by_series, series_value
from forecast.data.problems import row_problem
from forecast.data.records import Indicator, OverdoseRelease
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.domain import month_text
from forecast.errors import Problem

type Point = tuple[int, float, int]  # position in time, value above 0, index of the row
type Jump = tuple[int, int]  # index of the row that is off, and of the one it is compared with

STEP: Final = 8.0
"""A monthly change so many times the series' usual one (median absolute log change, scaled to a normal sd) is a step …"""

LEVEL: Final = 6.0
BESIDE: Final = 3
"""… and so is a distance so many times the usual one from the median of the three months before and the three after …"""

DOUBLING: Final = math.log(2)
EIGHTFOLD: Final = math.log(8)
"""… if it also doubles or halves the value; more than a factor of eight always is one."""

ENOUGH: Final = 12
"""Changes from which the usual one is known."""

TOTAL: Final = 0.15
"""Twelve-month totals overlap: from one month to the next, to another vintage or to its sibling the log differs by less. The most ever seen
is half of that."""

OVERLAP: Final = 12
"""Months after which two totals have none in common, so that the bound grows no more."""

BELOW: Final = 0.02
"""A predicted total adds what is pending; it is never so much (in logs) below the reported one."""

MOSTLY: Final = 0.85
"""Synthetic opioids were never in more than 70 per cent of all deaths by overdose."""

RARE: Final = 0.1
"""A zero or a negative value is odd in a series in which fewer than this share of the other values are like it."""

MANY: Final = 3
"""So many rows of one release are named one by one; more are named together."""


def jumps(points: Sequence[Point], bound: Callable[[int], float]) -> list[Jump]:
    """The values that are off, of points in order; `bound` says how far the logs of two may differ that lie so far apart."""
    far = [abs(math.log(b[1] / a[1])) > bound(b[0] - a[0]) for a, b in pairwise(points)]
    last = len(points) - 1
    alone = [0 < i < last and far[i - 1] and far[i] for i in range(last + 1)]
    if last == 1:  # of two nobody knows which is wrong: the later is named
        alone[1] = far[0]
    elif last > 1:  # an end has one neighbour, which is to blame itself if it is far from its other one too
        alone[0], alone[last] = far[0] and not alone[1], far[-1] and not alone[last - 1]
    found = []
    for i, (_, _, row) in enumerate(points):
        if alone[i] or (i and far[i - 1] and not alone[i - 1]):
            found.append((row, points[i - 1 if i else 1][2]))
    return found


def odd_steps(table: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
    """A month that lies far from those beside it: a unit, a typing slip, a missing digit."""
    for series, at in newest_by_series(table).items():
        points = [(table.rows[i].month, series_value(table.rows[i]), i) for i in at if series_value(table.rows[i]) > 0]
        for i, words, bound in _off(table, points):
            m = table.rows[i].month
            if not is_expected(settings, table.rows[i].file, "step", m, m, series):
                found, wanted = f"{series} at {words} in {month_text(m)}", f"a change by at most a factor {math.exp(bound):.1f}"
                yield _odd(table, i, "month", found, wanted, "Check the figure and its unit")


def _off(table: RecordTable[Any], points: Sequence[Point]) -> Iterator[tuple[int, str, float]]:
    """Index, words and bound of what lies far from the months beside it or, where none of these does, from the middle of several."""
    bound = _bound(STEP, [math.log(b[1] / a[1]) for a, b in pairwise(points)])
    steps = dict(jumps(points, lambda _: bound))
    for i, j in steps.items():
        beside = "before" if table.rows[j].month < table.rows[i].month else "after"
        yield i, f"{series_value(table.rows[i]) / series_value(table.rows[j]):.2g} times the month {beside}", bound
    away = _distances([v for _, v, _ in points])
    bound = _bound(LEVEL, away)
    near = {n + k for n, (_, _, i) in enumerate(points) if i in steps for k in range(-BESIDE, BESIDE + 1)}
    for n, ((_, _, i), distance) in enumerate(zip(points, away, strict=True)):
        if n not in near and abs(distance) > bound:
            yield i, f"{math.exp(distance):.2g} times the middle of the months around it", bound


def _distances(values: Sequence[float]) -> list[float]:
    """In logs, how far each value is from the median of those before and after it."""
    logs = [math.log(v) for v in values]
    around = [[*logs[max(n - BESIDE, 0) : n], *logs[n + 1 : n + 1 + BESIDE]] for n in range(len(logs))]
    return [log - median(near) if near else 0.0 for log, near in zip(logs, around, strict=True)]


def _bound(times: float, moves: Sequence[float]) -> float:
    """So many times what is usual, as far as that is known; between a doubling and a factor of eight."""
    if len(moves) < ENOUGH:
        return EIGHTFOLD
    return min(max(times * median(map(abs, moves)) / 0.6745, DOUBLING), EIGHTFOLD)


def odd_signs(table: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
    """A zero or a negative value in a series that otherwise has none."""
    for series, at in newest_by_series(table).items():
        signs = {i: math.copysign(1, series_value(table.rows[i])) if series_value(table.rows[i]) else 0 for i in at}
        count = Counter(signs.values())
        for i, sign in signs.items():
            m = table.rows[i].month
            rare = len(at) > 1 and count[sign] - 1 < RARE * (len(at) - 1)
            if sign <= 0 and rare and not is_expected(settings, table.rows[i].file, "outlier", m, m, series):
                what = "a zero" if sign == 0 else "a negative value"
                yield _odd(
                    table, i, "month", f"{what} in {series} of {month_text(m)}", "a value above 0, as in its other months", "Check it"
                )


def odd_units(table: RecordTable[Indicator], settings: Settings) -> Iterator[Problem]:
    """Rows of a series in another unit than most of it."""
    rows = sorted(range(len(table.rows)), key=lambda i: (table.rows[i].series, i))
    for series, group in groupby(rows, key=lambda i: table.rows[i].series):
        at = list(group)
        usual = Counter(table.rows[i].unit for i in at).most_common(1)[0][0]
        other = [i for i in at if table.rows[i].unit != usual]
        if other:
            more = f" and {len(other) - 1} more rows" if len(other) > 1 else ""
            found = f"{series} in {table.rows[other[0]].unit!r}{more}"
            yield row_problem(table, other[0], "unit", found, f"{usual!r}, the unit of the series", "Convert the values.", "warning")


def odd_vintages(table: RecordTable[Any], settings: Settings) -> Iterator[Problem]:
    """A month's value far from what the vintage before said of the same month."""
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
                yield _odd(table, i, "published", found, "vintages of one month that differ by less than a factor 2", "Check both")


def odd_totals(table: RecordTable[OverdoseRelease], settings: Settings) -> Iterator[Problem]:
    """Twelve-month totals far from those beside them, from another release's, from their sibling's."""
    found: dict[tuple[str, str, str, str], list[tuple[int, str, str]]] = {}
    for column in ("reported", "predicted", "percent_pending"):
        checks = (_pending,) if column == "percent_pending" else (_beside, _between, _parts, _predicted)
        for kind, i, what, wanted in (odd for check in checks for odd in check(table, column)):
            row = table.rows[i]
            if not is_expected(settings, row.file, "step", row.period_end, row.period_end, row.indicator, str(row.published)):
                found.setdefault((kind, str(row.published), row.indicator, column), []).append((i, what, wanted))
    for (_, _, _, column), rows in found.items():
        yield from _named(table, column, rows)


def _named(table: RecordTable[Any], column: str, rows: Sequence[tuple[int, str, str]]) -> Iterator[Problem]:
    """A problem a row, or one for all where they are many: then it is the release that is wrong."""
    more = f", and {len(rows) - 1} more rows of its release like it" if len(rows) > MANY else ""
    for i, what, wanted in rows[:1] if more else rows:
        yield _odd(table, i, column, what + more, wanted, "Check it against the source")


type Odd = tuple[str, int, str, str]  # kind, index of the row, what was found, what was expected


def _beside(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    for points in _grouped(table, column, _release, _period).values():
        for i, j in jumps(points, lambda months: TOTAL * min(months, OVERLAP)):
            other = month_text(table.rows[j].period_end)
            what = f"{column} {_ratio(table, column, i, j)} times that to {other} in the same release"
            yield "beside", i, what, f"totals that overlap to differ by at most {TOTAL:.0%} a month"


def _between(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    for points in _grouped(table, column, lambda row: (row.period_end, row.indicator), _day).values():
        for i, j in jumps(points, lambda _: TOTAL):
            what = f"{column} {_ratio(table, column, i, j)} times what the release of {table.rows[j].published} says of the same months"
            yield "between", i, what, f"releases to differ by at most {TOTAL:.0%}"


def _parts(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    """Synthetic opioids beside all drugs of the same months, in the same release or the one that has them last before it."""
    whole = _grouped(table, column, lambda row: (row.indicator, row.period_end), _day)
    for i, row in enumerate(table.rows):
        part = getattr(row, column)
        if row.indicator != "synthetic_opioids" or not part:
            continue
        before = [p for p in whole.get(("all_drugs", row.period_end), ()) if table.rows[p[2]].published.last <= row.published.last]
        if before and part > MOSTLY * before[-1][1]:
            what = f"{column} {part / before[-1][1]:.2f} of the {before[-1][1]:g} for all drugs"
            yield "part", i, what, f"at most {MOSTLY:.0%} of them; or do these rows count all drugs?"


def _predicted(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    for i, row in enumerate(table.rows if column == "predicted" else ()):
        if row.reported and row.predicted and not -BELOW <= math.log(row.predicted / row.reported) <= TOTAL:
            what = f"predicted {row.predicted / row.reported:.2g} times the {row.reported:g} reported"
            yield "sibling", i, what, f"a predicted total at most {TOTAL:.0%} above the reported one, and not below it"


def _pending(table: RecordTable[OverdoseRelease], column: str) -> Iterator[Odd]:
    """The share pending moves little from one period to the next."""
    releases = _grouped(table, column, _release, _period)
    for points in releases.values():
        for i, j in jumps(points, lambda _: DOUBLING):
            what = f"{column} {_ratio(table, column, i, j)} times that to {month_text(table.rows[j].period_end)} in the same release"
            yield "pending", i, what, "a share that less than doubles from one period to the next"
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


def _odd(table: RecordTable[Any], i: int, column: str, found: str, wanted: str, do: str) -> Problem:
    return row_problem(table, i, column, found, wanted, f"{do}, or declare it expected in sources.toml.", "warning")
