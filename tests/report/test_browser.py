"""The pages in a real browser: nothing is fetched, nothing runs, nothing scrolls sideways, and no chart's text is too small to read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forecast.report.html import render_html
from forecast.report.run_index import InputChange, RunSummary, render_index
from forecast.runs.store import new_run_id
from tests.fixtures.hostile import hostile_report
from tests.fixtures.report_example import as_report
from tests.support.browser import EXECUTABLE, Tab, browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(EXECUTABLE is None and not os.environ.get("CI"), reason="no chromium here; CI must have one"),
]

MEASURE = """(() => {
document.querySelectorAll("details").forEach(d => { d.open = OPENED; });
const seen = [...document.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 0);
const scale = s => s.getBoundingClientRect().width / s.viewBox.baseVal.width;
const sizes = seen.flatMap(s => [...s.querySelectorAll("text")].map(t => parseFloat(getComputedStyle(t).fontSize) * scale(s)));
const outside = seen.flatMap(s => [...s.querySelectorAll("text")].filter(t => {
  const a = t.getBoundingClientRect(); return a.width > 0 && (a.left < -0.5 || a.right > innerWidth + 0.5); }).map(t => t.textContent));
return { inner: innerWidth, scroll: document.documentElement.scrollWidth,
  shown: seen.length, smallest: Math.min(...sizes), outside,
  wide: [...document.querySelectorAll("main *")].filter(e => !e.closest(".scroll") && !e.closest("svg")
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80)).slice(0, 5) };
})()"""
HARMLESS = """(() => ({
  scripts: document.scripts.length, styled: document.querySelectorAll("[style]").length, sheets: document.styleSheets.length,
  handlers: [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length,
  links: [...new Set([...document.links].map(a => a.protocol))], loaded: document.querySelectorAll("[src]").length,
  ran: window.ran === true, ink: getComputedStyle(document.body).color }))()"""
ATTACK = (
    '<script>window.ran=true</script><img src="https://example.org/x.png" onerror="window.ran=true"><p style="color:red" onclick="x()">'
    "</title></style></svg>]]><!-- & \"double\" 'single' {{ 7 * 7 }} \x00\x01\x1b[31m\x85\u202e\u2028\ufdd0\ufffe \u05e2\u05d1 😀"
)
VIEWS = [(390, "screen", False), (1280, "screen", True), (680, "print", False)]
START = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@cache
def report_page(text: str | None = None) -> str:
    """The report's page, as it is or with a text after each of its own."""
    return render_html(as_report(None if text is None else hostile_report(text)))


def index_page(runs: int, text: str = "") -> str:
    change = InputChange("priors", f"5 priors: ladder.stay.1, ladder.stay.2, ladder.stay.3, ladder.stay.4 and ladder.stay.5{text}")
    made = [START + timedelta(hours=i**4) for i in range(runs)]
    entries = [
        RunSummary(
            new_run_id(at, f"{i:06x}"), at, i == runs - 1, True, page=True, origin="2026-06", question="reach-4-12m", probability=0.06,
            interval=(0.007, 0.15), gate="pass", decision=f"refitted{text}", reason=f"reweighting was not accepted (k-hat 0.83){text}",
            changes=(change,),
        )
        for i, at in enumerate(made)
    ]  # fmt: skip
    damaged = RunSummary(new_run_id(START, "ffffff"), START, damage=f"its manifest is gone{text}")
    return render_index([damaged, *entries] if text else entries, START)


def opened(tab: Tab, folder: Path, page: str, width: int, media: str = "screen", dark: bool = False) -> Tab:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8", newline="\n")
    tab.open(path, width, media, dark)
    return tab


def measured(tab: Tab, unfolded: bool) -> dict[str, Any]:
    found: dict[str, Any] = tab.evaluate(MEASURE.replace("OPENED", str(unfolded).lower()))
    return found


@pytest.mark.parametrize(("width", "unfolded"), [(390, False), (390, True), (1280, True)])
def test_nothing_scrolls_sideways_and_charts_are_readable(
    tab: Tab, tmp_path: Path, width: int, unfolded: bool
) -> None:  # fmt: skip
    found = measured(opened(tab, tmp_path, report_page(), width), unfolded)
    assert found["inner"] == width
    assert found["scroll"] <= width, found["wide"]
    assert found["wide"] == []
    assert 9 <= found["smallest"] <= 16
    assert found["outside"] == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("runs", [1, 12])
def test_the_list_of_runs_fits_too(tab: Tab, tmp_path: Path, width: int, runs: int) -> None:
    found = measured(opened(tab, tmp_path, index_page(runs), width), False)
    assert found["scroll"] <= width, found["wide"]
    assert found["wide"] == []
    assert 9 <= found["smallest"] <= 16
    assert found["outside"] == []


@pytest.mark.parametrize(("width", "media", "dark"), VIEWS)
@pytest.mark.parametrize("page", ["report", "hostile report", "index", "hostile index"])
def test_a_page_breaks_no_policy_runs_nothing_and_fetches_nothing(
    tab: Tab, tmp_path: Path, page: str, width: int, media: str, dark: bool
) -> None:
    text = ATTACK if page.startswith("hostile") else None
    html = report_page(text) if page.endswith("report") else index_page(3, text or "")
    opened(tab, tmp_path, html, width, media, dark)
    assert tab.messages == []
    assert tab.requests == [(tmp_path / "page.html").as_uri()]
    found = tab.evaluate(HARMLESS)
    ink = "rgb(228, 230, 228)" if dark else "rgb(29, 35, 39)"
    assert found.pop("ink") == ink, "the style sheet was refused"
    assert set(found.pop("links")) <= {"file:", "https:", "http:"}
    assert found == {"scripts": 0, "styled": 0, "sheets": 1, "handlers": 0, "loaded": 0, "ran": False}


def test_what_gets_past_the_escapes_is_stopped_by_the_policy(tab: Tab, tmp_path: Path) -> None:
    """The policy by itself: markup put into the page behind the templates' back."""
    opened(tab, tmp_path, report_page().replace("</main>", f"{ATTACK}</main>"), 1280)
    assert len(tab.messages) >= 3, tab.messages
    assert all("Content Security Policy" in message for message in tab.messages)
    assert tab.requests == [(tmp_path / "page.html").as_uri()]
    assert tab.evaluate("window.ran") is None
    assert tab.evaluate("getComputedStyle(document.querySelector('p[style]')).color") != "rgb(255, 0, 0)"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", ["report", "index"])
def test_words_of_ten_thousand_letters_do_not_widen_a_page(tab: Tab, tmp_path: Path, page: str, width: int) -> None:
    word = "w" * 10_000
    found = measured(opened(tab, tmp_path, report_page(word) if page == "report" else index_page(2, f" {word}"), width), False)
    assert found["wide"] == []
    assert found["outside"] == []
    assert found["scroll"] <= width
