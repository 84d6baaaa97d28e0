"""Charts: labels that do not collide, areas that stay true, ids that are unique."""

import copy
import itertools
import math
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.report.figures.catalogue import FIGURES, Figure
from forecast.report.figures.dot_plot import Dot, Row, dot_plot, percent_axis
from forecast.report.figures.drivers import opposition_chart, overdoses_chart
from forecast.report.figures.parameters import in_prior_sds
from forecast.report.figures.questions import headline_chart, horizons_chart
from forecast.report.figures.readings import grouped, on_square_root
from forecast.report.figures.scenarios import answers_chart
from forecast.report.figures.svg_export import WIDTH, draw
from forecast.report.figures.time_axis import spread
from forecast.report.models.base import Density
from forecast.report.models.fit import PriorSummary
from forecast.report.models.forecast import Choice
from forecast.storage.text import refused_character, visible
from tests.fixtures.report_example import as_report, density, report_example


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
    x, height = on_square_root(Density(**density(0.08, 0.05)), 1.0, most=10_000)
    assert np.trapezoid(height, x) == pytest.approx(1, abs=0.02)


def test_a_posterior_equal_to_its_prior_stands_at_zero() -> None:
    even = PriorSummary(text="Normal(0, 1)", q05=-1.645, q50=0.0, q95=1.645)
    assert in_prior_sds(even, 0.0) == 0
    assert in_prior_sds(even, 1.0) == pytest.approx(1, abs=1e-3)
    lopsided = PriorSummary(text="quantiles(10, 100, 1000)", q05=10.0, q50=100.0, q95=1000.0)
    assert in_prior_sds(lopsided, 1000.0) == pytest.approx(1.645, abs=1e-3)
    assert math.isfinite(in_prior_sds(lopsided, 0.0))


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
    svg = draw(lambda: headline_chart(as_report()), "x", 'a "label"', "words <b>")
    assert f'viewBox="0 0 {WIDTH} ' in svg
    assert 'aria-label="a &quot;label&quot;"' in svg
    assert "words &lt;b&gt;" in svg
    assert "#0000" not in svg


HOSTILE = (
    *(f"a{c}b" for c in "\x00\x01\x1b\x7f\x85\u200e\u202e\u2028\ud800\udfff\ufdd0\ufffe\uffff\U0001fffe"),
    "<script>x</script>]]>&amp; \"'", '#00000a var(--ink) id="clip0" url(#clip0) 0.12345',
    "\u05e9\u05dc\u05d5\u05dd", "\U0001f600", "a\tb\nc",
)  # fmt: skip


def test_a_drawing_holds_any_text_and_nothing_but_shapes_and_text() -> None:
    """In a process of its own a refused character would end it in the library; here it would end the tests."""
    rows = [Row(text, text, (Dot(0.5),)) for text in HOSTILE]
    svg = draw(lambda: dot_plot(rows, percent_axis(1)), "x", HOSTILE[1], HOSTILE[1])
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
    svg = draw(lambda: dot_plot([Row("w" * 10_000, "1 %", (Dot(0.5),))], percent_axis(1)), "x", "label", "")
    labels = re.findall(r">(w+…)<", svg)
    assert len(labels) == 1
    assert 20 < len(labels[0]) < 60


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_chart_is_valid_vega_lite(figure: Figure) -> None:
    figure.chart(as_report()).to_dict(validate=True)


def test_charts_stand_empty_evidence() -> None:
    report = copy.deepcopy(report_example())
    report["asked_answered"] = []
    report["drivers"]["opposition"].update(polls=[], gap=None)
    report["drivers"]["overdoses"].update(final=[], provisional=[])
    report["drivers"]["overdoses"]["future"] = {"months": [], "q10": [], "q50": [], "q90": []}
    report["questions"] = [q for q in report["questions"] if q["kind"] == "event"]
    for chart in (answers_chart, horizons_chart, opposition_chart, overdoses_chart):
        assert "<svg" in draw(partial(chart, as_report(report)), chart.__name__, "label", "description")


ROOM = """
import resource
from forecast.errors import ForecastError
from forecast.report.figures.questions import horizons_chart
from forecast.report.figures.svg_export import draw
from tests.fixtures.report_example import as_report

gigabytes = {gigabytes}
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))
try:
    print(draw(lambda: horizons_chart(as_report()), "x", "x", "x")[:4])
except ForecastError as e:
    print(e)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not bound addresses")
@pytest.mark.parametrize(("gigabytes", "printed"), [(2, "ulimit -v"), (64, "ulimit -v"), (70, "<svg")])
def test_a_bound_on_addresses_is_said_and_does_not_end_the_process(gigabytes: int, printed: str) -> None:
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
    assert printed in done.stdout
