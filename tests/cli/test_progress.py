"""Progress: bars on a terminal, few plain lines elsewhere, never a failure of the job."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re

from forecast.cli._progress import listener, time_gone
from forecast.progress import silent


def test_plain_lines_are_few() -> None:
    stream = io.StringIO()
    with listener(stream) as progress:
        progress("reading")
        for step in range(1001):
            progress("sampling", step / 1000, "chain 1")
        progress("writing", message="report.html")
        progress("writing", message="report.html")
        progress("writing", message="report.md")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "reading"
    assert lines[1:12] == [f"sampling {percent} %: chain 1" for percent in range(0, 101, 10)]
    assert lines[12:] == ["writing: report.html", "writing: report.md"]


def test_quiet_is_silent() -> None:
    stream = io.StringIO()
    with listener(stream, quiet=True) as progress:
        progress("sampling", 0.5)
    silent("sampling", 0.5)
    assert stream.getvalue() == ""


def test_a_log_that_nobody_reads_does_not_stop_the_job() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(os.dup(write), "w") as stream, listener(stream) as progress:
        os.close(write)
        progress("sampling", 0.5)
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # so that closing it flushes somewhere


def test_a_terminal_shows_a_bar_with_the_time_gone() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, listener(stream) as progress:
        progress("sampling", 0.5, "4 chains")
        progress("sampling", 1.0)
    told = b""
    with contextlib.suppress(OSError):  # the end: nobody writes to it any more
        while part := os.read(ours, 100_000):
            told += part
    os.close(ours)
    shown = told.decode()
    assert "sampling" in shown
    assert re.search(r"\d:\d\d gone", shown)
    assert "━" in shown


def test_the_time_left_is_said_once_it_is_known() -> None:
    assert time_gone(72, None) == "1:12 gone"
    assert time_gone(72, 9.6) == "1:12 gone, about 0:10 left"
