"""Drawings are kept: the same page draws nothing again, another one and a damaged file do."""

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.report.figures import catalogue, drawing_cache
from forecast.report.figures.drawing_cache import kept_drawings
from forecast.report.html import render_html
from tests.fixtures.report_example import as_report


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path))
    return tmp_path / "charts"


class Pen:
    """Counts what it draws."""

    drawn = 0

    def __call__(self) -> dict[str, str]:
        self.drawn += 1
        return {"a": f"<svg>{self.drawn} é</svg>"}


def test_what_was_drawn_is_not_drawn_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pen = Pen()
    assert kept_drawings("one", pen) == kept_drawings("one", pen) == {"a": "<svg>1 é</svg>"}
    assert kept_drawings("two", pen) == {"a": "<svg>2 é</svg>"}
    assert kept_drawings("one", pen) == {"a": "<svg>1 é</svg>"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    monkeypatch.setattr(drawing_cache, "_code", lambda: "other source")
    assert kept_drawings("one", pen) == {"a": "<svg>3 é</svg>"}


@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "shared", "link", "folder"])
def test_a_file_that_is_not_as_it_was_written_is_drawn_again(folder: Path, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    pen = Pen()
    kept_drawings("one", pen)
    (file,) = folder.iterdir()
    raw = file.read_bytes()
    if damage == "shared":
        file.chmod(0o666)
    elif damage in ("link", "folder"):
        file.rename(folder.parent / "elsewhere")
        file.symlink_to(folder.parent / "elsewhere") if damage == "link" else file.mkdir()
    else:
        file.write_bytes({"changed": raw.replace(b"svg", b"gvs"), "cut": raw[:-1], "empty": b""}[damage])
    with caplog.at_level(logging.WARNING, logger="forecast"):
        assert kept_drawings("one", pen) == {"a": "<svg>2 é</svg>"}
    assert "the charts are drawn again" in caplog.text
    if damage != "folder":  # which stands in the way, and is left alone
        assert kept_drawings("one", pen) == {"a": "<svg>2 é</svg>"}


def test_a_cache_that_cannot_be_written_costs_only_time(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.write_text("no folder")
    with caplog.at_level(logging.WARNING, logger="forecast"):
        assert kept_drawings("one", Pen()) == {"a": "<svg>1 é</svg>"}
    assert "cannot be written" in caplog.text


def test_only_the_newest_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing_cache, "KEPT", 3)
    for i in range(5):
        kept_drawings(str(i), Pen())
        for file in folder.iterdir():  # clocks of file systems are coarse
            os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**9))
    assert len(list(folder.iterdir())) == 3
    pen = Pen()
    for i in (4, 3, 2):
        kept_drawings(str(i), pen)
    assert pen.drawn == 0


@pytest.mark.slow
def test_a_page_whose_charts_are_kept_imports_no_chart_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the drawings, kept as if they had been drawn."""
    report = as_report()
    monkeypatch.setattr(catalogue.Figure, "svg", lambda self, _: f"<svg>{self.name}</svg>")
    page = render_html(report)
    script = """
import sys
from forecast.report.html import render_html
from tests.fixtures.report_example import as_report
sys.stdout.buffer.write(render_html(as_report()).encode())
sys.exit(bool({"altair", "vl_convert"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout.decode()) == (0, page), done.stderr
    assert "<svg>headline</svg>" in page
