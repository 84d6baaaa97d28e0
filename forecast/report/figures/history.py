"""The record: latent tolerance with the events that moved it, and beneath it the levels as coded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from forecast.domain import LEVELS
from forecast.formatting import capital, day_words, month_words, number, year_of
from forecast.report.figures.plot import AxisScale, Margin, Mark, Plot, Size, Tint, mark
from forecast.report.figures.time_axis import LEVEL_SCALE, band, level_names, line, spread, years
from forecast.report.tables import Table, table

if TYPE_CHECKING:
    from forecast.report.models.report import Report

LANE: Final = 18
"""Pixels from one row of flags to the next."""
FAMILIES: Final[dict[str, Tint]] = {"A": "one", "B": "two", "C": "three", "D": "soft"}
TICK_STEPS: Final = (0.25, 0.5, 1, 2, 5, 10, 50, 1e9)
HALF_MONTH: Final = 1 / 24


def tolerance_chart(report: Report, size: Size) -> Plot:
    """θ by month with its 80 % band; numbered flags mark the events listed below the chart."""
    theta, months = report.history.theta, report.history.months
    flags = 22 + LANE * _lanes(report, size)
    height = (160 if size.phone else 180) + flags
    lowest, highest = min(v for v in theta.q10 if v is not None), max(v for v in theta.q90 if v is not None)
    low, high = lowest - 0.05 * (highest - lowest), highest + (highest - lowest) * flags / height
    x = years(report, size)
    y = AxisScale(low, high, _round_ticks(low, highest))
    marks = [
        band(months, theta.q10, theta.q90, x, y, "one"),
        line(months, theta.q50, x, y, "one"),
        *_flags(report, size, x, height),
        mark("rule", [{"y": 0}], None, y, stroke="faint"),
    ]
    return Plot(marks, size, height, Margin(left=30, right=8, top=4, bottom=24))


def _flags(report: Report, size: Size, x: AxisScale, height: int) -> list[Mark]:
    """A numbered disc an event, pushed aside where events crowd, tied to a line at the event's own time."""
    events = report.history.events
    if not events:
        return []
    first, last = year_of(report.history.months[0]), year_of(report.origin) + 2.1
    pixels_a_year = (size.width - 38) / (last - first)
    times = [year_of(e.date) for e in events]
    lanes = _lanes(report, size)
    placed = spread(times, _disc(size) / lanes / pixels_a_year, last - 8 / pixels_a_year)
    discs: list[dict[str, Any]] = []
    ties: list[dict[str, Any]] = []
    for i, (e, at, true) in enumerate(zip(events, placed, times, strict=True)):
        tint = FAMILIES.get(e.family, "soft")
        lane = 12 + LANE * (i % lanes)
        discs.append({"x": at, "y": lane, "stroke": tint, "text": str(i + 1)})
        ties += [{"x": a, "y": b, "stroke": tint, "group": i} for a, b in ((at, lane + 9), (true, 17 + LANE * lanes), (true, height))]
    digits = [{**disc, "fill": disc["stroke"]} for disc in discs]
    return [
        mark("line", ties, x, width=1, opacity=0.4),
        mark("point", discs, x, size=190 if size.phone else 240, width=1.25, fill="paper"),
        mark("text", digits, x, align="center", font_size=10.5 if size.phone else 11),
    ]


def _disc(size: Size) -> int:
    """The room a disc needs, in pixels."""
    return 15 if size.phone else 19


def _lanes(report: Report, size: Size) -> int:
    """Rows of discs: as many as it takes to keep them apart, but no more than three."""
    return min(3, max(1, math.ceil(len(report.history.events) * _disc(size) / (size.width - 60))))


def _round_ticks(low: float, high: float) -> tuple[float, ...]:
    step = next(s for s in TICK_STEPS if (high - low) / s <= 6)
    first = int(low / step) - 1
    return tuple(step * i for i in range(first, first + 12) if low <= step * i <= high)


def levels_chart(report: Report, size: Size) -> Plot:
    """The level of each month in the main reading as steps; where other readings differ, thin lines of their own colour."""
    months, main = report.history.months, report.history.main
    x, y, height = years(report, size), LEVEL_SCALE, 30 * len(LEVELS)
    never = [r.level for r in report.ladder if not r.ever_observed]
    marks = [
        mark("rect", [{"y": k - 0.5, "y2": k + 0.5} for k in never], None, y, fill="line", opacity=0.45),
        mark("rule", [{"y": k} for k in range(len(LEVELS))], None, y, stroke="line"),
    ]
    others: tuple[Tint, ...] = ("two", "three", "four")
    for i, levels in enumerate(levels for name, levels in report.history.by_reading.items() if name != "main"):
        stretches = differing_stretches(months, levels, main)
        marks.append(mark("rule", stretches, x, y, stroke=others[i % len(others)], width=4, opacity=0.9))
    rows: list[dict[str, Any]] = [{"x": year_of(m) - HALF_MONTH, "y": k} for m, k in zip(months, main, strict=True)]
    rows.append({"x": year_of(months[-1]) + HALF_MONTH, "y": main[-1]})
    marks.append(mark("line", rows, x, y, step=True, stroke="one", width=2.25))
    marks.append(level_names(size, -26))
    if never:
        text = "shaded: never observed" if size.phone else "shaded: never observed in the main reading"
        rows = [{"x": size.width - 42, "y": never[-1], "text": text}]
        marks.append(mark("text", rows, None, y, fill="soft", italic=True, align="right", dy=-8))
    return Plot(marks, size, height, Margin(left=30, right=8, top=4, bottom=24))


def differing_stretches(months: list[str], other: list[int], main: list[int]) -> list[dict[str, float]]:
    """The stretches in which a reading differs from main, one a level."""
    out: list[dict[str, float]] = []
    for m, a, b in zip(months, other, main, strict=True):
        if a == b:
            continue
        start, end = year_of(m) - HALF_MONTH, year_of(m) + HALF_MONTH
        if out and out[-1]["y"] == a and abs(out[-1]["x2"] - start) < 0.01:
            out[-1]["x2"] = end
        else:
            out.append({"x": start, "x2": end, "y": a})
    return out


def changes_table(report: Report) -> Table:
    rows = [
        (
            month_words(c.month), f"{c.before}\u00a0→\u00a0{c.after}", c.why, f"{c.claim_id}, confidence {c.confidence}",
            ", ".join(c.events),
        )
        for c in report.history.changes
    ]  # fmt: skip
    return table(("Month", "Level", "Why", "Claim", "Records"), rows)


def events_table(report: Report) -> Table:
    rows = [(str(i), day_words(e.date), e.what, e.id) for i, e in enumerate(report.history.events, 1)]
    return table(("No.", "Date", "What happened", "Record"), rows)


def history_table(report: Report) -> Table:
    """Levels of each reading and θ, by month."""
    h = report.history
    others = {name: levels for name, levels in h.by_reading.items() if name != "main"}
    titles = {r.name: r.title for r in report.readings}
    columns = [h.main, *others.values()]
    rows = [
        [m, *(str(levels[i]) for levels in columns), *(number(q[i]) for q in (h.theta.q10, h.theta.q50, h.theta.q90))]
        for i, m in enumerate(h.months)
    ]
    names = [capital(titles.get(name, name)) for name in others]
    return table(["Month", "Level, main", *names, "θ 10 %", "θ 50 %", "θ 90 %"], rows, range(1, len(names) + 5))
