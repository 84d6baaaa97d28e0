"""The record: latent tolerance with the events that moved it, and beneath it the levels as coded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from forecast.domain import LEVELS
from forecast.report.charts.svg import Margin, Size, colour, framed, unscaled, values
from forecast.report.charts.time import band, left_axis, line, spread, years
from forecast.report.words import year_of

Report = Mapping[str, Any]
LANE = 18
"""Pixels from one row of flags to the next."""
FAMILIES = {"A": "one", "B": "two", "C": "three", "D": "soft"}


def tolerance(report: Report, size: Size) -> Any:
    """θ by month with its 80 % band; numbered flags mark the events listed below the chart."""
    import altair as alt

    theta, months = report["history"]["theta"], report["history"]["months"]
    flags = 22 + LANE * _lanes(report, size)
    height = (160 if size.phone else 180) + flags
    low, high = min(theta["q10"]), max(theta["q90"])
    room = (high - low) * flags / height
    low, high = low - 0.05 * (high - low), high + room
    x = years(report, size)
    y = left_axis("y", low, high, _round_ticks(low, max(theta["q90"])), "replace(format(datum.value, '~g'), '-', '−')")
    layers = [band(months, theta["q10"], theta["q90"], x, y, "one"), line(months, theta["q50"], x, y, "one")]
    layers += _flags(report, size, x, height)
    layers.append(alt.Chart(values([{"y": 0}])).mark_rule(color=colour("faint")).encode(y=y))
    return framed(layers, size, height, Margin(left=30, right=8, top=4, bottom=24))


def _flags(report: Report, size: Size, x: Any, height: int) -> list[Any]:
    """A numbered disc an event, pushed aside where events crowd, tied to a line at the event's own time."""
    import altair as alt

    events = report["history"]["events"]
    if not events:
        return []
    first, last = year_of(report["history"]["months"][0]), year_of(report["origin"]) + 2.1
    pixels_a_year = (size.width - 38) / (last - first)
    wanted = [year_of(e["date"]) for e in events]
    lanes = _lanes(report, size)
    placed = spread(wanted, _disc(size) / lanes / pixels_a_year, last - 8 / pixels_a_year)
    discs, ties = [], []
    for i, (e, at, was) in enumerate(zip(events, placed, wanted, strict=True)):
        tint = colour(FAMILIES.get(e["family"], "soft"))
        lane = 12 + LANE * (i % lanes)
        discs.append({"x": at, "y": lane, "t": str(i + 1), "c": tint})
        ties += [{"x": a, "y": b, "c": tint, "g": i} for a, b in ((at, lane + 9), (was, 17 + LANE * lanes), (was, height))]
    y, tinted = unscaled("Y", "y:Q"), unscaled("Color", "c:N")
    disc = 190 if size.phone else 240
    mark = alt.Chart(values(discs)).mark_point(shape="circle", size=disc, opacity=1, strokeWidth=1.25, fill=colour("paper"))
    digits = alt.Chart(values(discs)).mark_text(align="center", fontSize=10.5 if size.phone else 11)
    return [
        alt.Chart(values(ties)).mark_line(strokeWidth=1, opacity=0.4).encode(x=x, y=y, color=tinted, detail="g:N"),
        mark.encode(x=x, y=y, stroke=unscaled("Stroke", "c:N")),
        digits.encode(x=x, y=y, text="t:N", color=tinted),
    ]


def _disc(size: Size) -> int:
    """The room a disc needs, in pixels."""
    return 15 if size.phone else 19


def _lanes(report: Report, size: Size) -> int:
    """Rows of discs: as many as it takes to keep them apart, but no more than three."""
    return min(3, max(1, math.ceil(len(report["history"]["events"]) * _disc(size) / (size.width - 60))))


def _round_ticks(low: float, high: float) -> list[float]:
    step = next(s for s in (0.25, 0.5, 1, 2, 5, 10, 50, 1e9) if (high - low) / s <= 6)
    first = int(low / step) - 1
    return [step * i for i in range(first, first + 12) if low <= step * i <= high]


def levels(report: Report, size: Size) -> Any:
    """The level of each month in the main reading as steps; where other readings differ, thin lines of their own colour."""
    import altair as alt

    months, main = report["history"]["months"], report["history"]["main"]
    x = years(report, size)
    step = 30
    height = step * len(LEVELS)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[-0.5, 5.5], nice=False), axis=None)
    rungs = [{"y": k, "t": f"{k} {name}"} for k, name in enumerate(LEVELS)]
    never = [k for k in report["ladder"] if not k["ever_observed"]]
    layers = [
        alt.Chart(values([{"y": k["level"] - 0.5, "y2": k["level"] + 0.5} for k in never] or [{"y": 9, "y2": 9}]))
        .mark_rect(color=colour("line"), opacity=0.45, clip=True)
        .encode(y=y, y2="y2:Q"),
        alt.Chart(values(rungs)).mark_rule(color=colour("line"), strokeWidth=1).encode(y=y),
    ]
    names = [name for name in report["history"]["by_reading"] if name != "main"]
    for i, name in enumerate(names):
        rows = _differing(months, report["history"]["by_reading"][name], main)
        if rows:
            lifted = alt.Y("y:Q", scale=alt.Scale(domain=[-0.5, 5.5], nice=False), axis=None)
            thin = alt.Chart(values(rows)).mark_rule(color=colour(("two", "three", "four")[i % 3]), strokeWidth=4, opacity=0.9)
            layers.append(thin.encode(x=x, x2="x2:Q", y=lifted))
    rows = [{"x": year_of(m) - 1 / 24, "y": v} for m, v in zip(months, main, strict=True)]
    rows.append({"x": year_of(months[-1]) + 1 / 24, "y": main[-1]})
    layers.append(alt.Chart(values(rows)).mark_line(interpolate="step-after", color=colour("one"), strokeWidth=2.25).encode(x=x, y=y))
    labels = [{"y": r["y"], "t": r["t"]} for r in rungs]
    text = alt.Chart(values(labels)).mark_text(color=colour("soft"), dy=-8, fontSize=size.text - 0.5)
    layers.append(text.encode(x=alt.value(-26), y=y, text="t:N"))
    for k in never[-1:]:
        said = alt.Chart(
            values([{"y": k["level"], "t": "shaded: never observed" if size.phone else "shaded: never observed in the main reading"}])
        )
        layers.append(
            said.mark_text(color=colour("soft"), fontStyle="italic", align="right", dy=-8).encode(
                x=alt.value(size.width - 42), y=y, text="t:N"
            )
        )
    return framed(layers, size, height, Margin(left=30, right=8, top=4, bottom=24))


def _differing(months: list[str], other: list[int], main: list[int]) -> list[dict[str, float]]:
    """The stretches in which a reading differs from main, one a level."""
    out: list[dict[str, float]] = []
    for m, a, b in zip(months, other, main, strict=True):
        if a == b:
            continue
        start, end = year_of(m) - 1 / 24, year_of(m) + 1 / 24
        if out and out[-1]["y"] == a and abs(out[-1]["x2"] - start) < 0.01:
            out[-1]["x2"] = end
        else:
            out.append({"x": start, "x2": end, "y": a})
    return out
