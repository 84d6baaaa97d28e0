"""From a plot to SVG that sits in a page: coloured by CSS variables, scaled by its view box, described to who cannot see it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, groupby, pairwise
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from forecast.report.figures.plot import AxisScale, Mark, Plot
from forecast.storage.text import visible

SVG: Final = "http://www.w3.org/2000/svg"
FONT: Final = "Liberation Sans, Helvetica, Arial, sans-serif"
VARIABLES: Final = {name: f"var(--{name})" for name in ("ink", "soft", "faint", "line", "paper", "one", "two", "three", "four")}
"""The colours as the page's style sheet names them."""

_MOST: Final = 200
"""Characters of a text in a chart; no column has room for more."""
_BASELINE: Final = 0.3
"""How far below its middle a text's baseline lies, as a share of its size."""
_PADDING: Final = 6
_SHORT: Final = 5
"""Pixels between an axis and its labels, and of a short line at a tick."""
_ANCHORS: Final = {"left": "start", "center": "middle", "right": "end"}

type Colours = Mapping[str, str]
type Place = tuple[float, float]


def draw(plot: Plot, label: str, description: str) -> str:
    """The plot as an `<svg>` element of role img with `label` and `description`, coloured by the page."""
    return markup(drawing(plot, label, description, VARIABLES))


def drawing(plot: Plot, label: str, description: str, colours: Colours) -> Element:
    """The same as an element. colours: by the name of a colour what stands for it, as `var(--ink)` or `#1d2327`."""
    m = plot.margin
    box = f"0 0 {plot.size.width} {_text(plot.height + m.top + m.bottom)}"
    svg = Element("svg", {"class": plot.size.name, "viewBox": box, "role": "img", "aria-label": visible(label), "xmlns": SVG})
    for tag, words in (("title", label), ("desc", description)):
        SubElement(svg, tag).text = visible(words)
    inner = SubElement(svg, "g", {"transform": f"translate({m.left},{m.top})"})
    for at in ("x", "y"):
        for scale in dict.fromkeys(scale for each in plot.marks if (scale := getattr(each, at)) is not None):
            inner.extend(_axis(plot, scale, at == "x", colours))
    for each in plot.marks:
        inner.extend(_SHAPES[each.kind](plot, each, colours))
    return svg


def markup(svg: Element) -> str:
    """An element as text, to stand in HTML or alone."""
    return ElementTree.tostring(svg, encoding="unicode")


def _text(value: float) -> str:
    """A place to a tenth of a pixel."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _axis(plot: Plot, scale: AxisScale, across: bool, colours: Colours) -> Iterator[Element]:
    """Lines at the ticks, then the labels: below the plot, or to its left."""
    size = plot.size.text
    places = [(_at_x if across else _at_y)(plot, scale, tick) for tick in scale.ticks]
    for at in (math.floor(place) + 0.5 for place in places):  # between two pixels a thin line is blurred
        ends = (0.0, plot.height) if scale.grid else (plot.height, plot.height + _SHORT)
        if across and (scale.grid or scale.short):
            yield _rule((at, ends[0]), (at, ends[1]), {"stroke": colours["line"], "stroke-width": "1"})
        elif not across and scale.grid:
            yield _rule((0, at), (plot.width, at), {"stroke": colours["line"], "stroke-width": "1"})
    labels = [(place, scale.label(tick)) for tick, place in zip(scale.ticks, places, strict=True)]
    while across and any(b - a < (text_width(s, size) + text_width(t, size)) / 2 for (a, s), (b, t) in pairwise(labels)):
        labels = labels[::2]  # where they would collide, every other one
    below = plot.height + _PADDING + (_SHORT if scale.short else 0) + 0.79 * size
    style = {"font-size": _text(size), "fill": colours["soft"]}
    for place, words in labels:
        if not across:
            yield _words(words, (-_PADDING, place + _BASELINE * size), style | {"text-anchor": "end"})
            continue
        end = "start" if scale.flush and place < 1 else "end" if scale.flush and place > plot.width - 1 else "middle"
        yield _words(words, (place, below), style | {"text-anchor": end})


def _at_x(plot: Plot, scale: AxisScale | None, value: float) -> float:
    return value if scale is None else scale.place(value) * (plot.width if scale.length is None else scale.length)


def _at_y(plot: Plot, scale: AxisScale | None, value: float) -> float:
    return value if scale is None else (1 - scale.place(value)) * (plot.height if scale.length is None else scale.length)


def _rows(each: Mark) -> Iterator[Mapping[str, Any]]:
    return ({**each.style, **row} for row in each.rows)


def _painted(row: Mapping[str, Any], colours: Colours, width: float = 0) -> dict[str, str]:
    """The attributes of a shape's colours and strokes. width: of a stroke whose row states none."""
    out = {"fill": colours[row["fill"]] if "fill" in row else "none"}
    if "stroke" in row:
        out |= {"stroke": colours[row["stroke"]], "stroke-width": f"{row.get('width', width):g}"}
        if "dash" in row:
            out["stroke-dasharray"] = " ".join(f"{length:g}" for length in row["dash"])
        if "cap" in row:
            out["stroke-linecap"] = row["cap"]
    if row.get("opacity", 1) != 1:
        out["opacity"] = f"{row['opacity']:g}"
    return out


