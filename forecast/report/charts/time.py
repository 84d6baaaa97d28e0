"""What every chart over time shares: the axis of years, bands, lines, labels that do not collide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from forecast.report.charts.svg import Size, colour, values
from forecast.report.words import year_of


def years(report: Mapping[str, Any], size: Size) -> Any:
    """The x encoding: decimal years from the first month to the end of the simulated paths."""
    import altair as alt

    months = report["history"]["months"]
    future = report["drivers"]["leverage"]["future"]["months"]
    first, last = int(year_of(months[0])), year_of(future[-1] if future else months[-1]) + 0.1
    step = 5 if size.phone else 2
    ticks = [y for y in range(first, int(last) + 1) if y % step == 0]
    return alt.X(
        "x:Q",
        scale=alt.Scale(domain=[first, last], nice=False),
        axis=alt.Axis(values=ticks, format="d", grid=False, ticks=True, labelFlush=False),
    )


def left_axis(field: str, low: float, high: float, ticks: Sequence[float], expression: str = "format(datum.value, '~g')") -> Any:
    """The y encoding, with faint lines across."""
    import altair as alt

    axis = alt.Axis(values=list(ticks), labelExpr=expression, grid=True)
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[low, high], nice=False, zero=False), axis=axis)


def line(months: Sequence[str], series: Sequence[float | None], x: Any, y: Any, name: str, **mark: Any) -> Any:
    import altair as alt

    rows = [{"x": year_of(m), "y": v} for m, v in zip(months, series, strict=True)]
    return alt.Chart(values(rows)).mark_line(color=colour(name), **mark).encode(x=x, y=y)


def band(
    months: Sequence[str], low: Sequence[float | None], high: Sequence[float | None], x: Any, y: Any, name: str, opacity: float = 0.2
) -> Any:
    import altair as alt

    rows = [{"x": year_of(m), "y": a, "y2": b} for m, a, b in zip(months, low, high, strict=True)]
    return alt.Chart(values(rows)).mark_area(color=colour(name), opacity=opacity).encode(x=x, y=y, y2="y2:Q")


def fan(future: Mapping[str, Any], x: Any, y: Any, name: str) -> list[Any]:
    """The simulated continuation: a paler band, its median dashed."""
    if not future["months"]:
        return []
    return [
        band(future["months"], future["q10"], future["q90"], x, y, name, 0.13),
        line(future["months"], future["q50"], x, y, name, strokeDash=[3, 3]),
    ]


def origin_rule(report: Mapping[str, Any], x: Any) -> list[Any]:
    """Where knowledge ends and simulation begins."""
    import altair as alt

    rows = [{"x": year_of(report["origin"]) + 1 / 24}]
    return [alt.Chart(values(rows)).mark_rule(color=colour("faint"), strokeDash=[1, 3]).encode(x=x)]


def note(text: str, at: float, y_pixels: float, x: Any, name: str = "soft", **mark: Any) -> Any:
    """A direct label at a year and a height in pixels."""
    import altair as alt

    return alt.Chart(values([{"x": at, "t": text}])).mark_text(color=colour(name), **mark).encode(x=x, y=alt.value(y_pixels), text="t:N")


def spread(places: Sequence[float], gap: float, highest: float = math.inf) -> list[float]:
    """The places in order, pushed apart so that neighbours lie at least `gap` from one another, as little as two sweeps can.

    None lies above `highest`, unless already there; what is pushed beyond it is pushed back, and its neighbours with it.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    out = list(places)
    for before, after in pairwise(order):
        out[after] = max(out[after], out[before] + gap)
    if order:
        pushed = out[order[-1]] - places[order[-1]]
        limit = min(highest, out[order[-1]] - pushed / 2)  # give half of the push back to the other side
        for i in reversed(order):
            out[i] = min(out[i], limit)
            limit = out[i] - gap
    return out
