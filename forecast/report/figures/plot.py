"""What a chart is made of: scales, marks, and the frame around them. `svg_export` draws it.

A chart is laid out once for a page and once for a phone, because its text must not shrink with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict, Unpack

type Kind = Literal["line", "area", "rule", "rect", "point", "text"]
type Rows = Sequence[Mapping[str, Any]]
type Tint = Literal["ink", "soft", "faint", "line", "paper", "one", "two", "three", "four"]


@dataclass(frozen=True, slots=True)
class Size:
    """What a chart is drawn for: its width and the size of its text in CSS pixels, and whether that is a phone."""

    name: str
    width: int
    text: float

    @property
    def phone(self) -> bool:
        return self.name == "narrow"


PHONE: Final = Size("narrow", 343, 11.5)
PAGE: Final = Size("wide", 720, 12)
SIZES: Final = (PAGE, PHONE)


@dataclass(frozen=True, slots=True)
class Margin:
    left: int = 34
    right: int = 12
    top: int = 12
    bottom: int = 26


def plain_tick(value: float) -> str:
    """A tick's label as a number: −2, 0.5."""
    return f"{value:g}".replace("-", "−")


def percent_tick(share: float) -> str:
    """A tick's label in per cent: 7.5 %."""
    return f"{100 * share:g} %"


@dataclass(frozen=True, slots=True)
class AxisScale:
    """A linear scale with its axis.

    low, high    values at the ends of the plot
    ticks        values that have a label
    label        a value as text
    grid, short  a line at each tick: across the plot, or a short one outside it
    clamp        values beyond an end are drawn at the end
    flush        labels at the ends do not reach beyond the plot
    length       pixels from the top or left that the scale takes; None: all of the plot
    """

    low: float
    high: float
    ticks: tuple[float, ...] = ()
    label: Callable[[float], str] = plain_tick
    grid: bool = True
    short: bool = False
    clamp: bool = False
    flush: bool = False
    length: float | None = None

    def place(self, value: float) -> float:
        """Where a value lies between low (0) and high (1)."""
        share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0) if self.clamp else share


class Style(TypedDict, total=False):
    """How a mark looks; a row may overrule any of it.

    stroke, fill              names of the page's colours
    width, dash, cap, step    of a line: pixels, lengths on and off, its ends, whether it changes in steps
    size, shape               of a point: square pixels, and its form
    bold, italic, font_size, align, dx, dy, limit
                              of a text: dx and dy move it; one wider than `limit` pixels ends in an ellipsis
    """

    stroke: Tint
    fill: Tint
    opacity: float
    width: float
    dash: tuple[float, float]
    cap: Literal["butt", "round"]
    step: bool
    size: float
    shape: Literal["circle", "square", "diamond", "triangle", "cross"]
    bold: bool
    italic: bool
    font_size: float
    align: Literal["left", "center", "right"]
    dx: float
    dy: float
    limit: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Shapes of one kind, one for each row; a line and an area are one shape for each value of `group`.

    rows: `x`, `y`, and `x2`, `y2` where a rule, rectangle or area ends; `text`; any key of Style. A rule or rectangle without x or y
    crosses the plot. A line or area breaks where y is None.
    x, y: the scales of the rows' places; None if these are pixels.
    """

    kind: Kind
    rows: Rows
    x: AxisScale | None
    y: AxisScale | None
    style: Style


def mark(kind: Kind, rows: Rows, x: AxisScale | None = None, y: AxisScale | None = None, **style: Unpack[Style]) -> Mark:
    return Mark(kind, rows, x, y, style)


@dataclass(frozen=True, slots=True)
class Plot:
    """Marks, the first at the bottom, in a frame whose outer width is exactly the size's; `height` is that of the plot in pixels."""

    marks: Sequence[Mark]
    size: Size
    height: float
    margin: Margin = Margin()

    @property
    def width(self) -> int:
        """Of the plot without its margins."""
        return self.size.width - self.margin.left - self.margin.right
