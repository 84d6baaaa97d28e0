"""What a run says, read back and rendered, without any of the machinery that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.errors import StoreError
from forecast.runs import manifest


def read_report(run: Path) -> dict[str, Any]:
    """report.json of a run, its digest verified first. StoreError if the run is damaged."""
    manifest.check(run)
    try:
        report: dict[str, Any] = json.loads((run / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise StoreError(f"{run / 'report.json'} cannot be read: {e}.", "Restore the run, or make it again.") from e
    return report


def render(report: Mapping[str, Any], form: str) -> str:
    """A report as `text`, `html` or `markdown`."""
    if form == "html":
        from forecast.report.html import render_html

        return render_html(report)
    if form == "markdown":
        from forecast.report.markdown import render_markdown

        return render_markdown(report)
    from forecast.report.terminal import headline_table

    return headline_table(report)
