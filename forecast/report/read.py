"""What a run says, read back and rendered, without any of the machinery that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from forecast.errors import InputError, StoreError
from forecast.runs import manifest

REPORT: Final = "report.json"
SCHEMA_VERSION: Final = "2"
"""Of the form of report.json. 1 lacked the errors of what remains of a change when its parts are told."""


def read_report(run: Path) -> dict[str, Any]:
    """report.json of a run, its digest verified first. StoreError if the run is damaged."""
    manifest.check(run)
    return _read(run)


def read_questions(run: Path) -> list[dict[str, Any]]:
    """`questions` of report.json, for who has no time to verify the whole run and has looked at this file's digest."""
    return list(_read(run)["questions"])


def _read(run: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads((run / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise StoreError(f"{run / REPORT} cannot be read: {e}.", "Restore the run, or make it again.") from e
    return report


def render(report: Mapping[str, Any], form: str) -> str:
    """A report as `text`, `html` or `markdown`. InputError if it is of another form than this program writes."""
    if report.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"Run {report.get('run_id')} was reported by another version of this program, in another form.",
            "Its own report.html and report.md stand in its folder, and --json prints what it says.",
        )
    if form == "html":
        from forecast.report.html import render_html

        return render_html(report)
    if form == "markdown":
        from forecast.report.markdown import render_markdown

        return render_markdown(report)
    from forecast.report.terminal import headline_table

    return headline_table(report)
