"""The files of a report, from one payload."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forecast.report.html import render_html
from forecast.report.markdown import render_markdown
from forecast.report.schema import validate

Report = Mapping[str, Any]
Write = Callable[[Path, str], None]


def canonical_json(report: Report) -> str:
    """`report.json` as text: the payload's order, two spaces, no NaN; ValueError if it holds one. Half a pair is escaped, as JSON can."""
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_report_files(report: Report, directory: Path, write: Write = write_text) -> tuple[Path, ...]:
    """Write `report.json`, `report.html` and `report.md` into `directory` by `write`, and return their paths.

    All three are made before the first is written, so a payload that breaks its schema (StoreError) leaves nothing behind.
    """
    validate(report)
    texts = {"report.json": canonical_json(report), "report.html": render_html(report), "report.md": render_markdown(report)}
    for name, text in texts.items():
        write(directory / name, text)
    return tuple(directory / name for name in texts)
