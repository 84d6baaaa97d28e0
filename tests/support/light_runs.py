"""Runs of which only what a test reads is written: report.json and inputs, and draws if asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from forecast.jobs import run
from tests.fixtures.report_example import as_report
from tests.support.sound_reports import mixed


@contextmanager
def plain_runs(report: Callable[..., Any], draws: bool = False) -> Iterator[pytest.MonkeyPatch]:
    """`write_report` writes what `report` makes in place of the payload, and no page, no posterior; the patch, for more of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "build_report", lambda *of: as_report(mixed(report(*of))))
        patch.setattr(run, "write_report_files", lambda report, folder: (folder / "report.json").write_text(json.dumps(report.document())))
        patch.setattr(run, "write_posterior", lambda *_: None)
        if not draws:
            patch.setattr(run, "pack", lambda _: {})
        yield patch
