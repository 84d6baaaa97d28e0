"""A prior as a picture in a file of its own: SVG that any viewer opens, on white, without the page's style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement

from forecast.arrays.weighted_quantiles import WeightedSample as Draws
from forecast.priors.distributions import Distribution
from forecast.report.charts.prior import Three, curves, implications
from forecast.report.charts.svg import FONT, SVG, Size, drawing, markup
from forecast.storage.characters import visible

COLOURS: Final = {
    "ink": "#1d2327", "soft": "#5a646b", "faint": "#a3acb2", "line": "#e3e6e8", "paper": "#ffffff",
    "one": "#1b5e8c", "two": "#b8501a", "three": "#1f7f63", "four": "#7f4f93",
}  # fmt: skip
"""The light colours of the report."""
SIZE: Final = Size("narrow", 640, 12)
"""Labels stand above their bars, as on a phone: they are long."""
_EDGE: Final = 16
_LINE: Final = 18


def prior_svg(
    title: str,
    said: Sequence[str],
    spec: Distribution,
    after: Draws | None,
    label: Callable[[float], str],
    key: str,
    rows: Sequence[tuple[str, Three, Three | None]],
) -> str:
    """The figure as an SVG document.

    said: the lines under the title; label: a value as it is written on the axis; key: what hill and line are; rows: what is implied.
    """
    parts = [(curves(spec, after, label, SIZE), "curves")]
    if rows:
        parts.append((implications(rows, SIZE), "implied"))
    y = _EDGE + 14
    body = [_line(title, y, "15", "ink")]
    body[0].set("font-weight", "600")
    for line in said:
        y += _LINE
        body.append(_line(line, y, "12.5", "ink"))
    y += _LINE
    body.append(_line(key, y, "12.5", "soft"))
    y += 12
    for chart, name in parts:
        placed, height = _placed(chart, name, y)
        body.append(placed)
        y += height + 10
    wide, high = str(SIZE.width + 2 * _EDGE), str(y + 6)
    place = {"viewBox": f"0 0 {wide} {high}", "width": wide, "height": high}
    svg = Element("svg", {"xmlns": SVG, **place, "font-family": FONT, "role": "img", "aria-label": visible(title)})
    SubElement(svg, "rect", {"width": "100%", "height": "100%", "fill": COLOURS["paper"]})
    svg.extend(body)
    return f"{markup(svg)}\n"


def _line(text: str, y: int, size: str, colour: str) -> Element:
    line = Element("text", {"x": str(_EDGE), "y": str(y), "font-size": size, "fill": COLOURS[colour]})
    line.text = visible(text)
    return line


def _placed(chart: Any, name: str, y: int) -> tuple[Element, int]:
    """A chart with plain colours at a place in the document, and its height."""
    from altair.utils.schemapi import debug_mode

    with debug_mode(False):
        svg = drawing(chart, SIZE, name, name, "", COLOURS)
    *_, width, height = svg.attrib["viewBox"].split()
    del svg.attrib["xmlns"]
    svg.attrib |= {"x": str(_EDGE), "y": str(y), "width": width, "height": height, "overflow": "visible"}
    return svg, round(float(height))
