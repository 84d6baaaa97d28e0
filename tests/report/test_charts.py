"""Charts: labels that do not collide, areas that stay true, ids that are unique."""

import copy
import itertools
import math
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from forecast.report.charts.chances import _headed, hangs_on
from forecast.report.charts.drivers import opposition, overdoses
from forecast.report.charts.ladder import answers, horizons
from forecast.report.charts.learning import _in_prior_sds
from forecast.report.charts.readings import _at, _heights
from forecast.report.charts.rows import Dot, Row, percent_axis, rows_chart
from forecast.report.charts.svg import PAGE, PHONE, draw
from forecast.report.charts.time import spread
from hypothesis import given
from hypothesis import strategies as st

from forecast.report.figures import FIGURES, Figure
from forecast.storage.text import refused_character, visible
from tests.fixtures.report_example import density, report_example


@given(st.lists(st.floats(-1000, 1000), max_size=12), st.floats(0.1, 40))
def test_spread_keeps_order_and_distance(places: list[float], gap: float) -> None:
    out = spread(places, gap)
    assert len(out) == len(places)
    order = sorted(range(len(places)), key=lambda i: places[i])
    assert all(out[b] - out[a] >= gap - 1e-6 for a, b in itertools.pairwise(order))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0.1, 8))
def test_spread_stays_below_its_limit(places: list[float], gap: float) -> None:
    assert max(spread(places, gap, 100)) <= 100


def test_spread_leaves_alone_what_is_apart() -> None:
    assert spread([1.0, 20.0, 40.0], 5) == [1.0, 20.0, 40.0]


def test_the_stretched_axis_keeps_areas() -> None:
    curve = density(0.08, 0.05)
    shape = _heights(curve, 1.0, most=10_000)
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(shape))
    assert area == pytest.approx(1, abs=0.02)


def test_heights_between_points_are_linear_and_none_beyond() -> None:
    assert _at([(0.0, 1.0), (1.0, 3.0)], 0.25) == 1.5
    assert _at([(0.0, 1.0), (1.0, 3.0)], 2.0) == 0.0


def test_a_posterior_equal_to_its_prior_stands_at_zero() -> None:
    even = {"prior": {"q05": -1.645, "q50": 0.0, "q95": 1.645}}
    assert _in_prior_sds(even, 0.0) == 0
    assert _in_prior_sds(even, 1.0) == pytest.approx(1, abs=1e-3)
    lopsided = {"prior": {"q05": 10.0, "q50": 100.0, "q95": 1000.0}}
    assert _in_prior_sds(lopsided, 1000.0) == pytest.approx(1.645, abs=1e-3)
    assert math.isfinite(_in_prior_sds(lopsided, 0.0))


@given(st.floats(0, 1))
def test_the_axis_holds_what_it_shows(highest: float) -> None:
    axis = percent_axis(highest)
    assert axis.high >= highest
    assert axis.ticks[0] == 0
    assert axis.ticks[-1] == pytest.approx(axis.high)


def test_the_strip_names_groups_once() -> None:
    rows = [{"group": g, "label": str(i)} for i, g in enumerate(["a", "b", "c", "c", "d", "c", "e"])]
    titles = [(title, [r["label"] for r in members]) for title, members in _headed(rows)]
    assert titles == [("", ["0", "1"]), ("c", ["2", "3", "5"]), ("other choices", ["4", "6"])]


def test_a_drawing_has_its_size_and_its_words() -> None:
    for size in (PAGE, PHONE):
        svg = draw(hangs_on(report_example(), size), size, "x", 'a "label"', "told <b>")
        assert f'viewBox="0 0 {size.width} ' in svg
        assert 'aria-label="a &quot;label&quot;"' in svg
        assert "told &lt;b&gt;" in svg
        assert "#0000" not in svg


HOSTILE = (
    *(f"a{c}b" for c in "\x00\x01\x1b\x7f\x85\u200e\u202e\u2028\ud800\udfff\ufdd0\ufffe\uffff\U0001fffe"),
    "<script>x</script>]]>&amp; \"'", '#00000a var(--ink) id="clip0" url(#clip0) 0.12345',
    "\u05e9\u05dc\u05d5\u05dd", "\U0001f600", "a\tb\nc",
)  # fmt: skip


def test_a_drawing_holds_any_text_and_nothing_but_shapes_and_text() -> None:
    """In a process of its own a refused character would end it in the library; here it would end the tests."""
    rows = [Row(text, text, (Dot(0.5),)) for text in HOSTILE]
    svg = draw(rows_chart(rows, PAGE, percent_axis(1)), PAGE, "x", HOSTILE[1], HOSTILE[1])
    root = ElementTree.fromstring(svg)
    texts = [e.text for e in root.iter() if e.tag.endswith("}text")]
    assert refused_character(svg) is None
    assert {visible(text) for text in HOSTILE} <= set(texts)
    assert {e.tag.rpartition("}")[2] for e in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "g",
        "path",
        "line",
        "text",
        "defs",
        "clipPath",
        "rect",
    }
    assert not {key for e in root.iter() for key in e.attrib} & {"style", "href", "onload"}
    assert all("class" not in e.attrib for e in root.iter() if e is not root)


def test_a_label_of_ten_thousand_letters_is_cut_before_it_is_measured() -> None:
    for size in (PAGE, PHONE):
        svg = draw(rows_chart([Row("w" * 10_000, "1 %", (Dot(0.5),))], size, percent_axis(1)), size, "x", "label", "")
        labels = re.findall(r">(w+…)<", svg)
        assert len(labels) == 1
        assert 20 < len(labels[0]) < 60


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_chart_is_valid_vega_lite(figure: Figure) -> None:
    figure.chart(report_example(), PHONE).to_dict(validate=True)


def test_charts_stand_empty_evidence() -> None:
    report = copy.deepcopy(report_example())
    report["asked_answered"] = []
    report["drivers"]["opposition"].update(polls=[], gap=None)
    report["drivers"]["overdoses"].update(final=[], provisional=[])
    report["drivers"]["overdoses"]["future"] = {"months": [], "q10": [], "q50": [], "q90": []}
    report["questions"] = [q for q in report["questions"] if q["kind"] == "event"]
    for chart in (answers, horizons, opposition, overdoses):
        assert "<svg" in draw(chart(report, PHONE), PHONE, chart.__name__, "label", "description")


ROOM = """
import resource
from forecast.errors import ForecastError
from forecast.report.charts.ladder import horizons
from forecast.report.charts.svg import PAGE, draw
from tests.fixtures.report_example import report_example

gigabytes = {gigabytes}
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))
try:
    print(draw(horizons(report_example(), PAGE), PAGE, "x", "x", "x")[:4])
except ForecastError as e:
    print(e)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not bound addresses")
@pytest.mark.parametrize(("gigabytes", "said"), [(2, "ulimit -v"), (64, "ulimit -v"), (70, "<svg")])
def test_a_bound_on_addresses_is_said_and_does_not_end_the_process(gigabytes: int, said: str) -> None:
    """As batch systems set it. The library itself would die of a signal."""
    done = subprocess.run(
        [sys.executable, "-c", ROOM.format(gigabytes=gigabytes)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
