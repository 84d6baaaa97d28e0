"""A CSV file as texts by row and column, and everything that can be wrong with the file itself, whatever its cells mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from forecast.data.suggestions import nearest, quoted
from forecast.errors import Problem, limited
from forecast.storage.text import read_text

type CsvLine = tuple[int, tuple[str, ...]]

MAX_COLUMNS: Final = 200
MAX_ROWS: Final = 100_000
"""Far more than the tables here will have in decades."""


@dataclass(frozen=True, slots=True)
class CsvSheet:
    """The rows below the header as texts, each with the line it starts on, and what is wrong with the file."""

    header: tuple[str, ...] = ()
    rows: tuple[CsvLine, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def read_csv_file(path: Path, name: str, columns: tuple[str, ...]) -> CsvSheet:
    """The cells of a CSV file that must have exactly `columns`, in any order.

    Spreadsheets write a byte-order mark, CRLF and empty lines at the end: these are no problems. Everything else unusual is one, since
    nothing is dropped, padded or converted. Rows with a problem are left out of `rows`.
    """
    text, problems = read_text(path, name)
    if problems:
        return CsvSheet(problems=tuple(problems))
    if text[-1] != "\n":
        last = text.count("\n") + 1
        problems.append(
            Problem(
                name,
                "a last line without its end",
                "a newline after the last row",
                "The file may have been cut short: compare it with git, then end the last line.",
                last,
            )
        )
    sheet = parse_csv(text, name)
    problems += sheet.problems
    problems += (wrong := _header_problems(name, sheet.header, columns) if sheet.header else [])
    return CsvSheet(sheet.header, () if wrong else sheet.rows, tuple(problems))


def parse_csv(text: str, name: str, blank_lines: bool = False) -> CsvSheet:
    """The cells of a CSV text, whatever its columns are called; without a header if it cannot be split into columns.

    blank_lines: skip all lines without any cell; otherwise only those at the end.
    """
    first = text.partition("\n")[0].strip().strip('"')
    if first[:4].lower() == "sep=":
        return _refused(name, f"the line {quoted(first)}", "the names of the columns", "Delete the line, and save the file with commas.")
    lines, problems = split_csv(text, name)
    if blank_lines:
        lines = [line for line in lines if any(line[1])]
    while len(lines) > 1 and not any(lines[-1][1]):
        lines.pop()
    if not lines:
        return CsvSheet(problems=tuple(problems))
    header = lines[0][1]
    if not any(header):
        return _refused(name, "an empty first line", "the names of the columns", "Delete the line.")
    for mark, plural in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            return _refused(name, f"columns separated by {plural}", "columns separated by commas", "Save it again as CSV with commas.")
    if len(header) > MAX_COLUMNS:
        return _refused(name, f"{len(header):,} columns", f"at most {MAX_COLUMNS}", "Put the right file in its place.")
    rows: list[CsvLine] = []
    problems = limited(chain(_repeated_columns(header, name), _row_problems(lines[1:], header, name, rows), problems))
    return CsvSheet(header, tuple(rows), tuple(problems))


def _refused(name: str, found: str, expected: str, remedy: str) -> CsvSheet:
    return CsvSheet(problems=(Problem(name, found, expected, remedy, 1),))


def _repeated_columns(header: tuple[str, ...], name: str) -> Iterator[Problem]:
    for i, column in enumerate(header):
        if column in header[:i]:
            name_shown = quoted(column)
            yield Problem(name, f"the column {name_shown} twice", "each column once", "Delete or rename one.", 1, name_shown[1:-1])


def _row_problems(lines: Iterable[CsvLine], header: tuple[str, ...], name: str, rows: list[CsvLine]) -> Iterator[Problem]:
    """The problems of rows of another length and of repeated rows; all others are added to `rows`."""
    seen: dict[tuple[str, ...], int] = {}
    for line, cells in lines:
        if len(cells) != len(header):
            yield _wrong_count(name, line, cells, header)
        elif cells in seen:
            yield Problem(name, f"the row of line {seen[cells]} again", "each row once", "Delete one of the two.", line)
        else:
            seen[cells] = line
            rows.append((line, cells))


def split_csv(text: str, name: str) -> tuple[list[CsvLine], list[Problem]]:
    """The rows of a CSV text, each with the line it starts on, up to the first that cannot be split into cells."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[CsvLine] = []
    start = 1
    try:
        for cells in reader:
            lines.append((start, tuple(cells)))
            start = reader.line_num + 1
            if len(lines) > MAX_ROWS:
                found = f"more than {MAX_ROWS:,} rows"
                return lines, [Problem(name, found, f"at most {MAX_ROWS:,} rows", "Put the right file in its place.", start - 1)]
    except csv.Error as e:
        return lines, [
            Problem(
                name,
                f"a row that can't be split into cells ({e})",
                "cells with matching double quotes",
                "Close the quote, and write a quote inside a quoted cell twice.",
                start,
            )
        ]
    return lines, []


def _header_problems(name: str, header: tuple[str, ...], columns: tuple[str, ...]) -> list[Problem]:
    problems = []
    missing = [c for c in columns if c not in header]
    for column in header:
        if column not in columns:
            near = nearest(column, missing) or nearest(column, columns)
            remedy = f"Did you mean {near!r}?" if near in missing else "Delete the column."
            problems.append(
                Problem(name, f"the column {quoted(column)}", "only the columns of this file", remedy, 1, quoted(column).strip("'"))
            )
    for column in missing:
        near = nearest(column, [c for c in header if c not in columns])
        remedy = (
            f"Rename {quoted(near)}."
            if near
            else "Add it to the header and to each row. If an earlier version made this workspace, `forecast init --upgrade DIR` does."
        )
        problems.append(Problem(name, f"no column {column!r}", f"the columns {', '.join(columns)}", remedy, 1, column))
    return problems


def _wrong_count(name: str, line: int, cells: tuple[str, ...], header: tuple[str, ...]) -> Problem:
    """The problem of a row with more or fewer fields than the header."""
    n, m = len(cells), len(header)
    if not any(cells):
        return Problem(name, "an empty line between rows", "a row", "Delete the line.", line)
    remedy = (
        "Put double quotes around a text that holds a comma, and write numbers without a thousands separator."
        if n > m
        else "Add the missing cells (an empty cell still needs its comma), or close the quote that joins several cells."
    )
    return Problem(name, f"{n} field{'s' if n != 1 else ''}", f"{m}, one a column", remedy, line)
