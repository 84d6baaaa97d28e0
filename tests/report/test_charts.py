"""Charts: labels that do not collide, areas that stay true, ids that are unique."""

import copy
import itertools
import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.report.figures.catalogue import FIGURES, Figure
from forecast.report.figures.dot_plot import Dot, Row, dot_plot, percent_axis
from forecast.report.figures.drivers import opposition_chart, overdoses_chart
from forecast.report.figures.parameters import in_prior_sds
from forecast.report.figures.plot import PAGE, PHONE, SIZES, AxisScale, Plot, Size, mark
from forecast.report.figures.questions import headline_chart, horizons_chart
from forecast.report.figures.readings import grouped, on_square_root
from forecast.report.figures.scenarios import answers_chart
from forecast.report.figures.svg_export import cut, draw, text_width
from forecast.report.figures.time_axis import spread
from forecast.report.models.base import Density
from forecast.report.models.fit import PriorSummary
from forecast.report.models.forecast import Choice
from forecast.storage.text import refused_character, visible
from tests.fixtures.report_example import as_report, density, report_example


@settings(max_examples=25)
@given(st.lists(st.floats(-1000, 1000), max_size=12), st.floats(0.1, 40))
def test_spread_keeps_order_and_distance(places: list[float], gap: float) -> None:
    out = spread(places, gap)
    assert len(out) == len(places)
    order = sorted(range(len(places)), key=lambda i: places[i])
    assert all(out[b] - out[a] >= gap - 1e-6 for a, b in itertools.pairwise(order))


@settings(max_examples=25)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0.1, 8))
def test_spread_stays_below_its_limit(places: list[float], gap: float) -> None:
    assert max(spread(places, gap, 100)) <= 100


def test_spread_leaves_alone_what_is_apart() -> None:
    assert spread([1.0, 20.0, 40.0], 5) == [1.0, 20.0, 40.0]


def test_the_stretched_axis_keeps_areas() -> None:
    x, height = on_square_root(Density(**density(0.08, 0.05)), 1.0, most=10_000)
    assert np.trapezoid(height, x) == pytest.approx(1, abs=0.02)


def test_a_posterior_equal_to_its_prior_stands_at_zero() -> None:
    even = PriorSummary(text="Normal(0, 1)", q05=-1.645, q50=0.0, q95=1.645)
    assert in_prior_sds(even, 0.0) == 0
    assert in_prior_sds(even, 1.0) == pytest.approx(1, abs=1e-3)
    lopsided = PriorSummary(text="quantiles(10, 100, 1000)", q05=10.0, q50=100.0, q95=1000.0)
    assert in_prior_sds(lopsided, 1000.0) == pytest.approx(1.645, abs=1e-3)
    assert math.isfinite(in_prior_sds(lopsided, 0.0))


@settings(max_examples=25)
@given(st.floats(0, 1))
def test_the_axis_holds_what_it_shows(highest: float) -> None:
    axis = percent_axis(highest)
    assert axis.high >= highest
    assert axis.ticks[0] == 0
    assert axis.ticks[-1] == pytest.approx(axis.high)


def test_the_multiverse_chart_names_groups_once() -> None:
    rows = [Choice(group=g, label=str(i), probability=0.1, note="") for i, g in enumerate(["a", "b", "c", "c", "d", "c", "e"])]
    titles = [(title, [r.label for r in members]) for title, members in grouped(rows)]
    assert titles == [("", ["0", "1"]), ("c", ["2", "3", "5"]), ("other choices", ["4", "6"])]


def test_a_drawing_has_its_size_and_its_words() -> None:
    for size in (PAGE, PHONE):
        svg = draw(headline_chart(as_report(), size), 'a "label"', "words <b>")
        assert f'viewBox="0 0 {size.width} ' in svg
        assert 'aria-label="a &quot;label&quot;"' in svg
        assert "words &lt;b&gt;" in svg


HOSTILE = (
    *(f"a{c}b" for c in "\x00\x01\x1b\x7f\x85\u200e\u202e\u2028\ud800\udfff\ufdd0\ufffe\uffff\U0001fffe"),
    "<script>x</script>]]>&amp; \"'", '#00000a var(--ink) id="clip0" url(#clip0) 0.12345',
    "\u05e9\u05dc\u05d5\u05dd", "\U0001f600", "a\tb\nc",
)  # fmt: skip


def test_a_drawing_holds_any_text_and_nothing_but_shapes_and_text() -> None:
    rows = [Row(text, text, (Dot(0.5),)) for text in HOSTILE]
    svg = draw(dot_plot(rows, PAGE, percent_axis(1)), HOSTILE[1], HOSTILE[1])
    root = ElementTree.fromstring(svg)
    texts = [e.text for e in root.iter() if e.tag.endswith("}text")]
    assert refused_character(svg) is None
    assert {visible(text) for text in HOSTILE} <= set(texts)
    assert {e.tag.rpartition("}")[2] for e in root.iter()} <= {"svg", "title", "desc", "g", "path", "line", "text", "circle"}
    assert not {key for e in root.iter() for key in e.attrib} & {"style", "href", "onload"}
    assert all("class" not in e.attrib for e in root.iter() if e is not root)


