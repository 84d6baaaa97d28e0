"""Readers of JSON, CSV and workbooks that return named columns, and refuse a changed format with the name of the column."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from forecast.data.suggestions import nearest, quoted
from forecast.domain import Month, month, month_of
from forecast.errors import SourceError

UNPACKED: Final = 200_000_000
"""Size limit of an unpacked workbook, in bytes: far more than any series needs."""

READING: Final = 60
"""Time limit for reading a workbook, in seconds."""

LOOK: Final = "The publisher may have changed the file; nothing was changed here. Compare it with the connector."

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})(-[0-9]{2}([ T]00:00(:00)?)?)?|([0-9]{4})[Mm]([0-9]{1,2})")


def format_error(message: str) -> SourceError:
    """The error for an answer whose format has changed."""
    return SourceError(message, LOOK)


def json_rows(body: bytes, name: str) -> list[dict[str, Any]]:
    """The objects of a JSON array."""
    _refuse_web_page(body, name, "JSON")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise format_error(f"{name} is not JSON, or cut short ({_brief(e)}).") from None
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise format_error(f"{name} is not a list of rows.")
    return document


def csv_rows(body: bytes, name: str, wanted: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The cells of the columns `wanted`, row by row."""
    _refuse_web_page(body, name, "CSV")
    try:
        text = body.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as e:
        raise format_error(f"{name} is not CSV ({_brief(e)}).") from None
    if not text.endswith("\n"):
        raise format_error(f"{name} ends within a line: it was cut short.")
    at = column_positions(rows[0], wanted, name)
    for n, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise format_error(f"{name}, line {n}, has {len(row)} cells where the header has {len(rows[0])}.")
        yield tuple(row[i] for i in at)


def sheet_rows(body: bytes, name: str, sheet: str | None, wanted: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The same for a sheet of an XLS or XLSX workbook (None: the first sheet)."""
    _refuse_web_page(body, name, "a workbook")
    _refuse_zip_bomb(body, name)
    document = _read_workbook(body, name, sheet)
    if "error" in document:
        raise format_error(f"{name} is not a workbook, or cut short ({quoted(document['error'], 80)[1:-1]}).")
    rows = document["rows"]
    if rows is None:
        raise format_error(f"{name} has no sheet {sheet or ''!r}; it has {', '.join(map(quoted, document['sheets'])) or 'none'}.")
    if not rows:
        raise format_error(f"{name} is a sheet without rows.")
    at = column_positions([str(cell).strip() for cell in rows[0]], wanted, name)
    for row in rows[1:]:
        yield tuple(row[i] for i in at)


def _read_workbook(body: bytes, name: str, sheet: str | None) -> dict[str, Any]:
    """The document that `workbook.py` writes, run in a process of its own: see there why."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("workbook.py")), sheet or ""]
    try:
        process = subprocess.run(command, input=body, capture_output=True, timeout=READING, check=False)
    except subprocess.TimeoutExpired:
        raise format_error(f"{name} is a workbook that takes more than {READING} seconds to read.") from None
    if process.returncode:
        raise format_error(f"{name} is a damaged workbook, or one that takes too much memory to read.")
    document: dict[str, Any] = json.loads(
        process.stdout, object_hook=lambda value: date.fromisoformat(value["date"]) if "date" in value else value
    )
    return document


def column_positions(header: Sequence[str], wanted: Sequence[str], name: str) -> list[int]:
    """The positions of the wanted columns. Raises SourceError naming the first that is missing, and the nearest other column."""
    for column in wanted:
        if header.count(column) != 1:
            near = nearest(column, [c for c in header if c not in wanted])
            hint = f"; it has {quoted(near)}" if near else ""
            raise format_error(f"{name} has {'no' if column not in header else 'more than one'} column {column!r}{hint}.")
    return [header.index(column) for column in wanted]


def number_text(cell: Any, where: str, decimals: int | None = None, missing: Sequence[str] = ("",)) -> str:
    """A figure as plain digits, rounded to `decimals` places; empty if it was not published."""
    if cell is None or cell in missing:
        return ""
    if isinstance(cell, str):
        if not _NUMBER.fullmatch(cell):
            raise format_error(f"{where} holds {quoted(cell)}, which is not a number in plain digits.")
        return cell if decimals is None else _rounded(float(cell), decimals)
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not abs(cell) < 1e15:
        raise format_error(f"{where} holds {quoted(str(cell))}, which is not a number.")
    return _rounded(float(cell), 6 if decimals is None else decimals)


def parse_month(cell: Any, where: str) -> Month:
    """The month that a date, or a text of the form 2026-06, 2026-06-01 or 2026M6, lies in."""
    if isinstance(cell, date):
        return month_of(cell)
    match = _MONTH.fullmatch(cell) if isinstance(cell, str) else None
    try:
        if match:
            year, number = match[1] or match[6], match[2] or match[7]
            return month(f"{year}-{int(number):02d}")
    except ValueError:
        pass
    raise format_error(f"{where} holds {quoted(str(cell))}, which is not a month.")


def _rounded(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse_web_page(body: bytes, name: str, expected: str) -> None:
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise format_error(f"{name} is empty.")
    if start.startswith(b"<"):
        raise format_error(f"{name} is a web page; expected {expected}.")


def _refuse_zip_bomb(body: bytes, name: str) -> None:
    if not body.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except Exception as e:  # a damaged directory fails in many ways, an unknown version of the format as NotImplementedError
        raise format_error(f"{name} is not a workbook, or cut short ({_brief(e)}).") from e
    if size > UNPACKED:
        raise format_error(f"{name} unpacks to more than {UNPACKED:,} bytes.")


def _brief(e: BaseException) -> str:
    return quoted(str(e).split("\n", maxsplit=1)[0], 80)[1:-1]