def _pieces(plot: Plot, each: Mark) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    """Of a line or an area: its style, and the rows of each unbroken stretch."""
    for _, rows in groupby(_rows(each), lambda row: (row.get("group"), row.get("y") is None)):
        stretch = list(rows)
        if stretch[0].get("y") is not None:
            yield stretch[0], stretch


def _path(places: Iterable[Place], step: bool = False) -> str:
    out: list[str] = []
    for x, y in places:
        out.append(f"{'H' if step and out else 'L' if out else 'M'}{_text(x)}{'V' if step and out else ','}{_text(y)}")
    return "".join(out)


def _lines(plot: Plot, each: Mark, colours: Colours) -> Iterator[Element]:
    for style, rows in _pieces(plot, each):
        places = ((_at_x(plot, each.x, row["x"]), _at_y(plot, each.y, row["y"])) for row in rows)
        joins = {"stroke-linecap": "round", "stroke-linejoin": "round"}
        yield Element("path", {"d": _path(places, style.get("step", False))} | joins | _painted(style, colours, 1.75) | {"fill": "none"})


def _areas(plot: Plot, each: Mark, colours: Colours) -> Iterator[Element]:
    for style, rows in _pieces(plot, each):
        above = [(_at_x(plot, each.x, row["x"]), _at_y(plot, each.y, row["y"])) for row in rows]
        below = [(_at_x(plot, each.x, row["x"]), _at_y(plot, each.y, row["y2"])) for row in reversed(rows)]
        yield Element("path", {"d": f"{_path([*above, *below])}Z"} | _painted(style, colours))


def _box(plot: Plot, each: Mark, row: Mapping[str, Any]) -> tuple[Place, Place]:
    """Two corners: of a rule its ends."""
    xs = [_at_x(plot, each.x, row[key]) for key in ("x", "x2") if key in row] or [0, plot.width]
    ys = [_at_y(plot, each.y, row[key]) for key in ("y", "y2") if key in row] or [0, plot.height]
    return (xs[0], ys[0]), (xs[-1], ys[-1])


def _rule(start: Place, end: Place, style: Mapping[str, str]) -> Element:
    return Element("line", {"x1": _text(start[0]), "y1": _text(start[1]), "x2": _text(end[0]), "y2": _text(end[1]), **style})


def _rules(plot: Plot, each: Mark, colours: Colours) -> Iterator[Element]:
    for row in _rows(each):
        yield _rule(*_box(plot, each, row), _painted(row, colours, 1))


def _rects(plot: Plot, each: Mark, colours: Colours) -> Iterator[Element]:
    for row in _rows(each):
        (x1, y1), (x2, y2) = _box(plot, each, row)
        place = {"x": min(x1, x2), "y": min(y1, y2), "width": abs(x2 - x1), "height": abs(y2 - y1)}
        yield Element("rect", {key: _text(value) for key, value in place.items()} | _painted(row, colours))


