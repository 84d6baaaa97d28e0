"""What a run says, read back and rendered, without any of the machinery that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from forecast.errors import InputError, StoreError
from forecast.report import schema
from forecast.runs import manifest
from forecast.runs.manifest import RESTORE, read_verified

REPORT: Final = "report.json"
SCHEMA_VERSION: Final = "2"
"""Of the form of report.json. 1 lacked the errors of what remains of a change when its parts are told."""
MAX_BYTES: Final = 64_000_000
"""No report.json is larger: one has half a megabyte."""


def read_report(run: Path) -> dict[str, Any]:
    """report.json of a run, validated, once every file of the run is verified.

    Raises StoreError if the run is damaged, InputError if another version of this program wrote it in another form.
    """
    manifest.check(run)
    return read_alone(run)


def read_alone(run: Path) -> dict[str, Any]:
    """report.json of a run, verified and validated, for who has no time to verify the run's other files. Raises what `read_report` does."""
    report = read_any_form(run)
    check_form(report, run.name)
    return report


def read_any_form(run: Path) -> dict[str, Any]:
    """report.json of a run, verified, and validated if this version writes its form; what another version wrote may hold anything.

    Raises StoreError if it is damaged.
    """
    held = manifest.read_manifest(run)
    return parse_report(read_verified(run, REPORT, MAX_BYTES, held), run / REPORT, held.run_id)


def parse_report(raw: bytes, path: Path, run_id: str) -> dict[str, Any]:
    """The bytes of a report.json that were verified, read as `read_any_form` does. path: how errors name the file."""
    try:
        report = json.loads(raw)
    except (ValueError, RecursionError) as e:  # not UTF-8, not JSON
        raise StoreError(f"{path} cannot be read: {e}.", RESTORE) from e
    if not isinstance(report, dict) or not isinstance(report.get("schema_version"), str):
        raise StoreError(f"{path} is not the report of a run: it does not name its form.", RESTORE)
    if report["schema_version"] == SCHEMA_VERSION:
        wrong = schema.problems(report)
        if not wrong and report["run_id"] != run_id:
            wrong = [f"run_id: it is the report of run {report['run_id']}"]
        if wrong:
            raise StoreError(f"{path} is damaged: {schema.first(wrong, 3)}.", RESTORE)
    return report


def check_form(report: Mapping[str, Any], name: str) -> None:
    """InputError if a report is of another form than this version of the program writes."""
    if report.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"Run {name} was reported by another version of this program, in another form.",
            "Its own report.html and report.md stand in its folder, and `forecast report --json` prints what it says.",
        )


def render(report: Mapping[str, Any], form: str) -> str:
    """A report as `text`, `html` or `markdown`. InputError if it is of another form than this program writes."""
    check_form(report, str(report.get("run_id")))
    if form == "html":
        from forecast.report.html import render_html

        return render_html(report)
    if form == "markdown":
        from forecast.report.markdown import render_markdown

        return render_markdown(report)
    from forecast.report.terminal import headline_table

    return headline_table(report)
