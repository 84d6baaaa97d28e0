"""From an Altair chart to SVG that sits in a page: coloured by CSS variables, scaled by its view box, described to who cannot see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from forecast.errors import ForecastError
from forecast.storage.text import visible

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
"""Names of the page's colour variables, and the placeholders that stand for them while a chart is drawn."""

VARIABLES: Final = {name: f"var(--{name})" for name in COLOURS}
"""The colours as the page's style sheet names them."""

SVG: Final = "http://www.w3.org/2000/svg"

_ROOM: Final = 65 << 30
"""The chart library lays out its heap, 32 GiB, at a multiple of its size, for which it asks for twice as much and a little."""

FONT: Final = "Liberation Sans, Helvetica, Arial, sans-serif"


WIDTH: Final = 480
"""Pixels of a chart in a page. The page scales it: on a phone 358 pixels wide, its text is still more than nine pixels high."""

TEXT: Final = 13
"""Pixels of its text."""


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
    """Rows as Altair data, without a data-frame library. A tuple, because Altair copies a list with all its rows at every step."""
    import altair as alt

    return alt.InlineData(values=tuple(rows))


def field(channel: str, name: str) -> Any:
    """An encoding by a field. Written as a text, as in `x=field("X", "x:Q")`, it would take Altair ten times as long as all the rest."""
    import altair as alt

    return getattr(alt, channel)(name)


def fixed(channel: str, value: float) -> Any:
    """An encoding by one value: pixels for X and Y. The same as `alt.value`, and fast for the same reason."""
    import altair as alt

    return getattr(alt, f"{channel}Value")(value)


def unscaled(channel: str, name: str) -> Any:
    """An encoding whose values are taken as they are: pixels for X and Y, colours, sizes."""
    import altair as alt

    drawn = {"axis": None} if channel in ("X", "Y") else {"legend": None}
    return getattr(alt, channel)(name, scale=None, **drawn)


def framed(layers: Sequence[Any], height: int, margin: Margin = Margin(), width: int = WIDTH) -> Any:
    """Layers in a frame whose outer width is exactly `width`; `height` is that of the plot in pixels."""
    import altair as alt

    return alt.layer(*layers).properties(
        width=width - margin.left - margin.right,
        height=height,
        padding={"left": margin.left, "right": margin.right, "top": margin.top, "bottom": margin.bottom},
        autosize="none",
    )


def _config() -> dict[str, Any]:
    axis = {
        "labelColor": colour("soft"),
        "titleColor": colour("soft"),
        "labelFontSize": TEXT,
        "titleFontSize": TEXT,
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
        "text": {"fontSize": TEXT, "color": colour("ink"), "align": "left", "baseline": "middle"},
        "line": {"strokeWidth": 1.75, "strokeCap": "round", "strokeJoin": "round"},
        "aria": False,
    }


@cache
def _vega_lite_version() -> str:
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def draw(chart: Callable[[], Any], name: str, label: str, description: str) -> str:
    """The chart as an `<svg>` element of role img with `label` and `description`, coloured by the page, and ids that begin with `name`."""
    return markup(drawing(chart, name, label, description, VARIABLES))


def drawing(chart: Callable[[], Any], name: str, label: str, description: str, colours: Mapping[str, str]) -> Element:
    """The same as an element. colours: by the name of a colour what stands for it, as `var(--ink)` or `#1d2327`.

    Texts may hold anything: the library, which a control character would end with the whole process, never sees one that is refused.
    """
    check_room()
    import vl_convert
    from altair.utils.schemapi import debug_mode

    with debug_mode(False):  # the tests check every chart against Vega-Lite's schema; doing so again takes seconds a report
        spec = _printable({**chart().to_dict(validate=False), "config": _config()})
    raw = ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, vl_version=_vega_lite_version()))
    svg = Element("svg", {"viewBox": raw.attrib["viewBox"], "role": "img", "aria-label": visible(label), "xmlns": SVG})
    for tag, text in (("title", label), ("desc", description)):
        SubElement(svg, tag).text = visible(text)
    svg.extend(element for child in raw if (element := _for_the_page(child)) is not None)
    _named(svg, name)
    _coloured(svg, colours)
    return svg


@cache
def check_room() -> None:
    """ForecastError where addresses are too short for the library, which would end the whole process. None of this memory is taken."""
    import mmap

    try:
        mmap.mmap(-1, _ROOM, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0).close()
    except OSError as e:
        raise ForecastError(
            f"The chart library asks the system for {_ROOM >> 30} GB of addresses, though it uses little of them, and was refused.",
            "Raise the limit of this shell: `ulimit -v unlimited`.",
        ) from e


def markup(svg: Element) -> str:
    """An element as text, to stand in HTML or alone."""
    return ElementTree.tostring(svg, encoding="unicode")


_MOST: Final = 200
"""Characters of a text in a chart; no column has room for more."""


def _printable(value: Any) -> Any:
    """A chart's specification without characters that no text may hold, nor texts too long for any chart, whose measuring takes minutes."""
    if isinstance(value, str):
        return visible(value if len(value) <= _MOST else f"{value[:_MOST]}…")
    if isinstance(value, dict):
        return {key: _printable(inner) for key, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, list | tuple) else value


_ELEMENTS: Final = frozenset({"g", "path", "line", "rect", "circle", "text", "tspan", "defs", "clipPath"})

_ATTRIBUTES: Final = frozenset({
    "transform", "d", "x", "y", "x2", "y2", "width", "height", "r", "cx", "cy", "id", "clip-path", "opacity", "display",
    "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "text-anchor", "font-size", "font-weight", "font-style",
})  # fmt: skip
"""What a drawing may hold: no script, no link, no style that the page's policy would refuse, nothing that is fetched."""

_LONG: Final = re.compile(r"(\d+\.\d)\d+")


def _for_the_page(raw: Element) -> Element | None:
    """An element of the library's as it stands in the page, None if nothing is seen of it; places to a tenth of a pixel."""
    tag = raw.tag.rpartition("}")[2]
    attributes = {key: _LONG.sub(r"\1", value) for key, value in raw.attrib.items() if key in _ATTRIBUTES}
    frame = raw.get("class") in ("background", "foreground") and not attributes.keys() & {"fill", "stroke"}
    if tag not in _ELEMENTS or frame:
        return None
    element = Element(tag, attributes)
    element.text = raw.text
    element.extend(child for inner in raw if (child := _for_the_page(inner)) is not None)
    return None if tag == "g" and not len(element) else element


def _named(svg: Element, prefix: str) -> None:
    """Ids of this drawing's own: the library numbers them through all that it ever drew."""
    own = {element.attrib["id"]: f"{prefix}-{i}" for i, element in enumerate(svg.iterfind(".//*[@id]"))}
    for element in svg.iter():
        if "id" in element.attrib:
            element.set("id", own[element.attrib["id"]])
        if clip := element.get("clip-path"):
            element.set("clip-path", f"url(#{own[clip.removeprefix('url(#').removesuffix(')')]})")


def _coloured(svg: Element, colours: Mapping[str, str]) -> None:
    names = {placeholder: colours[name] for name, placeholder in COLOURS.items()}
    for element in svg.iter():
        for key in ("fill", "stroke"):
            if (placeholder := element.get(key)) in names:
                element.set(key, names[placeholder])