def _points(plot: Plot, each: Mark, colours: Colours) -> Iterator[Element]:
    for row in _rows(each):
        x, y = _at_x(plot, each.x, row["x"]), _at_y(plot, each.y, row["y"])
        style = _painted(row, colours, 2)
        shape, size = row.get("shape", "circle"), row["size"]
        if shape == "circle":
            place = {"cx": x, "cy": y, "r": math.sqrt(size / math.pi)}
            yield Element("circle", {key: _text(value) for key, value in place.items()} | style)
        else:
            r = math.sqrt(size) / 2
            yield Element("path", {"d": f"{_path((x + r * a, y + r * b) for a, b in _CORNERS[shape])}Z"} | style)


_ARM: Final = 0.4
_CORNERS: Final[Mapping[str, Sequence[Place]]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((-1, 0), (0, -1), (1, 0), (0, 1)),
    "triangle": ((0, -0.87), (-1, 0.87), (1, 0.87)),
    "cross": (
        (-1, -_ARM), (-1, _ARM), (-_ARM, _ARM), (-_ARM, 1), (_ARM, 1), (_ARM, _ARM), (1, _ARM), (1, -_ARM), (_ARM, -_ARM), (_ARM, -1),
        (-_ARM, -1), (-_ARM, -_ARM),
    ),
}  # fmt: skip
"""The shapes of points but the circle, in units of half a side."""


def _texts(plot: Plot, each: Mark, colours: Colours) -> Iterator[Element]:
    for row in _rows(each):
        size = row.get("font_size", plot.size.text)
        bold = row.get("bold", False)
        x, y = _at_x(plot, each.x, row["x"]), _at_y(plot, each.y, row["y"])
        style = {"font-size": _text(size), "fill": colours[row.get("fill", "ink")]}
        style |= {"text-anchor": _ANCHORS[row["align"]]} if row.get("align", "left") != "left" else {}
        style |= ({"font-weight": "bold"} if bold else {}) | ({"font-style": "italic"} if row.get("italic") else {})
        words = cut(row["text"], row.get("limit", math.inf), size, bold)
        yield _words(words, (x + row.get("dx", 0), y + row.get("dy", 0) + _BASELINE * size), style)


def _words(words: str, at: Place, style: Mapping[str, str]) -> Element:
    element = Element("text", {"x": _text(at[0]), "y": _text(at[1]), **style})
    element.text = visible(words)
    return element


_SHAPES: Final = {"line": _lines, "area": _areas, "rule": _rules, "rect": _rects, "point": _points, "text": _texts}

_WIDTHS: Final = {
    letter: width
    for width, letters in {
        191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft\u00a0", 333: "()-`r", 334: "{}", 355: '"', 389: "*", 469: "^",
        500: "ckJsvxyz", 556: "#$?0123456789L_abdeghnopqu–", 584: "+<=>~−", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw",
        778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1000: "…→", 1015: "@",
    }.items()
    for letter in letters
}  # fmt: skip
"""Widths of Helvetica's letters in thousandths of the size."""


def text_width(words: str, size: float, bold: bool = False) -> float:
    """About how many pixels a text takes in a font like Helvetica."""
    return sum(map(_letter_width, words)) * size / 1000 * (1.07 if bold else 1)


@cache
def _letter_width(letter: str) -> int:
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    base = unicodedata.normalize("NFD", letter)[0]
    wide = unicodedata.east_asian_width(letter) in "WF"
    return 1000 if wide else 0 if unicodedata.combining(letter) else _WIDTHS.get(base, 620)


def cut(words: str, limit: float, size: float, bold: bool = False) -> str:
    """The text, or as much of it as `limit` pixels hold with an ellipsis."""
    words = words if len(words) <= _MOST else f"{words[:_MOST]}…"
    if text_width(words, size, bold) <= limit:
        return words
    room = limit - text_width("…", size, bold)
    reached = accumulate(text_width(letter, size, bold) for letter in words)
    return f"{words[: sum(width <= room for width in reached)].rstrip()}…"
