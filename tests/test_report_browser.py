"""The page in a real browser: on a phone nothing scrolls sideways and no chart's text is too small to read."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forecast.report.html import render_html
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
FRAME = """<!doctype html><script>addEventListener("message", e => { document.title = e.data; });</script>
<iframe style="border:0" width="WIDTH" height="900" src="page.htmlANCHOR"></iframe>"""
"""A window can't be as narrow as a phone; a frame can."""


@cache
def html() -> str:
    return render_html(report_example())


def measured(folder: Path, width: int, opened: bool) -> dict[str, Any]:
    assert BROWSER is not None, "CI must have a chromium"
    (folder / "page.html").write_text(html().replace("</body>", MEASURE + "</body>"), encoding="utf-8")
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
