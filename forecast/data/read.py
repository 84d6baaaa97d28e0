"""The strict reader of a workspace's data: it collects every problem of every file, then returns all data or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forecast.data.checks.registry import find_errors, find_oddities
from forecast.data.csv_file import CsvSheet, read_csv_file
from forecast.data.problems import describe_error
from forecast.data.records import Record
from forecast.data.tables import RECORDS, Data, RecordTable
from forecast.data.toml_file import Settings, read_settings
from forecast.errors import InputError, Problem, limited


def read_data(folder: Path, today: date | None = None) -> Data:
    """The data of a workspace, checked; `folder` is its `data/`.

    today: the day by the clock; rows dated later add warnings but stay (`as_of.as_of_now` leaves them out).
    Raises InputError with all problems of all files. Oddities are kept in `warnings`.
    """
    tables, settings, problems = read_all(folder)
    if problems:
        raise InputError.of(problems)
    assert settings is not None
    return Data(
        **{name: table.rows for name, table in tables.items()},
        coverage=settings.coverage,
        scales=settings.scales,
        sources=settings.sources,
        questions=settings.questions,
        warnings=tuple(find_oddities(tables, settings, today)),
    )


def read_all(folder: Path) -> tuple[Mapping[str, RecordTable[Any]], Settings | None, list[Problem]]:
    """All tables by their name in `Data`, the settings, and every problem; a table lacks the rows that could not be read."""
    tables: dict[str, RecordTable[Any]] = {}
    problems: list[Problem] = []
    damaged = set()
    for name, record in RECORDS.items():
        tables[name], wrong = read_table(folder / record.file, record)
        problems += wrong
        if wrong:
            damaged.add(name)
    settings, wrong = read_settings(folder)
    problems += wrong
    problems += find_errors(tables, damaged, settings)
    return tables, settings, problems


def read_table[R: Record](path: Path, record: type[R]) -> tuple[RecordTable[R], list[Problem]]:
    """The rows of one CSV file as records, and every problem: of the file, its header, rows, cells and repeated keys."""
    name = record.file
    sheet = read_csv_file(path, name, tuple(record.model_fields))
    problems = list(sheet.problems)
    rows: list[R] = []
    lines: list[int] = []
    problems += limited(_bad_cells(sheet, record, rows, lines))
    if not sheet.rows and not problems:
        problems.append(Problem(name, "a header without rows", "at least one row", "Restore the rows from git."))
    problems += limited(_repeats(name, record.key, rows, lines)) if record.key else []
    return RecordTable(tuple(rows), tuple(lines)), sorted(problems, key=lambda p: p.row or 0)


def _bad_cells[R: Record](sheet: CsvSheet, record: type[R], rows: list[R], lines: list[int]) -> Iterator[Problem]:
    """The problems of rows that are no valid record; valid ones are added to `rows`, and their lines to `lines`."""
    for line, cells in sheet.rows:
        try:
            rows.append(record.model_validate(dict(zip(sheet.header, cells, strict=True))))
            lines.append(line)
        except ValidationError as e:
            yield from (_cell_problem(record.file, line, error) for error in e.errors(include_url=False))


def _cell_problem(name: str, line: int, error: Any) -> Problem:
    return Problem(name, *describe_error(error), line, str(error["loc"][0]) if error["loc"] else None)


def _repeats(name: str, key: tuple[str, ...], rows: list[Any], lines: list[int]) -> Iterator[Problem]:
    """Rows with the same key. Rows that are wholly alike are reported by the CSV reader."""
    seen: dict[tuple[str, ...], int] = {}
    for row, line in zip(rows, lines, strict=True):
        named = tuple(str(getattr(row, column)) for column in key)
        if named in seen:
            what = f"the {' and '.join(key)} of line {seen[named]} again"
            column = key[0] if len(key) == 1 else None
            yield Problem(name, what, "each row once", "Delete one of the two, or correct its key.", line, column)
        seen.setdefault(named, line)
