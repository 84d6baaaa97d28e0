"""A prior as a picture in a file of its own: SVG that any viewer opens, on white, without the page's style."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from forecast.priors.density import Draws
from forecast.priors.spec import Distribution
from forecast.report.charts.prior import Three, curves, implications
from forecast.report.charts.svg import FONT, Size, draw

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
    body = [f'<text x="{_EDGE}" y="{y}" font-size="15" font-weight="600" fill="{COLOURS["ink"]}">{html.escape(title)}</text>']
    for line in [*said, key]:
        y += _LINE
        tint = COLOURS["soft" if line is key else "ink"]
        body.append(f'<text x="{_EDGE}" y="{y}" font-size="12.5" fill="{tint}">{html.escape(line)}</text>')
    y += 12
    for chart, name in parts:
        drawn, height = _placed(chart, name, y)
        body.append(drawn)
        y += height + 10
    width = SIZE.width + 2 * _EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 6}" width="{width}" height="{y + 6}" font-family="{FONT}" '
        f'role="img" aria-label="{html.escape(title)}"><rect width="100%" height="100%" fill="{COLOURS["paper"]}"/>{"".join(body)}</svg>\n'
    )


def _placed(chart: Any, name: str, y: int) -> tuple[str, int]:
    """A chart with plain colours at a place in the document, and its height."""
    from altair.utils.schemapi import debug_mode

    with debug_mode(False):
        svg = draw(chart, SIZE, name, name, "")
    box = re.search(r'viewBox="0 0 (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)"', svg)
    assert box is not None
    for colour, value in COLOURS.items():
        svg = svg.replace(f"var(--{colour})", value)
    place = f'<svg x="{_EDGE}" y="{y}" width="{box[1]}" height="{box[2]}" overflow="visible" '
    return svg.replace("<svg ", place, 1).replace(' xmlns="http://www.w3.org/2000/svg"', "", 1), round(float(box[2]))
