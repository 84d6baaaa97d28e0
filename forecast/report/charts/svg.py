"""From an Altair chart to SVG that sits in a page: coloured by CSS variables, scaled by its view box, described to who cannot see it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

COLOURS: Final[Mapping[str, str]] = {
    "ink": "#00000a",
    "soft": "#00000b",
    "faint": "#00000c",
    "line": "#00000d",
    "paper": "#00000e",
    "one": "#000001",
    "two": "#000002",
    "three": "#000003",
    "four": "#000004",
}
"""Names of the page's colour variables and the placeholders that stand for them while a chart is drawn."""

FONT: Final = "Liberation Sans, Helvetica, Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Size:
    """What a chart is drawn for: its width in CSS pixels, and whether that is a phone."""

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


def colour(name: str) -> str:
    """The placeholder of a colour variable; KeyError if there is no such colour."""
    return COLOURS[name]


def values(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as Altair data, without a data-frame library."""
    import altair as alt

    return alt.InlineData(values=[dict(row) for row in rows])


def unscaled(channel: str, field: str) -> Any:
    """An encoding whose values are taken as they are: pixels for X and Y, colours, sizes."""
    import altair as alt

    drawn = {"axis": None} if channel in ("X", "Y") else {"legend": None}
    return getattr(alt, channel)(field, scale=None, **drawn)


def framed(layers: Sequence[Any], size: Size, height: int, margin: Margin = Margin()) -> Any:
    """Layers in a frame whose outer width is exactly the size's; `height` is that of the plot in pixels."""
    import altair as alt

    return alt.layer(*layers).properties(
        width=size.width - margin.left - margin.right,
        height=height,
        padding={"left": margin.left, "right": margin.right, "top": margin.top, "bottom": margin.bottom},
        autosize="none",
    )


def _config(size: Size) -> dict[str, Any]:
    axis = {
        "labelColor": colour("soft"),
        "titleColor": colour("soft"),
        "labelFontSize": size.text,
        "titleFontSize": size.text,
        "titleFontWeight": "normal",
        "domain": False,
        "tickColor": colour("line"),
        "gridColor": colour("line"),
        "gridWidth": 1,
        "ticks": False,
        "labelPadding": 6,
        "title": None,
    }
    return {
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "text": {"fontSize": size.text, "color": colour("ink"), "align": "left", "baseline": "middle"},
        "line": {"strokeWidth": 1.75, "strokeCap": "round", "strokeJoin": "round"},
        "aria": False,
    }


@cache
def _vega_lite_version() -> str:
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def draw(chart: Any, size: Size, name: str, label: str, description: str) -> str:
    """The chart as an `<svg>` element of role img with `label` and `description`, and ids that begin with `name`."""
    import vl_convert

    spec = {**chart.to_dict(validate=False), "config": _config(size)}
    raw = vl_convert.vegalite_to_svg(spec, vl_version=_vega_lite_version())
    return _for_the_page(raw, size, name, label, description)


_DROPPED = re.compile(r' (?:class|aria-[a-z]+|role|pointer-events|font-family)="[^"]*"')
_TAG = re.compile(r"<[^>]*>")
_LONG = re.compile(r"(\d+\.\d)\d+")
_EMPTY = re.compile(r"<g>\s*</g>|<path d=\"M0,0h0v0h0Z\"/>|<path d=\"M[-0-9.,hvHVZ]*\"/>(?=<g><g)")


def _for_the_page(raw: str, size: Size, name: str, label: str, description: str) -> str:
    body = raw[raw.index(">") + 1 : raw.rindex("</svg>")]
    box = re.search(r'viewBox="([^"]*)"', raw)
    assert box is not None
    body = _TAG.sub(lambda tag: _LONG.sub(r"\1", tag[0]), _DROPPED.sub("", body))  # places to a tenth of a pixel; words stay
    for _ in range(3):
        body = _EMPTY.sub("", body)
    for i, made in enumerate(dict.fromkeys(re.findall(r'id="(\w+)"', body))):  # the library numbers them through all it ever drew
        own = f"{name}-{size.name}-{i}"
        body = body.replace(f'id="{made}"', f'id="{own}"').replace(f"url(#{made})", f"url(#{own})")
    for variable, placeholder in COLOURS.items():
        body = body.replace(placeholder, f"var(--{variable})")
    said, told = html.escape(label), html.escape(description)
    return (
        f'<svg class="{size.name}" viewBox="{box[1]}" role="img" aria-label="{said}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{said}</title><desc>{told}</desc>{body}</svg>"
    )
