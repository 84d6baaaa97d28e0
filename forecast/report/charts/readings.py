"""Where the chance may lie: the density under each reading, and their mixture, on a square-root axis that opens up small chances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from forecast.report.charts.svg import Margin, Size, colour, framed, values
from forecast.report.words import percent, plain_percent

Report = Mapping[str, Any]
TICKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
COLOURS = ("one", "two", "three", "four")


def densities(report: Report, size: Size) -> Any:
    """A hump a reading, scaled by its weight, above the hump of the mixture; a tick marks each mean."""
    import altair as alt

    left, step, tall = 0, 74 if size.phone else 66, 58
    rows = [(r["title"], r["weight"], r["headline"], r["density"], COLOURS[i % len(COLOURS)]) for i, r in enumerate(report["readings"])]
    rows.append(("All readings, weighted", None, report["mixture"]["mean"], report["mixture"]["density"], "ink"))
    highest = _highest(report)
    peak = max(max(_heights(d)) * (w or 1) for _, w, _, d, _ in rows)
    areas, ticks, labels, lines = [], [], [], []
    for i, (title, weight, mean, curve, name) in enumerate(rows):
        floor = step * (i + 1)
        for x, h in zip(curve["x"], _heights(curve), strict=True):
            if x <= highest:
                areas.append({"x": sqrt(x), "y": floor, "y2": floor - tall * h * (weight or 1) / peak, "c": colour(name), "g": i})
        ticks.append({"x": sqrt(mean), "y": floor + 4, "y2": floor - 3, "c": colour(name)})
        lines.append({"y": floor})
        labels.append({"y": floor - tall + 2, "t": title, "v": f"{plain_percent(mean)}" + (f"  (weight {percent(weight)})" if weight else "")})
    inner = size.width - left - 8
    shown = [t for t in TICKS if t <= highest]
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, sqrt(highest)], nice=False),
        axis=alt.Axis(values=[sqrt(t) for t in shown], labelExpr="format(datum.value * datum.value * 100, '~r') + ' %'", grid=True, labelFlush=False),
    )
    y = {"scale": None, "axis": None}
    raw = {"scale": None, "legend": None}
    layers = [
        alt.Chart(values(areas)).mark_area(opacity=0.28, interpolate="monotone").encode(
            x=x, y=alt.Y("y:Q", **y), y2="y2:Q", color=alt.Color("c:N", **raw), detail="g:N"
        ),
        alt.Chart(values(areas)).mark_line(strokeWidth=1.5, interpolate="monotone").encode(x="x:Q", y=alt.Y("y2:Q", **y), color=alt.Color("c:N", **raw), detail="g:N"),
        alt.Chart(values(lines)).mark_rule(color=colour("faint"), strokeWidth=0.75).encode(y=alt.Y("y:Q", **y)),
        alt.Chart(values(ticks)).mark_rule(strokeWidth=2.5).encode(x="x:Q", y=alt.Y("y:Q", **y), y2="y2:Q", color=alt.Color("c:N", **raw)),
        alt.Chart(values(labels)).mark_text(align="right", fontWeight="bold").encode(x=alt.value(inner), y=alt.Y("y:Q", **y), text="t:N"),
        alt.Chart(values(labels)).mark_text(align="right", dy=16, color=colour("soft")).encode(x=alt.value(inner), y=alt.Y("y:Q", **y), text="v:N"),
    ]  # fmt: skip
    return framed(layers, size, step * len(rows) + 4, Margin(left=left, right=8, top=6))


def _heights(curve: Mapping[str, Sequence[float]]) -> list[float]:
    """The density of √p where `curve` is that of p: so that areas stay true on the stretched axis."""
    return [2 * sqrt(x) * y for x, y in zip(curve["x"], curve["y"], strict=True)]


def _highest(report: Report) -> float:
    """Where every hump has all but died away: a round number above the highest interval's end."""
    reach = max([report["mixture"]["interval"]["high"], *(r["headline_interval"]["high"] for r in report["readings"])]) * 1.45
    return next((t for t in TICKS if t >= reach), 1.0)
