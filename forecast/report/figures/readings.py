"""Readings of the record and other choices of method: densities by reading, and the multiverse table."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast.formatting import capital, number, percent, plain_percent, points
from forecast.report.figures.dot_plot import Bar, Dot, Row, dot_plot, percent_axis
from forecast.report.figures.svg_export import WIDTH, Margin, colour, field, fixed, framed, unscaled, values
from forecast.report.tables import Table, interval_cell, table
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.report.models.base import Density
    from forecast.report.models.forecast import Choice
    from forecast.report.models.report import Report

type Curve = tuple[Floats, Floats]
"""Places on the axis, which is a square root, and the height at each."""

TICKS: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
COLOURS: Final = ("one", "two", "three", "four")
TALL: Final = 52
"""Height in pixels of the highest area."""


def densities_chart(report: Report) -> Any:
    """One area of equal size a reading; beneath, the mixture as their weighted areas stacked. A tick marks each mean.

    The axis is a square root, which opens up small chances.
    """
    highest = _highest(report)
    step = 78
    areas, ticks, labels, floors = [], [], [], []
    curves = [on_square_root(r.density, highest) for r in report.readings]
    peak = max(float(height.max()) for _, height in curves)
    for i, (r, (x, height)) in enumerate(zip(report.readings, curves, strict=True)):
        floor, tint = step * (i + 1), colour(COLOURS[i % len(COLOURS)])
        areas += _area(x, floor - TALL * height / peak, np.full(len(x), float(floor)), tint, i)
        ticks.append({"x": sqrt(r.headline), "y": floor + 4, "y2": floor - 4, "c": tint})
        value = f"{plain_percent(r.headline)}, weight {percent(r.weight)}"
        labels.append({"y": floor - TALL + 2, "t": capital(r.title), "v": value})
        floors.append({"y": floor})
    bottom = step * (len(curves) + 1) + 22
    areas += _stacked(report, curves, bottom)
    ticks.append({"x": sqrt(report.mixture.mean), "y": bottom + 4, "y2": bottom - 4, "c": colour("ink")})
    labels.append({"y": bottom - TALL - 12, "t": "All readings, by their weights", "v": plain_percent(report.mixture.mean)})
    floors.append({"y": bottom})
    layers = _layers(areas, ticks, labels, floors, highest)
    return framed(layers, bottom + 6, Margin(left=8, right=20, top=6))


def _area(x: Floats, top: Floats, bottom: Floats, tint: str, group: int) -> list[dict[str, Any]]:
    columns = zip(x.tolist(), top.tolist(), bottom.tolist(), strict=True)
    return [{"x": at, "y": high, "y2": low, "c": tint, "g": group} for at, high, low in columns]


def _stacked(report: Report, curves: Sequence[Curve], floor: float) -> list[dict[str, Any]]:
    """The weighted areas one upon another, on the first one's grid; as high in all as a fifth more than a reading's."""
    grid = curves[0][0]
    weighted = [r.weight * np.interp(grid, x, height, left=0, right=0) for r, (x, height) in zip(report.readings, curves, strict=True)]
    tops = np.cumsum(weighted, axis=0)
    edges = floor - 1.2 * TALL / tops[-1].max() * np.vstack([np.zeros(len(grid)), tops])
    out = []
    for i in range(len(curves)):
        out += _area(grid, edges[i + 1], edges[i], colour(COLOURS[i % len(COLOURS)]), 100 + i)
    return out


def _layers(areas: Any, ticks: Any, labels: Any, floors: Any, highest: float) -> list[Any]:
    import altair as alt

    inner = WIDTH - 28
    bold: dict[str, Any] = {"align": "right", "fontWeight": "bold", "limit": 0.85 * inner}
    expression = "format(datum.value * datum.value * 100, '~r') + ' %'"
    shown = [t for t in TICKS if t <= highest * 1.001]
    axis = alt.Axis(values=[sqrt(t) for t in shown], labelExpr=expression, grid=True, labelFlush=False, labelOverlap=False)
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, sqrt(highest)], nice=False), axis=axis)
    y, tint = unscaled("Y", "y:Q"), unscaled("Color", "c:N")
    return [
        alt.Chart(values(areas)).mark_area(opacity=0.3).encode(x=x, y=y, y2=field("Y2", "y2:Q"), color=tint, detail=field("Detail", "g:N")),
        alt.Chart(values(areas)).mark_line(strokeWidth=1.25).encode(x=x, y=y, color=tint, detail=field("Detail", "g:N")),
        alt.Chart(values(floors)).mark_rule(color=colour("faint"), strokeWidth=0.75).encode(y=y),
        alt.Chart(values(ticks)).mark_rule(strokeWidth=2.5).encode(x=x, y=y, y2=field("Y2", "y2:Q"), color=tint),
        alt.Chart(values(labels)).mark_text(**bold).encode(x=fixed("X", inner), y=y, text=field("Text", "t:N")),
        alt.Chart(values(labels))
        .mark_text(align="right", dy=15, color=colour("soft"))
        .encode(x=fixed("X", inner), y=y, text=field("Text", "v:N")),
    ]


def on_square_root(density: Density, highest: float, most: int = 90) -> Curve:
    """The density of √p where `density` is that of p, so that areas stay true on the stretched axis; thinned to `most` points."""
    x, y = np.array(density.x), np.array(density.y)
    root, y = np.sqrt(x[x <= highest]), y[x <= highest]
    every = max(1, -(-len(root) // most))
    return root[::every], (2 * root * y)[::every]


def _highest(report: Report) -> float:
    """Where every curve is nearly flat: a round number above the highest interval's end."""
    reach = max([report.mixture.interval.high, *(r.headline_interval.high for r in report.readings)]) * 1.3
    return next((t for t in TICKS if t >= reach), 1.0)


