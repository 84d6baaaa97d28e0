"""Edits of data files as bytes, before any file changes: new rows, a new coverage, and the data as they would then be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from forecast.data.read import read_data
from forecast.data.records import Record
from forecast.data.tables import RECORDS, Data, RecordTable
from forecast.storage.files import read_bounded
from forecast.storage.temporary_folder import temporary_folder
from forecast.storage.text import decode_text

SORT_KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "events": lambda row: (row.date.last, row.id),
    "claims": lambda row: row.claim_id,
    "polls": lambda row: (row.field_end.last, row.poll_id),
    "indicators": lambda row: (row.series, row.month, row.published.last),
    "overdose_releases": lambda row: (row.published.last, row.indicator, row.period_end),
}
"""By table the order of its rows in the file."""


@dataclass(frozen=True, slots=True)
class InsertedRows:
    """The new bytes of a file, and for each new row its line and its text without the line's end."""

    raw: bytes
    lines: tuple[int, ...]
    texts: tuple[str, ...]


def insert_rows(raw: bytes, name: str, table: RecordTable[Any], new: Sequence[tuple[Mapping[str, str], Record | None]]) -> InsertedRows:
    """Insert rows, given as texts by column and as records (None, if the texts make none), into the file that `table` was read from.

    A row goes before the first one that sorts after it, a row without a record to the end. Line ends, byte-order mark, order of columns and
    all else stay as they are; the cells of a new row are quoted where necessary.
    """
    lines = list(io.StringIO(raw.decode("utf-8"), newline=""))
    spans = _spans(lines)
    header = next(csv.reader([lines[0].removeprefix("\ufeff")]))
    key = SORT_KEYS[name]
    placed: list[tuple[Any, int]] = [(key(row), line - 1) for row, line in zip(table.rows, table.lines, strict=True)]
    end = spans[placed[-1][1]] if placed else spans[0]
    at: list[int] = []
    texts: list[str] = []
    for cells, record in new:
        mine = None if record is None else key(record)
        where = end if mine is None else next((start for theirs, start in placed if theirs > mine), end)
        text = _text([cells.get(column, "") for column in header])
        lines.insert(where, text + _ending(lines[where - 1]))
        placed = [(theirs, start + (start >= where)) for theirs, start in placed]
        at = [line + (line >= where) for line in at]
        if mine is not None:
            following = next((i for i, (_, start) in enumerate(placed) if start > where), len(placed))
            placed.insert(following, (mine, where))
        at.append(where)
        texts.append(text)
        end += 1
    return InsertedRows("".join(lines).encode("utf-8"), tuple(line + 1 for line in at), tuple(texts))


def _spans(lines: Sequence[str]) -> dict[int, int]:
    """By index of the first line of each row, the index of the line after its last."""
    reader = csv.reader(iter(lines), strict=True)
    spans, start = {}, 0
    for _ in reader:
        spans[start] = reader.line_num
        start = reader.line_num
    return spans


def _text(cells: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def _ending(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else line[-1]


COVERAGE: Final = "coverage.toml"
FILES: Final = (*(record.file for record in RECORDS.values()), COVERAGE, "questions.toml", "scales.toml", "sources.toml")
"""All files that the data are read from."""


def read_with_changes(folder: Path, contents: Mapping[str, bytes], today: date | None = None) -> Data:
    """The data as they would be read with these files changed. Raises InputError as `read_data` does."""
    with temporary_folder() as stage:
        for file in FILES:
            if file in contents:
                (stage / file).write_bytes(contents[file])
            else:
                (stage / file).symlink_to((folder / file).resolve())
        return read_data(stage, today)


def with_coverage(folder: Path, file: str, through: date) -> bytes:
    """The bytes of coverage.toml with `file` covered through another day; comments and all else stay."""
    import tomlkit

    raw = read_bounded(folder / COVERAGE)
    document = tomlkit.parse(decode_text(raw, COVERAGE)[0])  # without the byte-order mark
    document[file]["covered_through"] = through
    mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
    return mark + tomlkit.dumps(document).encode("utf-8")
