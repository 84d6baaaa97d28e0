"""Problems in the data: built from the findings of checks and the errors of pydantic, and listed for a person or a program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any, Literal

from pydantic_core import ErrorDetails

from forecast.data.fingerprint import data_digest
from forecast.data.suggestions import did_you_mean, quoted
from forecast.data.tables import RECORDS, Data, RecordTable
from forecast.domain import month_text
from forecast.errors import Problem

WIDTH = 80


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Lines of at most 80 columns: errors first, by file and line, then warnings."""
    for problem in sorted_problems(problems):
        where = problem.file
        where += f", line {problem.row}" if problem.row is not None else ""
        where += f", column {problem.column}" if problem.column is not None else ""
        yield from wrap(where, WIDTH)
        text = f"{problem.severity}: found {problem.found}; expected {problem.expected}. {problem.remedy}"
        yield from wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def sorted_problems(problems: Sequence[Problem]) -> list[Problem]:
    """Errors first, then by file and line."""
    return sorted(problems, key=lambda p: (p.severity != "error", p.file, p.row or 0))


def problem_summary(problems: Sequence[Problem]) -> str:
    """How many of each, in a sentence."""
    errors = sum(p.severity == "error" for p in problems)
    warnings = len(problems) - errors
    if not problems:
        return f"{len(RECORDS)} files, no error, nothing odd."
    text = f"{errors} error{'s' if errors != 1 else ''}" if errors else "No error"
    return text + (f", {warnings} warning{'s' if warnings != 1 else ''}." if warnings else ".")


def problem_document(problems: Sequence[Problem], data: Data | None) -> dict[str, Any]:
    """The same for a program; `rows` and `data_digest` are null where the data were refused."""
    parts: dict[str, list[dict[str, Any]]] = {"error": [], "warning": []}
    for p in sorted_problems(problems):
        parts[p.severity].append(
            {"file": p.file, "row": p.row, "column": p.column, "found": p.found, "expected": p.expected, "remedy": p.remedy}
        )
    return {
        "rows": {record.file: len(getattr(data, name)) for name, record in RECORDS.items()} if data else None,
        "data_digest": data_digest(data) if data else None,
        "errors": parts["error"],
        "warnings": parts["warning"],
    }


type Severity = Literal["error", "warning"]
type Finding = Problem | tuple[int, str, str, str, str]
"""What a check yields: a problem of a file, or of a row of its first table: index, column, found, expected, remedy."""


def row_problem(table: RecordTable[Any], severity: Severity, i: int, column: str, found: str, expected: str, remedy: str) -> Problem:
    """A problem in row `i` of a table, with its line and the row's name."""
    row = table.rows[i]
    name = " ".join(str(_written(row, column)) for column in row.key)
    return Problem(row.file, f"{found} ({quoted(name)[1:-1]})" if name else found, expected, remedy, table.line(i), column, severity)


def _written(row: Any, column: str) -> str:
    value = getattr(row, column)
    return month_text(value) if column in ("month", "start", "end", "period_end") and isinstance(value, int) else str(value)


_EXPECTED = {
    "date": ("a date of the form YYYY, YYYY-MM or YYYY-MM-DD", "Write a day that the calendar has."),
    "month": ("a month of the form YYYY-MM", "Write a month from 01 to 12 after a year of four digits."),
    "blank": ("a text", "Fill it in: this column is never empty."),
    "string_too_short": ("a text", "Fill it in: it is never empty."),
    "name": ("a name of at most 200 printable characters", "Write a short name without line breaks."),
    "blanks": ("a name without blanks before or after it", "Delete the blanks."),
    "missing": ("a value", "Add it."),
    "date_type": ("a date", "Write it as 2026-06-30, without quotes."),
    "datetime_type": ("a date", "Write it as 2026-06-30, without quotes."),
    "string_pattern_mismatch": ("a month of the form YYYY-MM", "Write a month from 01 to 12 after a year of four digits."),
    "finite_number": ("a finite number", "Write a finite number."),
}

_BOUNDS = {"greater_than_equal": "≥", "less_than_equal": "≤", "greater_than": ">", "less_than": "<"}


def describe_error(error: ErrorDetails) -> tuple[str, str, str]:
    """What was found, what was expected, and the remedy, for one error that pydantic found in a row or setting."""
    kind, context, cell = error["type"], error.get("ctx", {}), error["input"]
    found = "nothing" if cell == "" or kind == "missing" else quoted(cell) if isinstance(cell, str) else quoted(repr(cell)).strip("'")
    if kind in _EXPECTED:
        return found, *_EXPECTED[kind]
    if kind in _BOUNDS:
        bound = next(context[k] for k in ("ge", "le", "gt", "lt") if k in context)
        return found, f"a value {_BOUNDS[kind]} {bound:g}", "Check the figure against its source."
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return found, f"one of {', '.join(words)}", did_you_mean(str(cell), words) if cell != "" else "Fill it in."
    if kind == "in_words":
        return context["found"], context["expected"], context["remedy"]
    if kind == "ids":
        return found, error["msg"], "Correct the cell."
    return found, _plain(error["msg"]), "Correct it."


def _plain(message: str) -> str:
    return re.sub(r"^Input should be ", "", message)


def key_path(loc: Iterable[Any]) -> str:
    """The dotted path of a key."""
    return quoted(".".join(str(part) for part in loc), 120)[1:-1]
