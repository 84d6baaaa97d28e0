"""A prior as a picture: its curve with what became of it, what both imply, and both as an SVG file that any viewer opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement

from forecast.arrays.weighted_quantiles import WeightedSample as Draws
from forecast.formatting import capital, percent_range, plain_percent
from forecast.priors.density_curve import axis_range, posterior_density, prior_density, to_axis
from forecast.priors.distributions import PROBABILITIES, Distribution
from forecast.report.figures.dot_plot import Bar, Dot, Row, dot_plot, percent_axis
from forecast.report.figures.svg_export import FONT, SVG, Margin, colour, drawing, field, framed, markup, unscaled, values
from forecast.storage.text import visible

type Quantiles = tuple[float, float, float]
"""5, 50 and 95 %."""

COLOURS: Final = {
    "ink": "#1d2327", "soft": "#5a646b", "faint": "#a3acb2", "line": "#e3e6e8", "paper": "#ffffff",
    "one": "#1b5e8c", "two": "#b8501a", "three": "#1f7f63", "four": "#7f4f93",
}  # fmt: skip
"""The light colours of the report."""
WIDTH: Final = 640
"""Pixels of the charts: its lines of text need as much."""
HEIGHT: Final = 150
_EDGE: Final = 16
_LINE: Final = 18


def prior_curves(spec: Distribution, after: Draws | None, label: Callable[[float], str]) -> Any:
    """The prior as a hill, what became of it as a line, both to one scale; beneath, the 5, 50 and 95 % quantiles of each."""
    import altair as alt

    margin = Margin(left=30, right=30, top=6, bottom=8)
    inner = WIDTH - margin.left - margin.right
    span = axis_range(spec, after)
    hill = prior_density(spec, span=span)
    assert hill is not None
    line = posterior_density(after, spec, span=span) if after else None
    top = max(hill.y.max(), line.y.max() if line else 0.0)
    x, y = unscaled("X", "x:Q"), unscaled("Y", "y:Q")
    places = [inner * i / (len(hill.x) - 1) for i in range(len(hill.x))]

    def heights(curve: Any) -> Any:
        return values([{"x": at, "y": HEIGHT * (1 - h / top), "y2": HEIGHT} for at, h in zip(places, curve.y.tolist(), strict=True)])

    layers = [alt.Chart(heights(hill)).mark_area(color=colour("faint"), opacity=0.45).encode(x=x, y=y, y2=field("Y2", "y2:Q"))]
    if line:
        layers.append(alt.Chart(heights(line)).mark_line(color=colour("one"), strokeWidth=2).encode(x=x, y=y))
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
            layers.append(alt.Chart(values(ticks)).mark_rule(color=colour("soft")).encode(x=x, y=y, y2=field("Y2", "y2:Q")))
        layers.append(alt.Chart(values(texts)).mark_text(align="center", **style).encode(x=x, y=y, text=field("Text", "t:N")))
    return framed(layers, bottom + 10, margin, WIDTH)


def implications_chart(rows: Sequence[tuple[str, Quantiles, Quantiles | None]]) -> Any:
    """What a prior implies as chances, pale, and what it implies after the record, dark: medians and 5 to 95 %."""
    plotted = []
    for what, before, after in rows:
        bars = [Bar(before[0], before[2], "line", 9)]
        dots = [Dot(before[1], "soft", filled=False)]
        if after:
            bars.append(Bar(after[0], after[2], "one", 2.5))
            dots.append(Dot(after[1]))
        low, middle, high = after or before
        plotted.append(Row(capital(what), f"{plain_percent(middle)} ({percent_range(low, high)})", tuple(dots), tuple(bars)))
    highest = max(high for _, *quantiles in rows for each in quantiles if each for high in each)
    return dot_plot(plotted, percent_axis(highest), right=150, width=WIDTH)


def prior_svg(
    title: str,
    lines: Sequence[str],
    spec: Distribution,
    after: Draws | None,
    label: Callable[[float], str],
    key: str,
    rows: Sequence[tuple[str, Quantiles, Quantiles | None]],
) -> str:
    """The figure as an SVG document.

    lines: of text under the title; label: a value as it is written on the axis; key: what hill and line are; rows: what is implied.
    """
    charts: list[tuple[Callable[[], Any], str]] = [(lambda: prior_curves(spec, after, label), "curves")]
    if rows:
        charts.append((lambda: implications_chart(rows), "implied"))
    y = _EDGE + 14
    body = [_line(title, y, "15", "ink")]
    body[0].set("font-weight", "600")
    for text, tint in [*((line, "ink") for line in lines), (key, "soft")]:
        y += _LINE
        body.append(_line(text, y, "12.5", tint))
    y += 12
    for chart, name in charts:
        placed, height = _placed(chart, name, y)
        body.append(placed)
        y += height + 10
    wide, high = str(WIDTH + 2 * _EDGE), str(y + 6)
    place = {"viewBox": f"0 0 {wide} {high}", "width": wide, "height": high}
    svg = Element("svg", {"xmlns": SVG, **place, "font-family": FONT, "role": "img", "aria-label": visible(title)})
    SubElement(svg, "rect", {"width": "100%", "height": "100%", "fill": COLOURS["paper"]})
    svg.extend(body)
    return f"{markup(svg)}\n"


def _line(text: str, y: int, size: str, tint: str) -> Element:
    line = Element("text", {"x": str(_EDGE), "y": str(y), "font-size": size, "fill": COLOURS[tint]})
    line.text = visible(text)
    return line


def _placed(chart: Callable[[], Any], name: str, y: int) -> tuple[Element, int]:
    """A chart with plain colours at a place in the document, and its height."""
    svg = drawing(chart, name, name, "", COLOURS)
    *_, width, height = svg.attrib["viewBox"].split()
    del svg.attrib["xmlns"]
    svg.attrib |= {"x": str(_EDGE), "y": str(y), "width": width, "height": height, "overflow": "visible"}
    return svg, round(float(height))
