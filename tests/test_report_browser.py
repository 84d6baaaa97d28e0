"""The page in a real browser: on a phone nothing scrolls sideways and no chart's text is too small to read."""

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forecast.report.entry import Change, Entry
from forecast.report.html import render_html
from forecast.report.index import render_index
from forecast.runs.names import new_run_id
from tests.fixtures.report_example import report_example

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None and not os.environ.get("CI"), reason="no chromium here; CI must have one"),
]

MEASURE = """<script>
document.querySelectorAll("details").forEach(d => { if (location.hash === "#open") d.open = true; });
const seen = [...document.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 0);
const scale = s => s.getBoundingClientRect().width / s.viewBox.baseVal.width;
const sizes = seen.flatMap(s => [...s.querySelectorAll("text")].map(t => parseFloat(getComputedStyle(t).fontSize) * scale(s)));
const outside = seen.flatMap(s => [...s.querySelectorAll("text")].filter(t => {
  const a = t.getBoundingClientRect(); return a.width > 0 && (a.left < -0.5 || a.right > innerWidth + 0.5); }).map(t => t.textContent));
parent.postMessage("MEASURED" + JSON.stringify({ inner: innerWidth, scroll: document.documentElement.scrollWidth,
  shown: seen.length, classes: [...new Set(seen.map(s => s.getAttribute("class")))], smallest: Math.min(...sizes), outside,
  wide: [...document.querySelectorAll("main *")].filter(e => !e.closest(".scroll") && !e.closest("svg")
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80)).slice(0, 5) }), "*");
</script>"""
START = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
FRAME = """<!doctype html><script>addEventListener("message", e => { document.title = e.data; });</script>
<iframe style="border:0" width="WIDTH" height="900" src="page.htmlANCHOR"></iframe>"""
"""A window can't be as narrow as a phone; a frame can."""


@cache
def html() -> str:
    return render_html(report_example())


def measured(folder: Path, width: int, opened: bool, page: str | None = None) -> dict[str, Any]:
    assert BROWSER is not None, "CI must have a chromium"
    (folder / "page.html").write_text((page or html()).replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)).replace("ANCHOR", "#open" if opened else ""), encoding="utf-8")
    options = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}"),
        *("--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()),
    ]
    ran = subprocess.run([BROWSER, *options], capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r"MEASURED(\{.*?\})</title>", ran.stdout, re.DOTALL)
    assert found, ran.stderr[-500:]
    result: dict[str, Any] = json.loads(found[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    return result


@pytest.mark.parametrize(("width", "opened", "drawing"), [(375, False, "narrow"), (375, True, "narrow"), (1280, True, "wide")])
def test_nothing_scrolls_sideways_and_charts_are_readable(tmp_path: Path, width: int, opened: bool, drawing: str) -> None:
    found = measured(tmp_path, width, opened)
    assert found["inner"] == width
    assert found["scroll"] <= width, found["wide"]
    assert found["wide"] == []
    assert found["classes"] == [drawing]
    assert found["smallest"] >= 10
    assert found["outside"] == []


@pytest.mark.parametrize(("width", "drawing"), [(390, "narrow"), (1280, "wide")])
@pytest.mark.parametrize("runs", [1, 12])
def test_the_list_of_runs_fits_too(tmp_path: Path, width: int, drawing: str, runs: int) -> None:
    change = Change("priors", "5 priors: ladder.stay.1, ladder.stay.2, ladder.stay.3, ladder.stay.4 and ladder.stay.5")
    made = [START + timedelta(hours=i**4) for i in range(runs)]
    entries = [
        Entry(
            new_run_id(at, f"{i:06x}"), at, i == runs - 1, True, page=True, origin="2026-06", question="reach-4-12m", probability=0.06,
            interval=(0.007, 0.15), gate="pass", decision="refitted", reason="reweighting was not accepted (k-hat 0.83)", changes=(change,),
        )
        for i, at in enumerate(made)
    ]  # fmt: skip
    found = measured(tmp_path, width, False, render_index(entries, START))
    assert found["scroll"] <= width, found["wide"]
    assert found["wide"] == []
    assert found["classes"] == [drawing]
    assert found["smallest"] >= 10
    assert found["outside"] == []
