"""What every chart over time shares: the axis of years, the rungs of the ladder, bands, lines, labels that do not collide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from forecast.domain import LEVELS
from forecast.formatting import year_of
from forecast.report.figures.svg_export import colour, field, fixed, values

if TYPE_CHECKING:
    from forecast.report.models.base import Fan
    from forecast.report.models.report import Report

type Series = Sequence[float | None]


def years(report: Report) -> Any:
    """The x encoding: decimal years from the first month to the end of the simulated paths."""
    import altair as alt

    months = report.history.months
    future = report.drivers.leverage.future.months
    first, last = int(year_of(months[0])), year_of(future[-1] if future else months[-1]) + 0.1
    ticks = [y for y in range(first, int(last) + 1) if y % 4 == 0]
    axis = alt.Axis(values=ticks, format="d", grid=False, ticks=True, labelFlush=False)
    return alt.X("x:Q", scale=alt.Scale(domain=[first, last], nice=False), axis=axis)


def left_axis(low: float, high: float, ticks: Sequence[float], expression: str = "format(datum.value, '~g')") -> Any:
    """The y encoding, with faint lines across."""
    import altair as alt

    axis = alt.Axis(values=list(ticks), labelExpr=expression, grid=True)
    return alt.Y("y:Q", scale=alt.Scale(domain=[low, high], nice=False, zero=False), axis=axis)


def level_axis() -> Any:
    """The y encoding of levels."""
    import altair as alt

    return alt.Y("y:Q", scale=alt.Scale(domain=[-0.5, 5.5], nice=False), axis=None)


def level_names(y: Any, at: float) -> Any:
    """The name of each level above its line."""
    import altair as alt

    rows = values([{"y": k, "t": f"{k} {name}"} for k, name in enumerate(LEVELS)])
    text = alt.Chart(rows).mark_text(color=colour("soft"), dy=-8)
    return text.encode(x=fixed("X", at), y=y, text=field("Text", "t:N"))


def line(months: Sequence[str], series: Series, x: Any, y: Any, tint: str, **mark: Any) -> Any:
    import altair as alt

    rows = [{"x": year_of(m), "y": v} for m, v in zip(months, series, strict=True)]
    return alt.Chart(values(rows)).mark_line(color=colour(tint), **mark).encode(x=x, y=y)


def band(months: Sequence[str], low: Series, high: Series, x: Any, y: Any, tint: str, opacity: float = 0.2) -> Any:
    import altair as alt

    rows = [{"x": year_of(m), "y": a, "y2": b} for m, a, b in zip(months, low, high, strict=True)]
    return alt.Chart(values(rows)).mark_area(color=colour(tint), opacity=opacity).encode(x=x, y=y, y2=field("Y2", "y2:Q"))


def fan(future: Fan, x: Any, y: Any, tint: str) -> list[Any]:
    """The simulated continuation: a paler band, its median dashed."""
    if not future.months:
        return []
    return [
        band(future.months, future.q10, future.q90, x, y, tint, 0.13),
        line(future.months, future.q50, x, y, tint, strokeDash=[3, 3]),
    ]


def origin_rule(report: Report, x: Any) -> Any:
    """Where knowledge ends and simulation begins."""
    import altair as alt

    rows = [{"x": year_of(report.origin) + 1 / 24}]
    return alt.Chart(values(rows)).mark_rule(color=colour("faint"), strokeDash=[1, 3]).encode(x=x)


def note(text: str, at: float, y_pixels: float, x: Any, tint: str = "soft", **mark: Any) -> Any:
    """A direct label at a year and a height in pixels."""
    import altair as alt

    return (
        alt.Chart(values([{"x": at, "t": text}]))
        .mark_text(color=colour(tint), **mark)
        .encode(x=x, y=fixed("Y", y_pixels), text=field("Text", "t:N"))
    )


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
