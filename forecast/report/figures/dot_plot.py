"""Rows of dots and bars with their labels: beside the plot on a page, above it on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from forecast.report.figures.plot import AxisScale, Margin, Plot, Size, Tint, mark, percent_tick, plain_tick


@dataclass(frozen=True, slots=True)
class Bar:
    low: float
    high: float
    colour: Tint = "one"
    thick: float = 3
    above: float = 0
    """Pixels above the row's middle line."""


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    colour: Tint = "one"
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


def dot_plot(rows: Sequence[Row], size: Size, axis: Axis, left: int = 250, right: int = 58, reference: float | None = None) -> Plot:
    """One line a row. `left` is the label's column in pixels on a page; `reference` a vertical line through all rows."""
    margin = Margin(left=7 if size.phone else left, right=right - 6 if size.phone else right, top=8, bottom=24)
    places, y = [], 0.0
    for row in rows:
        label_at, line_at, height = _place(row, size)
        places.append((row, y + label_at, y + line_at))
        y += height
    x = AxisScale(axis.low, axis.high, axis.ticks, percent_tick if axis.percent else plain_tick, clamp=True)
    bars = [{"x": b.low, "x2": b.high, "y": line - b.above, "stroke": b.colour, "width": b.thick} for r, _, line in places for b in r.bars]
    dots = [
        {"x": d.x, "y": line, "stroke": d.colour, "fill": d.colour if d.filled else "paper", "size": d.size}
        for r, _, line in places
        for d in r.dots
    ]
    marks = [
        mark("rule", [] if reference is None else [{"x": reference}], x, stroke="soft", dash=(2, 3)),
        mark("rule", bars, x, cap="round"),
        mark("point", dots, x),
        mark("text", _texts(places, size, margin)),
    ]
    return Plot(marks, size, round(y), margin)


def _place(row: Row, size: Size) -> tuple[float, float, float]:
    """Where in a row its label and its line stand, and how high it is."""
    if row.heading:
        return (16, 16, 30)
    return (9, 26, 40) if size.phone else (13, 13, 27)


def _texts(places: Sequence[tuple[Row, float, float]], size: Size, margin: Margin) -> list[dict[str, Any]]:
    """Labels flush left and values flush right."""
    # A longer label ends in an ellipsis; the table has it whole. A phone's own font may be wider than the one that is measured here.
    room = 0.9 * (size.width - 2 * margin.left) if size.phone else margin.left - 4
    heading = {"font_size": size.text - 0.5, "fill": "soft", "italic": True}
    out: list[dict[str, Any]] = []
    for row, label_at, line_at in places:
        style = heading if row.heading else {"bold": row.strong}
        out.append({"x": -margin.left, "y": label_at, "text": row.label, "limit": room, **style})
        if row.value:
            out.append({"x": size.width - margin.left, "y": line_at, "text": row.value, "align": "right", **style})
    return out
