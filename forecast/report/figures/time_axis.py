"""What every chart over time shares: the axis of years, the rungs of the ladder, bands, lines, labels that do not collide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Unpack

from forecast.domain import LEVELS
from forecast.formatting import year_of
from forecast.report.figures.plot import AxisScale, Mark, Size, Style, Tint, mark

if TYPE_CHECKING:
    from forecast.report.models.base import Fan
    from forecast.report.models.report import Report

type Series = Sequence[float | None]


def years(report: Report, size: Size) -> AxisScale:
    """The x scale: decimal years from the first month to the end of the simulated paths."""
    months = report.history.months
    future = report.drivers.leverage.future.months
    first, last = int(year_of(months[0])), year_of(future[-1] if future else months[-1]) + 0.1
    step = 5 if size.phone else 2
    return AxisScale(first, last, tuple(y for y in range(first, int(last) + 1) if y % step == 0), grid=False, short=True)


LEVEL_SCALE: Final = AxisScale(-0.5, len(LEVELS) - 0.5)
"""The y scale of levels; their names stand above their lines."""


def level_names(size: Size, at: float) -> Mark:
    """The name of each level above its line."""
    rows = [{"x": at, "y": k, "text": f"{k} {name}"} for k, name in enumerate(LEVELS)]
    return mark("text", rows, None, LEVEL_SCALE, fill="soft", dy=-8, font_size=size.text - 0.5)


def line(months: Sequence[str], series: Series, x: AxisScale, y: AxisScale, tint: Tint, **style: Unpack[Style]) -> Mark:
    rows = [{"x": year_of(m), "y": v} for m, v in zip(months, series, strict=True)]
    style.setdefault("stroke", tint)
    return mark("line", rows, x, y, **style)


def band(months: Sequence[str], low: Series, high: Series, x: AxisScale, y: AxisScale, tint: Tint, opacity: float = 0.2) -> Mark:
    rows = [{"x": year_of(m), "y": None if a is None or b is None else a, "y2": b} for m, a, b in zip(months, low, high, strict=True)]
    return mark("area", rows, x, y, fill=tint, opacity=opacity)


def fan(future: Fan, x: AxisScale, y: AxisScale, tint: Tint) -> list[Mark]:
    """The simulated continuation: a paler band, its median dashed."""
    if not future.months:
        return []
    return [
        band(future.months, future.q10, future.q90, x, y, tint, 0.13),
        line(future.months, future.q50, x, y, tint, dash=(3, 3)),
    ]


def origin_rule(report: Report, x: AxisScale) -> Mark:
    """Where knowledge ends and simulation begins."""
    return mark("rule", [{"x": year_of(report.origin) + 1 / 24}], x, stroke="faint", dash=(1, 3))


def note(text: str, at: float, y_pixels: float, x: AxisScale, **style: Unpack[Style]) -> Mark:
    """A direct label at a year and a height in pixels."""
    return mark("text", [{"fill": "soft", "x": at, "y": y_pixels, "text": text} | style], x)


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
