"""One prior: its curve with what became of it, and what both imply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from forecast.arrays.weighted_quantiles import WeightedSample as Draws
from forecast.priors.density_curve import axis_range, posterior_density, prior_density, to_axis
from forecast.priors.distributions import PROBABILITIES, Distribution
from forecast.report.charts.rows import Bar, Dot, Row, percent_axis, rows_chart
from forecast.report.charts.svg import Margin, Size, colour, framed, unscaled, values
from forecast.report.words import capital, percent_range, plain_percent

type Three = tuple[float, float, float]
HEIGHT: Final = 150


def curves(spec: Distribution, after: Draws | None, label: Callable[[float], str], size: Size) -> Any:
    """The prior as a hill, what became of it as a line, both to one scale; beneath, the 5, 50 and 95 % quantiles of each."""
    import altair as alt

    margin = Margin(left=30, right=30, top=6, bottom=8)
    inner = size.width - margin.left - margin.right
    span = axis_range(spec, after)
    hill = prior_density(spec, span=span)
    assert hill is not None
    line = posterior_density(after, spec, span=span) if after else None
    top = max(hill.y.max(), line.y.max() if line else 0.0)
    x, y = unscaled("X", "x:Q"), unscaled("Y", "y:Q")
    places = [inner * i / (len(hill.x) - 1) for i in range(len(hill.x))]

    def heights(curve: Any) -> list[dict[str, float]]:
        return [{"x": at, "y": HEIGHT * (1 - h / top), "y2": HEIGHT} for at, h in zip(places, curve.y.tolist(), strict=True)]

    layers = [alt.Chart(values(heights(hill))).mark_area(color=colour("faint"), opacity=0.45).encode(x=x, y=y, y2="y2:Q")]
    if line:
        layers.append(alt.Chart(values(heights(line))).mark_line(color=colour("one"), strokeWidth=2).encode(x=x, y=y))
    layers.append(alt.Chart(values([{"y": HEIGHT}])).mark_rule(color=colour("faint")).encode(y=y))
    marks: list[tuple[Any, dict[str, Any]]] = [(spec.quantile(PROBABILITIES), {"color": colour("soft")})]
    if after:
        marks.append((after.quantile(PROBABILITIES), {"color": colour("one"), "fontWeight": "bold"}))
    bottom = HEIGHT
    for quantiles, style in marks:
        bottom += 18
        at = [float(inner * (z - span[0]) / (span[1] - span[0])) for z in to_axis(hill.axis, quantiles)]
        texts = [{"x": a, "y": bottom, "t": label(float(q))} for a, q in zip(at, quantiles, strict=True)]
        if bottom == HEIGHT + 18:
            ticks = [{"x": a, "y": HEIGHT, "y2": HEIGHT + 6} for a in at]
            layers.append(alt.Chart(values(ticks)).mark_rule(color=colour("soft")).encode(x=x, y=y, y2="y2:Q"))
        layers.append(alt.Chart(values(texts)).mark_text(align="center", **style).encode(x=x, y=y, text="t:N"))
    return framed(layers, size, bottom + 10, margin)


def implications(rows: Sequence[tuple[str, Three, Three | None]], size: Size) -> Any:
    """What a prior implies as chances, pale, and what it implies after the record, dark: medians and 5 to 95 %."""
    made = []
    for what, before, after in rows:
        bars = [Bar(before[0], before[2], "line", 9)]
        dots = [Dot(before[1], "soft", filled=False)]
        if after:
            bars.append(Bar(after[0], after[2], "one", 2.5))
            dots.append(Dot(after[1]))
        low, middle, high = after or before
        made.append(Row(capital(what), f"{plain_percent(middle)} ({percent_range(low, high)})", tuple(dots), tuple(bars)))
    highest = max(high for _, *threes in rows for three in threes if three for high in three)
    return rows_chart(made, size, percent_axis(highest), right=150)
