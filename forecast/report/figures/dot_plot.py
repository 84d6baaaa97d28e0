"""Rows of dots and bars, each with its label above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from forecast.report.figures.svg_export import TEXT, WIDTH, Margin, colour, field, fixed, framed, unscaled, values


@dataclass(frozen=True, slots=True)
class Bar:
    low: float
    high: float
    colour: str = "one"
    thick: float = 3
    above: float = 0
    """Pixels above the row's middle line."""


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    colour: str = "one"
    filled: bool = True
    size: float = 70


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    value: str = ""
    dots: tuple[Dot, ...] = ()
    bars: tuple[Bar, ...] = ()
    heading: bool = False
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    low: float
    high: float
    ticks: tuple[float, ...]
    percent: bool = True


QUARTERS: Final = Axis(0, 1, (0, 0.25, 0.5, 0.75, 1))


def percent_axis(highest: float) -> Axis:
    """An axis from 0 that holds `highest`, with few round ticks."""
    for top, step in ((0.05, 0.01), (0.1, 0.02), (0.2, 0.05), (0.3, 0.1), (0.4, 0.1), (0.6, 0.2), (0.8, 0.2), (1.0, 0.25)):
        if highest <= top:
            return Axis(0, top, tuple(round(i * step, 4) for i in range(round(top / step) + 1)))
    return QUARTERS


def dot_plot(rows: Sequence[Row], axis: Axis, right: int = 58, reference: float | None = None, width: int = WIDTH) -> Any:
    """One line a row. right: pixels of the column of values; reference: where a vertical line goes through all rows."""
    import altair as alt

    margin = Margin(left=7, right=right, top=8, bottom=26)
    places, y = [], 0.0
    for row in rows:
        label_at, line_at, height = _place(row)
        places.append((row, y + label_at, y + line_at))
        y += height
    height = round(y)
    scale = alt.Scale(domain=[axis.low, axis.high], nice=False, zero=False, clamp=True)
    expression = "format(datum.value * 100, '~g') + ' %'" if axis.percent else "replace(format(datum.value, '~g'), '-', '−')"
    x_axis = alt.Axis(values=list(axis.ticks), labelExpr=expression, grid=True, labelFlush=False)
    x = alt.X("x:Q", scale=scale, axis=x_axis)
    at = unscaled("Y", "y:Q")
    none = {"x": axis.low, "y": 0.0}
    bars = [{"x": b.low, "x2": b.high, "y": line - b.above, "c": colour(b.colour), "w": b.thick} for r, _, line in places for b in r.bars]
    dots = [
        {"x": d.x, "y": line, "c": colour(d.colour), "f": colour(d.colour if d.filled else "paper"), "s": d.size}
        for r, _, line in places
        for d in r.dots
    ]
    layers = [alt.Chart(values([none])).mark_point(opacity=0, color=colour("ink")).encode(x=x, y=at)]
    if reference is not None:
        layers.append(alt.Chart(values([{"x": reference}])).mark_rule(color=colour("soft"), strokeDash=[2, 3]).encode(x=field("X", "x:Q")))
    if bars:
        layers.append(
            alt.Chart(values(bars)).mark_rule(strokeCap="round").encode(
                x=field("X", "x:Q"), x2=field("X2", "x2:Q"), y=at,
                color=unscaled("Color", "c:N"), strokeWidth=unscaled("StrokeWidth", "w:Q"),
            )
        )  # fmt: skip
    if dots:
        layers.append(
            alt.Chart(values(dots)).mark_point(opacity=1, strokeWidth=2).encode(
                x=field("X", "x:Q"), y=at, stroke=unscaled("Stroke", "c:N"), fill=unscaled("Fill", "f:N"), size=unscaled("Size", "s:Q")
            )
        )  # fmt: skip
    layers += _texts(places, width, margin)
    return framed(layers, height, margin, width)


def _place(row: Row) -> tuple[float, float, float]:
    """Where in a row its label and its line stand, and how high it is."""
    if row.heading:
        return 16, 16, 30
    return 9, 26, 40


def _texts(places: Sequence[tuple[Row, float, float]], width: int, margin: Margin) -> list[Any]:
    import altair as alt

    def column(rows: list[dict[str, Any]], x: float, **mark: Any) -> Any:
        return alt.Chart(values(rows)).mark_text(**mark).encode(x=fixed("X", x), y=unscaled("Y", "y:Q"), text=field("Text", "t:N"))

    inner = width - margin.left - margin.right
    # A longer label ends in an ellipsis; the table has it whole. A phone's own font may be wider than the one that is measured here.
    room = 0.9 * (width - 2 * margin.left)
    kinds: dict[str, dict[str, Any]] = {
        "heading": {"fontSize": TEXT, "color": colour("soft"), "fontStyle": "italic"},
        "strong": {"fontWeight": "bold"},
        "plain": {},
    }
    out = []
    for kind, mark in kinds.items():
        chosen = [(r, a, b) for r, a, b in places if kind == ("heading" if r.heading else "strong" if r.strong else "plain")]
        labels = [{"y": a, "t": r.label} for r, a, _ in chosen]
        if labels:
            out.append(column(labels, -margin.left, limit=room, **mark))
        numbers = [{"y": b, "t": r.value} for r, _, b in chosen if r.value]
        if numbers:
            out.append(column(numbers, inner + margin.right, align="right", **mark))
    return out
