"""The record: latent tolerance with the events that moved it, and beneath it the levels as coded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from forecast.domain import LEVELS
from forecast.formatting import capital, day_words, month_words, number, year_of
from forecast.report.figures.svg_export import WIDTH, Margin, colour, field, fixed, framed, unscaled, values
from forecast.report.figures.time_axis import band, left_axis, level_axis, level_names, line, spread, years
from forecast.report.tables import Table, table

if TYPE_CHECKING:
    from forecast.report.models.report import Report

LANE: Final = 18
"""Pixels from one row of flags to the next."""
DISC: Final = 19
"""The room a disc needs, in pixels."""
FAMILIES: Final = {"A": "one", "B": "two", "C": "three", "D": "soft"}
TICK_STEPS: Final = (0.25, 0.5, 1, 2, 5, 10, 50, 1e9)
HALF_MONTH: Final = 1 / 24


def tolerance_chart(report: Report) -> Any:
    """θ by month with its 80 % band; numbered flags mark the events listed below the chart."""
    import altair as alt

    theta, months = report.history.theta, report.history.months
    flags = 22 + LANE * _lanes(report)
    height = 170 + flags
    lowest, highest = min(v for v in theta.q10 if v is not None), max(v for v in theta.q90 if v is not None)
    low, high = lowest - 0.05 * (highest - lowest), highest + (highest - lowest) * flags / height
    x = years(report)
    y = left_axis(low, high, _round_ticks(low, highest), "replace(format(datum.value, '~g'), '-', '−')")
    layers = [
        band(months, theta.q10, theta.q90, x, y, "one"),
        line(months, theta.q50, x, y, "one"),
        *_flags(report, x, height),
        alt.Chart(values([{"y": 0}])).mark_rule(color=colour("faint")).encode(y=y),
    ]
    return framed(layers, height, Margin(left=30, right=8, top=4, bottom=24))


def _flags(report: Report, x: Any, height: int) -> list[Any]:
    """A numbered disc an event, pushed aside where events crowd, tied to a line at the event's own time."""
    import altair as alt

    events = report.history.events
    if not events:
        return []
    first, last = year_of(report.history.months[0]), year_of(report.origin) + 2.1
    pixels_a_year = (WIDTH - 38) / (last - first)
    times = [year_of(e.date) for e in events]
    lanes = _lanes(report)
    placed = spread(times, DISC / lanes / pixels_a_year, last - 8 / pixels_a_year)
    discs, ties = [], []
    for i, (e, at, true) in enumerate(zip(events, placed, times, strict=True)):
        tint = colour(FAMILIES.get(e.family, "soft"))
        lane = 12 + LANE * (i % lanes)
        discs.append({"x": at, "y": lane, "t": str(i + 1), "c": tint})
        ties += [{"x": a, "y": b, "c": tint, "g": i} for a, b in ((at, lane + 9), (true, 17 + LANE * lanes), (true, height))]
    y, tinted = unscaled("Y", "y:Q"), unscaled("Color", "c:N")
    mark: dict[str, Any] = {
        "shape": "circle",
        "size": 240,
        "opacity": 1,
        "strokeWidth": 1.25,
        "fill": colour("paper"),
    }
    digits = alt.Chart(values(discs)).mark_text(align="center", fontSize=12.5)
    return [
        alt.Chart(values(ties)).mark_line(strokeWidth=1, opacity=0.4).encode(x=x, y=y, color=tinted, detail=field("Detail", "g:N")),
        alt.Chart(values(discs)).mark_point(**mark).encode(x=x, y=y, stroke=unscaled("Stroke", "c:N")),
        digits.encode(x=x, y=y, text=field("Text", "t:N"), color=tinted),
    ]


def _lanes(report: Report) -> int:
    """Rows of discs: as many as it takes to keep them apart, but no more than three."""
    return min(3, max(1, math.ceil(len(report.history.events) * DISC / (WIDTH - 60))))


def _round_ticks(low: float, high: float) -> list[float]:
    step = next(s for s in TICK_STEPS if (high - low) / s <= 6)
    first = int(low / step) - 1
    return [step * i for i in range(first, first + 12) if low <= step * i <= high]


def levels_chart(report: Report) -> Any:
    """The level of each month in the main reading as steps; where other readings differ, thin lines of their own colour."""
    import altair as alt

    months, main = report.history.months, report.history.main
    x, y, height = years(report), level_axis(), 30 * len(LEVELS)
    rungs = values([{"y": k} for k in range(len(LEVELS))])
    never = [r.level for r in report.ladder if not r.ever_observed]
    shaded = values([{"y": k - 0.5, "y2": k + 0.5} for k in never] or [{"y": 9, "y2": 9}])
    layers = [
        alt.Chart(shaded).mark_rect(color=colour("line"), opacity=0.45, clip=True).encode(y=y, y2=field("Y2", "y2:Q")),
        alt.Chart(rungs).mark_rule(color=colour("line"), strokeWidth=1).encode(y=y),
    ]
    for i, levels in enumerate(levels for name, levels in report.history.by_reading.items() if name != "main"):
        if rows := differing_stretches(months, levels, main):
            thin = alt.Chart(values(rows)).mark_rule(color=colour(("two", "three", "four")[i % 3]), strokeWidth=4, opacity=0.9)
            layers.append(thin.encode(x=x, x2=field("X2", "x2:Q"), y=y))
    rows = [{"x": year_of(m) - HALF_MONTH, "y": k} for m, k in zip(months, main, strict=True)]
    rows.append({"x": year_of(months[-1]) + HALF_MONTH, "y": main[-1]})
    layers.append(alt.Chart(values(rows)).mark_line(interpolate="step-after", color=colour("one"), strokeWidth=2.25).encode(x=x, y=y))
    layers.append(level_names(y, -26))
    if never:
        mark = alt.Chart(values([{"y": never[-1], "t": "shaded: never observed"}])).mark_text(
            color=colour("soft"), fontStyle="italic", align="right", dy=-8
        )  # fmt: skip
        layers.append(mark.encode(x=fixed("X", WIDTH - 42), y=y, text=field("Text", "t:N")))
    return framed(layers, height, Margin(left=30, right=8, top=4, bottom=24))


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
