"""Problems as a list to read and as a document to parse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from forecast.data.fingerprint import data_digest
from forecast.data.tables import RECORDS, Data
from forecast.errors import Problem

WIDTH = 80


def listing(problems: Sequence[Problem]) -> Iterator[str]:
    """Lines of at most 80 columns: errors first, by file and line, then warnings."""
    for problem in in_order(problems):
        where = problem.file
        where += f", line {problem.row}" if problem.row is not None else ""
        where += f", column {problem.column}" if problem.column is not None else ""
        yield from wrap(where, WIDTH)
        told = f"{problem.severity}: found {problem.found}; expected {problem.expected}. {problem.remedy}"
        yield from wrap(told, WIDTH, initial_indent="  ", subsequent_indent="  ")


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda p: (p.severity != "error", p.file, p.row or 0))


def summary(problems: Sequence[Problem]) -> str:
    """How many of each, in a sentence."""
    errors = sum(p.severity == "error" for p in problems)
    warnings = len(problems) - errors
    if not problems:
        return f"{len(RECORDS)} files, no error, nothing odd."
    told = f"{errors} error{'s' if errors != 1 else ''}" if errors else "No error"
    return told + (f", {warnings} warning{'s' if warnings != 1 else ''}." if warnings else ".")


def document(problems: Sequence[Problem], data: Data | None) -> dict[str, Any]:
    """The same for a program; `rows` and `data_digest` are null where the data were refused."""
    parts: dict[str, list[dict[str, Any]]] = {"error": [], "warning": []}
    for p in in_order(problems):
        parts[p.severity].append(
            {"file": p.file, "row": p.row, "column": p.column, "found": p.found, "expected": p.expected, "remedy": p.remedy}
        )
    return {
        "rows": {record.file: len(getattr(data, name)) for name, record in RECORDS.items()} if data else None,
        "data_digest": data_digest(data) if data else None,
        "errors": parts["error"],
        "warnings": parts["warning"],
    }