def test_a_label_of_ten_thousand_letters_is_cut_before_it_is_measured() -> None:
    for size in (PAGE, PHONE):
        svg = draw(dot_plot([Row("w" * 10_000, "1 %", (Dot(0.5),))], size, percent_axis(1)), "label", "")
        labels = re.findall(r">(w+…)<", svg)
        assert len(labels) == 1
        assert 20 < len(labels[0]) < 60


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_chart_stays_in_its_frame(figure: Figure, size: Size) -> None:
    """But for a tick's label, which may reach into the page's own margin."""
    plot = figure.chart(as_report(), size)
    left, right = -plot.margin.left - 4, plot.width + plot.margin.right + 4
    bottom = plot.height + plot.margin.bottom
    shapes = ElementTree.fromstring(draw(plot, figure.label, figure.description))
    for element in shapes.iter():
        tag = element.tag.rpartition("}")[2]
        if tag == "text":
            wide, x = text_width(element.text or "", float(element.attrib["font-size"])), float(element.attrib["x"])
            start = x - wide * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
            assert left <= start, element.text
            assert start + 0.95 * wide <= right, element.text
            assert -plot.margin.top <= float(element.attrib["y"]) <= bottom
        for key in ("x1", "x2", "cx"):
            assert left <= float(element.get(key, 0)) <= right
        for key in ("y1", "y2", "cy"):
            assert -plot.margin.top <= float(element.get(key, 0)) <= bottom


def shapes_of(*marks: Any) -> list[ElementTree.Element]:
    """The shapes of marks on a plot of 100 by 100 pixels."""
    svg = ElementTree.fromstring(draw(Plot(marks, Size("wide", 146, 10), 100), "label", ""))
    return list(svg.iterfind(".//{http://www.w3.org/2000/svg}g/*"))


def test_marks_stand_where_their_scales_put_them() -> None:
    x, y = AxisScale(0, 10), AxisScale(-1, 1)
    (point,) = shapes_of(mark("point", [{"x": 2.5, "y": 0.5}], x, y, fill="one", size=100 * math.pi))
    assert (point.get("cx"), point.get("cy"), point.get("r"), point.get("fill")) == ("25", "25", "10", "var(--one)")
    (rule,) = shapes_of(mark("rule", [{"y": 0}], None, y, stroke="soft"))
    assert [rule.get(key) for key in ("x1", "x2", "y1", "y2")] == ["0", "100", "50", "50"]
    (rect,) = shapes_of(mark("rect", [{"y": -1, "y2": 0}], None, y, fill="line"))
    assert [rect.get(key) for key in ("x", "y", "width", "height")] == ["0", "50", "100", "50"]
    (area,) = shapes_of(mark("area", [{"x": 0, "y": 1, "y2": 0}, {"x": 10, "y": 1, "y2": -1}], x, y, fill="one"))
    assert area.get("d") == "M0,0L100,0L100,100L0,50Z"
    (text,) = shapes_of(mark("text", [{"x": 10, "y": 20, "text": "a"}], dx=5, align="right"))
    assert (text.get("x"), text.get("y"), text.get("text-anchor")) == ("15", "23", "end")
    (clamped,) = shapes_of(mark("rule", [{"x": -5, "x2": 50, "y": 1}], AxisScale(0, 10, clamp=True), stroke="one"))
    assert (clamped.get("x1"), clamped.get("x2")) == ("0", "100")


def test_lines_break_where_nothing_is_known_and_between_groups() -> None:
    rows = [{"x": 0, "y": 0}, {"x": 1, "y": None}, {"x": 2, "y": 2}, {"x": 3, "y": 2}]
    assert [path.get("d") for path in shapes_of(mark("line", rows, stroke="one"))] == ["M0,0", "M2,2L3,2"]
    groups = [{"x": x, "y": x, "group": x // 2} for x in range(4)]
    assert [path.get("d") for path in shapes_of(mark("line", groups, stroke="one", step=True))] == ["M0,0H1V1", "M2,2H3V3"]


def test_labels_of_ticks_do_not_collide() -> None:
    ticks = tuple(range(101))
    shapes = shapes_of(mark("rule", [], AxisScale(0, 100, ticks), stroke="one"))
    labels = [shape for shape in shapes if shape.tag.endswith("text")]
    places = [float(e.attrib["x"]) for e in labels]
    assert 3 <= len(places) < 12
    assert min(b - a for a, b in itertools.pairwise(places)) >= text_width("50", 10)


@settings(max_examples=25)
@given(st.text(max_size=300), st.floats(0, 400))
def test_a_text_is_cut_to_its_room(words: str, room: float) -> None:
    shown = cut(words, room, 12)
    assert text_width(shown, 12) <= max(room, text_width("…", 12))
    assert shown == words or words.startswith(shown.removesuffix("…"))


def test_charts_stand_empty_evidence() -> None:
    report = copy.deepcopy(report_example())
    report["asked_answered"] = []
    report["drivers"]["opposition"].update(polls=[], gap=None)
    report["drivers"]["overdoses"].update(final=[], provisional=[])
    report["drivers"]["overdoses"]["future"] = {"months": [], "q10": [], "q50": [], "q90": []}
    report["questions"] = [q for q in report["questions"] if q["kind"] == "event"]
    for chart in (answers_chart, horizons_chart, opposition_chart, overdoses_chart):
        assert "<svg" in draw(chart(as_report(report), PHONE), "label", "description")
