"""Rows that someone hands over in a file or a pipe: CSV with a header, or JSON; some columns may be left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.data.nearest import did_you_mean, shown
from forecast.data.sheet import decoded, read_text, split, wrong_count
from forecast.errors import InputError, Problem, UsageError
from forecast.storage.reading import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Given:
    """One row as it was written: texts by column, and where it stands (None where it came from the command line)."""

    cells: Mapping[str, str]
    file: str | None = None
    line: int | None = None


def read_given(source: Path | bytes, columns: Sequence[str], name: str) -> tuple[Given, ...]:
    """The rows of a file, or of bytes that were read from a pipe; `name` is what problems call it.

    CSV with a header, or JSON: an object a row, alone or in a list, its values texts, numbers, lists of texts or null; for JSON the line of
    a problem is the number of the row. An empty cell counts as left out. Raises InputError with every problem,
    UsageError if there is no such file.
    """
    if isinstance(source, bytes):
        large = Problem(name, f"more than {MAX_BYTES:,} bytes", "a few rows", "Hand over only what is to be added.")
        text, problems = ("", [large]) if len(source) > MAX_BYTES else decoded(source, name)
    elif not source.exists():
        raise UsageError(f"There is no file {source}.", "Give the path of a CSV or JSON file, or - for standard input.")
    else:
        text, problems = read_text(source, name)
    if problems:
        raise InputError.of(problems)
    given, problems = _json(text, name) if text.lstrip()[:1] in ("{", "[") else _csv(text, name)
    problems += _unknown(given, columns)
    if not given and not problems:
        problems = [Problem(name, "no row", "at least one", "Write a row below the header.")]
    if problems:
        raise InputError.of(sorted(problems, key=lambda p: p.row or 0))
    return tuple(Given({column: cell for column, cell in row.cells.items() if cell}, row.file, row.line) for row in given)


def _csv(text: str, name: str) -> tuple[list[Given], list[Problem]]:
    lines, problems = split(text, name)
    while lines and not any(lines[-1][1]):
        lines.pop()
    if not lines:
        return [], problems
    header = lines[0][1]
    problems += [
        Problem(name, f"the column {shown(c)} twice", "each column once", "Delete one of them.", 1, c)
        for i, c in enumerate(header)
        if c in header[:i]
    ]
    problems += [wrong_count(name, line, cells, header) for line, cells in lines[1:] if len(cells) != len(header)]
    return [Given(dict(zip(header, cells, strict=True)), name, line) for line, cells in lines[1:] if len(cells) == len(header)], problems


def _json(text: str, name: str) -> tuple[list[Given], list[Problem]]:
    try:
        document = json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except json.JSONDecodeError as e:
        return [], [Problem(name, f"text that isn't JSON ({e.msg})", "JSON or CSV", "Correct this line, or the one above it.", e.lineno)]
    except RecursionError:
        return [], [Problem(name, "brackets in brackets without end", "an object a row", "Write [{...}, {...}].")]
    given, problems = [], []
    for n, row in enumerate(document if isinstance(document, list) else [document], 1):
        if not isinstance(row, dict):
            problems.append(Problem(name, shown(json.dumps(row)), "an object with a key a column", 'Write {"date": "2026-06-30", ...}.', n))
            continue
        cells = {}
        for column, value in row.items():
            text_of = _cell(value)
            if text_of is None:
                problems.append(
                    Problem(name, shown(json.dumps(value)), "a text, a number, a list of texts or null", "Write a text.", n, column)
                )
            cells[column] = text_of or ""
        given.append(Given(cells, name, n))
    return given, problems


class _Number(str):
    """A number as it was written, so that 7.10 does not become 7.1."""

    __slots__ = ()


def _cell(value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return ";".join(value)
    return str(value) if isinstance(value, str) else None


def _unknown(given: Sequence[Given], columns: Sequence[str]) -> list[Problem]:
    told: set[str] = set()
    problems = []
    for row in given:
        for column in row.cells:
            if column not in columns and column not in told:
                told.add(column)
                problems.append(
                    Problem(
                        row.file or "",
                        f"the column {shown(column)}",
                        "only the columns of the file",
                        did_you_mean(column, columns),
                        1,
                        shown(column)[1:-1],
                    )
                )
    return problems
