"""Edits of a copy of the bundled data, as a person makes them, for the tests of the data room."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from forecast.data.read import read_data, read_table
from forecast.data.tables import RECORDS, Data
from forecast.errors import InputError, Problem

BUNDLED = Path(__file__).parents[2] / "data"

type Row = dict[str, str]


def copied(folder: Path) -> Path:
    """A copy of the bundled tables and settings in `folder`/data."""
    to = folder / "data"
    to.mkdir()
    for path in sorted(BUNDLED.iterdir()):
        if path.suffix in (".csv", ".toml"):
            shutil.copy(path, to / path.name)
    return to


def shortened(folder: Path) -> Path:
    """The two longest files cut to a few rows, for tests that read them many times and are about others."""
    for file in ("indicators.csv", "overdose_releases.csv"):
        lines = (folder / file).read_bytes().split(b"\n")
        (folder / file).write_bytes(b"\n".join(lines[:15]) + b"\n")
    return folder


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def write_rows(path: Path, rows: list[Row]) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")


def change(folder: Path, file: str, which: Callable[[Row], bool], **cells: str) -> int:
    """Set cells of the first row that is like that; returns the line the row starts on, where no cell spans lines."""
    rows = rows_of(folder / file)
    i = next(i for i, row in enumerate(rows) if which(row))
    assert set(cells) <= set(rows[i])
    rows[i].update(cells)
    write_rows(folder / file, rows)
    return i + 2


def add(folder: Path, file: str, like: Callable[[Row], bool], **cells: str) -> Row:
    """Append a row like another one but for some cells."""
    rows = rows_of(folder / file)
    row = {**next(row for row in rows if like(row)), **cells}
    write_rows(folder / file, [*rows, row])
    return row


def snapshot(root: Path) -> dict[str, bytes]:
    """The bytes of every file of a workspace's data."""
    return {path.name: path.read_bytes() for path in (root / "data").iterdir()}


def problems_of(path: Path) -> list[Problem]:
    """What is wrong with one table by itself."""
    return read_table(path, next(record for record in RECORDS.values() if record.file == path.name))[1]


def problems_in(folder: Path) -> tuple[Problem, ...]:
    """Every problem for which the data are refused; none if they are read."""
    try:
        read_data(folder)
    except InputError as e:
        return e.problems
    return ()


def with_rows(data: Data, **tables: Any) -> Data:
    """The data with some tables or settings replaced."""
    return replace(data, **tables)