def multiverse_chart(report: Report) -> Any:
    """One dot a defensible choice, grouped by what was chosen; the published one marked by a line."""
    base = report.multiverse[0].probability if report.multiverse else 0.0
    rows: list[Row] = []
    for title, members in grouped(report.multiverse):
        rows += [Row(capital(title), heading=True)] if title else []
        for choice in members:
            p, first = choice.probability, choice is report.multiverse[0]
            dot = Dot(p, "one" if first else "two", size=120 if first else 70)
            rows.append(Row(capital(choice.label), percent(p), (dot,), (Bar(min(base, p), max(base, p), "faint", 1.5),), strong=first))
    highest = max([choice.probability for choice in report.multiverse], default=0.1)
    return dot_plot(rows, percent_axis(highest), reference=base if report.multiverse else None)


def grouped(choices: Sequence[Choice]) -> list[tuple[str, list[Choice]]]:
    """Choices under their group's name. Lone ones need no heading of their own: those that come first have none, the others share one."""
    groups: dict[str, list[Choice]] = {}
    for choice in choices:
        groups.setdefault(choice.group, []).append(choice)
    first: list[Choice] = []
    named: list[tuple[str, list[Choice]]] = []
    others: list[Choice] = []
    for name, members in groups.items():
        if len(members) > 1:
            named.append((name, members))
        else:
            (others if named else first).extend(members)
    return [(title, members) for title, members in [("", first), *named, ("other choices", others)] if members]


def readings_table(report: Report) -> Table:
    rows = [
        (
            capital(r.title), percent(r.weight), str(r.level_now), percent(r.headline), interval_cell(r.headline_interval),
            percent(r.headline_prior), r.why,
        )
        for r in report.readings
    ]  # fmt: skip
    m = report.mixture
    mixed = ("All, weighted", None, None, percent(m.mean), interval_cell(m.interval), None, f"median {percent(m.median)}")
    return table(("Reading", "Weight", "Level now", "Headline", "Interval", "Prior alone", "Why"), [*rows, mixed], range(1, 6))


def densities_table(report: Report, most: int = 40) -> Table:
    """The curves at no more than `most` points."""
    curves = [(capital(r.title), r.density) for r in report.readings] + [("All, weighted", report.mixture.density)]
    x = curves[-1][1].x
    every = max(1, -(-len(x) // most))
    rows = [[percent(at, 3), *(number(_nearest(density, at)) for _, density in curves)] for at in x[::every]]
    return table(["Chance", *(name for name, _ in curves)], rows, range(len(curves) + 1))


def _nearest(density: Density, x: float) -> float:
    """The height at the grid point nearest to x."""
    return density.y[int(np.abs(np.array(density.x) - x).argmin())]


def weights_table(report: Report) -> Table:
    rows = [(capital(w.label), percent(w.weight_advisers), percent(w.headline)) for w in report.weights_alternative]
    return table(("Other weights", "Weight of advisers stayed", "Headline"), rows, (1, 2))


def multiverse_table(report: Report) -> Table:
    base = report.multiverse[0].probability if report.multiverse else 0.0
    rows = [(capital(r.label), r.group, percent(r.probability), points(r.probability - base), r.note) for r in report.multiverse]
    return table(("Choice", "Of what kind", "Headline, main reading", "Points", "Note"), rows, (2, 3))
