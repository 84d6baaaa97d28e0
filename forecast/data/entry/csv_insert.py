"""New rows in the bytes of a CSV file, each on a line of its own in the file's order; every other byte stays as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from forecast.data.records import Record
from forecast.data.tables import Table

ORDER: Final[Mapping[str, Callable[[Any], Any]]] = {
    "events": lambda row: (row.date.last, row.id),
    "claims": lambda row: row.claim_id,
    "polls": lambda row: (row.field_end.last, row.poll_id),
    "indicators": lambda row: (row.series, row.month, row.published.last),
    "overdose_releases": lambda row: (row.published.last, row.indicator, row.period_end),
}
"""What the rows of a file are sorted by."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """The new bytes of a file, and for each new row its line in them and its text without the line's end."""

    raw: bytes
    lines: tuple[int, ...]
    texts: tuple[str, ...]


def insert(raw: bytes, name: str, table: Table[Any], new: Sequence[tuple[Mapping[str, str], Record | None]]) -> Inserted:
    """Insert rows, given as texts by column and as records (None, if the texts make none), into the file that `table` was read from.

    A row goes before the first one that sorts after it, one without a record to the end. Line ends, byte-order mark, order of columns and
    whatever else the file has stay its own; the cells of a new row are quoted where they must be.
    """
    lines = list(io.StringIO(raw.decode("utf-8"), newline=""))
    spans = _spans(lines)
    header = next(csv.reader([lines[0].removeprefix("\ufeff")]))
    key = ORDER[name]
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
    return Inserted("".join(lines).encode("utf-8"), tuple(line + 1 for line in at), tuple(texts))


def _spans(lines: Sequence[str]) -> dict[int, int]:
    """Of each row the index of its first line → that of the line after its last."""
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
