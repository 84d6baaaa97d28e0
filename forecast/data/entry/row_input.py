"""Rows from a file or a pipe: CSV with a header, or JSON; columns may be left out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.data.csv_file import parse_csv
from forecast.data.suggestions import did_you_mean, quoted
from forecast.errors import InputError, Problem, limited
from forecast.storage.text import read_input_text

MAX_ROWS: Final = 1_000
"""Rows that can be added at once."""


@dataclass(frozen=True, slots=True)
class RowInput:
    """One row as written: texts by column, and its file and line (None if it came from the command line)."""

    cells: Mapping[str, str]
    file: str | None = None
    line: int | None = None


def read_rows(source: Path | bytes, columns: Sequence[str], name: str) -> tuple[RowInput, ...]:
    """The rows of a file, or of bytes that were read from a pipe; `name` is what problems call it.

    JSON is one object a row, alone or in a list; its values are texts, numbers, lists of texts or null, and problems give the number of the
    row as their line. An empty cell counts as left out. Raises InputError with every problem, UsageError if there is no such file.
    """
    text = read_input_text(source, name)
    given: list[RowInput] = []
    if text.lstrip()[:1] in ("{", "["):
        problems = limited(_json(text, name, given))
        names = tuple({column: None for row in given for column in row.cells})
    else:
        sheet = parse_csv(text, name)
        given += [RowInput(dict(zip(sheet.header, cells, strict=True)), name, line) for line, cells in sheet.rows]
        problems, names = list(sheet.problems), sheet.header
    problems += _unknown(names, columns, name)
    if len(given) > MAX_ROWS:
        problems.append(Problem(name, f"{len(given):,} rows", f"at most {MAX_ROWS:,} at once", "Add them in parts."))
    if not given and not problems:
        problems = [Problem(name, "no row", "at least one", "Write a row below the header.")]
    if problems:
        raise InputError.of(sorted(problems, key=lambda p: p.row or 0))
    return tuple(RowInput({column: cell for column, cell in row.cells.items() if cell}, row.file, row.line) for row in given)


def _json(text: str, name: str, given: list[RowInput]) -> Iterator[Problem]:
    """The problems of a JSON text; its rows are added to `given`."""
    try:
        document = json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as e:
        yield Problem(name, f"text that isn't JSON ({e.msg})", "JSON or CSV", "Correct this line, or the one above it.", e.lineno)
        return
    except RecursionError:
        yield Problem(name, "brackets nested too deep", "an object a row", "Write [{...}, {...}].")
        return
    seen: dict[tuple[tuple[str, str], ...], int] = {}
    for n, row in enumerate([document] if isinstance(document, _Pairs) else document, 1):
        if not isinstance(row, _Pairs):
            yield Problem(name, _kind(row), "an object with a key a column", 'Write {"date": "2026-06-30", ...}.', n)
            continue
        cells: dict[str, str] = {}
        for column, value in row:
            text_of = _cell(value)
            if column in cells:
                yield Problem(name, f"the key {quoted(column)} twice", "each key once", "Delete one of them.", n, quoted(column)[1:-1])
            elif text_of is None:
                expected = "a text, a number, a list of texts or null"
                yield Problem(name, _kind(value), expected, "Write a text.", n, quoted(column)[1:-1])
            cells[column] = text_of or ""
        if (same := tuple(sorted(cells.items()))) in seen:
            yield Problem(name, f"the row {seen[same]} again", "each row once", "Delete one of the two.", n)
        seen.setdefault(same, n)
        given.append(RowInput(cells, name, n))


class _Pairs(list[tuple[str, Any]]):
    """An object of a JSON text, as pairs, so that a repeated key is seen."""


class _Number(str):
    """A number as written, so that 7.10 does not become 7.1."""

    __slots__ = ()


def _cell(value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, list) and not isinstance(value, _Pairs) and all(isinstance(v, str) for v in value):
        return ";".join(value)
    return str(value) if isinstance(value, str) else None


def _kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    return "an object" if isinstance(value, _Pairs) else "a list" if isinstance(value, list) else quoted(str(value))


def _unknown(names: Iterable[str], columns: Sequence[str], name: str) -> list[Problem]:
    """Problems for names that are no columns."""
    unknown = (column for column in names if column not in columns)
    return limited(
        Problem(name, f"the column {quoted(c)}", "only the columns of the file", did_you_mean(c, columns), 1, quoted(c)[1:-1])
        for c in unknown
    )
