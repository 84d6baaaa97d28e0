"""Where the chance may lie: the density under each reading, and their mixture, on a square-root axis that opens up small chances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

from forecast.report.charts.svg import Margin, Size, colour, framed, unscaled, values
from forecast.report.words import capital, percent, plain_percent

Report = Mapping[str, Any]
Curve = Mapping[str, Sequence[float]]
TICKS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
COLOURS = ("one", "two", "three", "four")
TALL = 52
"""Height in pixels of the highest hump."""


def densities(report: Report, size: Size) -> Any:
    """A hump of equal area a reading; beneath, the mixture as their weighted humps stacked. A tick marks each mean."""
    import altair as alt

    highest = _highest(report)
    step = 78 if size.phone else 68
    humps, ticks, labels, floors = [], [], [], []
    shapes = [_heights(r["density"], highest) for r in report["readings"]]
    peak = max(h for shape in shapes for _, h in shape)
    for i, (r, shape) in enumerate(zip(report["readings"], shapes, strict=True)):
        floor, tint = step * (i + 1), colour(COLOURS[i % len(COLOURS)])
        humps += [{"x": x, "y": floor, "y2": floor - TALL * h / peak, "c": tint, "g": i} for x, h in shape]
        ticks.append({"x": sqrt(r["headline"]), "y": floor + 4, "y2": floor - 4, "c": tint})
        labels.append(
            {"y": floor - TALL + 2, "t": capital(r["title"]), "v": f"{plain_percent(r['headline'])}, weight {percent(r['weight'])}"}
        )
        floors.append({"y": floor})
    bottom = step * (len(shapes) + 1) + 22
    humps += _stacked(report, shapes, bottom)
    ticks.append({"x": sqrt(report["mixture"]["mean"]), "y": bottom + 4, "y2": bottom - 4, "c": colour("ink")})
    labels.append({"y": bottom - TALL - 12, "t": "All readings, by their weights", "v": plain_percent(report["mixture"]["mean"])})
    floors.append({"y": bottom})
    layers = _layers(alt, humps, ticks, labels, floors, size, highest)
    return framed(layers, size, bottom + 6, Margin(left=8, right=20, top=6))


def _stacked(report: Report, shapes: Sequence[Sequence[tuple[float, float]]], floor: float) -> list[dict[str, Any]]:
    """The weighted humps one upon another, on the first one's grid; as high in all as a fifth more than a reading's."""
    grid = [x for x, _ in shapes[0]]
    weighted = [[r["weight"] * _at(shape, x) for x in grid] for r, shape in zip(report["readings"], shapes, strict=True)]
    total = [sum(column) for column in zip(*weighted, strict=True)]
    scale, below, out = 1.2 * TALL / max(total), [0.0] * len(grid), []
    for i, part in enumerate(weighted):
        above = [a + b for a, b in zip(below, part, strict=True)]
        tint = colour(COLOURS[i % len(COLOURS)])
        out += [
            {"x": x, "y": floor - scale * a, "y2": floor - scale * b, "c": tint, "g": 100 + i}
            for x, a, b in zip(grid, below, above, strict=True)
        ]
        below = above
    return out


def _layers(alt: Any, humps: Any, ticks: Any, labels: Any, floors: Any, size: Size, highest: float) -> list[Any]:
    inner = size.width - 28
    bold: dict[str, Any] = {"align": "right", "fontWeight": "bold", "limit": 0.85 * inner}
    expression = "format(datum.value * datum.value * 100, '~r') + ' %'"
    shown = [t for t in TICKS if t <= highest * 1.001]
    axis = alt.Axis(values=[sqrt(t) for t in shown], labelExpr=expression, grid=True, labelFlush=False, labelOverlap=False)
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, sqrt(highest)], nice=False), axis=axis)
    y, y2 = (unscaled("Y", f"{field}:Q") for field in ("y", "y2"))
    tint = unscaled("Color", "c:N")
    return [
        alt.Chart(values(humps)).mark_area(opacity=0.3).encode(x=x, y=y, y2="y2:Q", color=tint, detail="g:N"),
        alt.Chart(values(humps)).mark_line(strokeWidth=1.25).encode(x=x, y=y2, color=tint, detail="g:N"),
        alt.Chart(values(floors)).mark_rule(color=colour("faint"), strokeWidth=0.75).encode(y=y),
        alt.Chart(values(ticks)).mark_rule(strokeWidth=2.5).encode(x=x, y=y, y2="y2:Q", color=tint),
        alt.Chart(values(labels)).mark_text(**bold).encode(x=alt.value(inner), y=y, text="t:N"),
        alt.Chart(values(labels)).mark_text(align="right", dy=15, color=colour("soft")).encode(x=alt.value(inner), y=y, text="v:N"),
    ]  # fmt: skip


def _heights(curve: Curve, highest: float, most: int = 90) -> list[tuple[float, float]]:
    """(√p, density of √p) where `curve` is that of p, so that areas stay true on the stretched axis; thinned to `most` points."""
    pairs = [(sqrt(x), 2 * sqrt(x) * y) for x, y in zip(curve["x"], curve["y"], strict=True) if x <= highest]
    return pairs[:: max(1, -(-len(pairs) // most))]


def _at(shape: Sequence[tuple[float, float]], x: float) -> float:
    """The height at x, linear between points, none beyond them."""
    for (x0, h0), (x1, h1) in pairwise(shape):
        if x0 <= x <= x1:
            return h0 + (h1 - h0) * (x - x0) / (x1 - x0) if x1 > x0 else h0
    return 0.0


def _highest(report: Report) -> float:
    """Where every hump has all but died away: a round number above the highest interval's end."""
    reach = max([report["mixture"]["interval"]["high"], *(r["headline_interval"]["high"] for r in report["readings"])]) * 1.3
    return next((t for t in TICKS if t >= reach), 1.0)
