"""A CSV file as cells: everything that can be wrong with the file itself, before any cell is given a meaning."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from forecast.data.nearest import nearest, shown
from forecast.errors import Problem
from forecast.storage.reading import UnreadableError, read_bounded


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows under the header as texts, each with the line it starts on; `problems` is what is wrong with the file."""

    header: tuple[str, ...] = ()
    rows: tuple[tuple[int, tuple[str, ...]], ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def read_text(path: Path, name: str) -> tuple[str, list[Problem]]:
    """The text of a UTF-8 file without its byte-order mark, and what stands against reading it; the text is empty if anything does."""
    try:
        return decoded(read_bounded(path), name)
    except UnreadableError as e:
        return "", [Problem(name, e.found, e.expected, e.remedy)]


def decoded(raw: bytes, name: str) -> tuple[str, list[Problem]]:
    """The same for bytes that have been read already."""

    def refuse(found: str, expected: str, remedy: str, row: int | None = None) -> tuple[str, list[Problem]]:
        return "", [Problem(name, found, expected, remedy, row)]

    if not raw.strip(b"\xef\xbb\xbf \t\r\n"):
        return refuse("an empty file", "a header and rows", "Restore the file from git.")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return refuse("text in UTF-16", "text in UTF-8", "Save the file again as 'CSV UTF-8'.", 1)
    if (at := raw.find(b"\0")) >= 0:
        return refuse("a NUL byte", "text", "The file is damaged or not text: restore it, or delete the byte.", _line(raw, at))
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as e:
        at = e.start + (3 if raw.startswith(b"\xef\xbb\xbf") else 0)
        return refuse(f"the byte 0x{raw[at]:02x}", "text in UTF-8", "Save the file again as UTF-8 (it looks like Latin-1).", _line(raw, at))


def _line(raw: bytes, at: int) -> int:
    return raw.count(b"\n", 0, at) + 1


def read_sheet(path: Path, name: str, columns: tuple[str, ...]) -> Sheet:
    """The cells of a CSV file that must have exactly `columns`, in any order.

    A byte-order mark, CRLF and empty lines at the end are what spreadsheets write and are no problem. All else that is odd is one:
    nothing is dropped, padded or converted. Rows with the wrong number of fields are left out of `rows` and named in `problems`.
    """
    text, problems = read_text(path, name)
    if problems:
        return Sheet(problems=tuple(problems))
    if text[-1] not in "\r\n":
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
    lines, broken = split(text, name)
    problems += broken
    while len(lines) > 1 and not any(lines[-1][1]):
        lines.pop()
    if not lines:
        return Sheet(problems=tuple(problems))
    header = lines[0][1]
    problems += (wrong := _header_problems(name, header, columns))
    if wrong:
        return Sheet(problems=tuple(problems))
    rows = []
    for line, cells in lines[1:]:
        if len(cells) == len(header):
            rows.append((line, cells))
        else:
            problems.append(wrong_count(name, line, cells, header))
    return Sheet(header, tuple(rows), tuple(problems))


def split(text: str, name: str) -> tuple[list[tuple[int, tuple[str, ...]]], list[Problem]]:
    """The rows of a CSV text, each with the line it starts on, up to the first that can't be split into cells."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, tuple[str, ...]]] = []
    start = 1
    try:
        for cells in reader:
            lines.append((start, tuple(cells)))
            start = reader.line_num + 1
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
    for mark, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            return [Problem(name, f"columns separated by {called}", "columns separated by commas", "Save it again as CSV with commas.", 1)]
    problems = []
    missing = [c for c in columns if c not in header]
    for i, column in enumerate(header):
        if column not in columns:
            near = nearest(column, missing) or nearest(column, columns)
            remedy = f"Did you mean {near!r}?" if near in missing else "Delete the column."
            problems.append(
                Problem(name, f"the column {shown(column)}", "only the columns of this file", remedy, 1, shown(column).strip("'"))
            )
        elif column in header[:i]:
            problems.append(Problem(name, f"the column {column!r} twice", "each column once", "Delete or rename one of them.", 1, column))
    for column in missing:
        near = nearest(column, [c for c in header if c not in columns])
        remedy = f"Rename {shown(near)}." if near else "Add it to the header and to each row."
        problems.append(Problem(name, f"no column {column!r}", f"the columns {', '.join(columns)}", remedy, 1, column))
    return problems


def wrong_count(name: str, line: int, cells: tuple[str, ...], header: tuple[str, ...]) -> Problem:
    """The problem of a row that has another number of fields than the header."""
    n, m = len(cells), len(header)
    if not any(cells):
        return Problem(name, "an empty line between rows", "a row", "Delete the line.", line)
    remedy = (
        "Put double quotes around a text that holds a comma, and write numbers without a thousands separator."
        if n > m
        else "Add the missing cells (an empty cell still needs its comma), or find the quote that swallowed some."
    )
    return Problem(name, f"{n} field{'s' if n != 1 else ''}", f"{m}, one a column", remedy, line)
