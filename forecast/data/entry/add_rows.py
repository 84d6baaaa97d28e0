"""Adding rows to a data file: the whole folder is checked as it would be before anything is written.

`plan_addition` reads, completes, inserts and checks, and writes nothing. `write_addition` writes the plan if the folder is still the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from forecast.data.checks.dates import covered_day
from forecast.data.checks.expected import FORTNIGHT
from forecast.data.entry.defaults import proposed_value
from forecast.data.entry.file_edits import COVERAGE, FILES, insert_rows, read_with_changes, with_coverage
from forecast.data.entry.form import LABELS, column_applies, line_problem, required_columns
from forecast.data.entry.row_input import RowInput
from forecast.data.read import read_data, read_table
from forecast.data.records import Record
from forecast.data.tables import RECORDS, Data, table_rows
from forecast.errors import InputError, Problem, UsageError
from forecast.storage.atomic import replace_files
from forecast.storage.files import UnreadableError, read_bounded
from forecast.storage.locks import folder_lock


@dataclass(frozen=True, eq=False)
class NewRow:
    """A row as it will be written: the record, its line in the file, and the text of the line."""

    record: Record
    line: int
    text: str


@dataclass(frozen=True, eq=False)
class Addition:
    """A planned addition of rows.

    name: the table. before, after: the data without and with the rows. covered: coverage of the file before and after, None if unchanged.
    contents: file → its new bytes. basis: digest of the folder that the plan was made from.
    """

    name: str
    rows: tuple[NewRow, ...]
    before: Data
    after: Data
    covered: tuple[date, date] | None
    contents: Mapping[str, bytes]
    basis: str

    @property
    def file(self) -> str:
        return RECORDS[self.name].file

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is odd with the new rows and was not before."""
        known = {(p.file, p.found) for p in self.before.warnings}
        return tuple(p for p in self.after.warnings if (p.file, p.found) not in known)


def complete_cells(data: Data, name: str, cells: Mapping[str, str], taken: Sequence[str] = ()) -> dict[str, str]:
    """The cells, completed with default values for columns that were left out. A cell given as empty stays empty."""
    full = dict(cells)
    for column in LABELS[name]:
        if column not in full and column_applies(name, column, full):
            proposed = proposed_value(data, name, column, full, taken)
            if proposed is not None:
                full[column] = proposed
    return full


def missing_columns(data: Data, name: str, cells: Mapping[str, str]) -> tuple[str, ...]:
    """The required columns that still have no value, in the order of asking, without the key, which follows from the others."""
    full = complete_cells(data, name, cells)
    return tuple(
        column for column in required_columns(name, full) if not full.get(column) and (column in cells or column not in RECORDS[name].key)
    )


def plan_addition(
    folder: Path, name: str, given: Sequence[RowInput], covered_through: date | None = None, today: date | None = None
) -> Addition:  # fmt: skip
    """The plan for adding rows to the table `name`; nothing is written, and the folder is locked meanwhile.

    today: the day by the clock; rows dated later add warnings.

    Raises InputError with every problem that the data would have (a row from a file is named by that file and its line), UsageError for a
    coverage that would not advance, LockedError if another command writes for long.
    """
    with folder_lock(folder):
        return _planned(folder, name, given, covered_through, today)


def _planned(folder: Path, name: str, given: Sequence[RowInput], covered_through: date | None, today: date | None) -> Addition:
    basis = folder_digest(folder)
    before = read_data(folder, today)
    file, key = RECORDS[name].file, RECORDS[name].key[0]
    table, _ = read_table(folder / file, RECORDS[name])
    cells: list[dict[str, str]] = []
    for row in given:
        cells.append(complete_cells(before, name, row.cells, [c[key] for c in cells if key in c]))
    _refuse_unwritable(file, given, cells)
    records = [_record(name, c) for c in cells]
    inserted = insert_rows(read_bounded(folder / file), name, table, list(zip(cells, records, strict=True)))
    contents = {file: inserted.raw}
    covered = None
    if covered_through is not None:
        covered = before.coverage[file], covered_through
        if covered_through <= before.coverage[file]:
            raise UsageError(
                f"{file} has already been read through {before.coverage[file]}.", "Leave out --covered-through, or give a later day."
            )
        contents[COVERAGE] = with_coverage(folder, file, covered_through)
    try:
        after = read_with_changes(folder, contents, today)
    except InputError as e:
        raise _refusal(e, file, covered_through or before.coverage[file], given, records, inserted.lines) from e
    by_key = {getattr(row, key): row for row in getattr(after, name)}
    rows = zip(cells, inserted.lines, inserted.texts, strict=True)
    new = tuple(NewRow(by_key[c[key]], line, text) for c, line, text in rows)
    return Addition(name, new, before, after, covered, contents, basis)


def write_addition(folder: Path, addition: Addition) -> bool:
    """Write a plan, all or nothing; False, with nothing written, if the folder has changed since.

    Raises LockedError if another command writes for long, ForecastError if the disk refuses.
    """
    with folder_lock(folder):
        if folder_digest(folder) != addition.basis:
            return False
        replace_files({folder / file: raw for file, raw in addition.contents.items()})
        return True


def folder_digest(folder: Path) -> str:
    """A digest of all files that the data are read from."""
    digest = hashlib.sha256()
    for file in FILES:
        try:
            raw = read_bounded(folder / file)
        except UnreadableError:  # reading the data says what is wrong with it
            raw = b""
        digest.update(f"{file} {len(raw)}\n".encode() + raw)
    return digest.hexdigest()


def _record(name: str, cells: Mapping[str, str]) -> Record | None:
    record = RECORDS[name]
    try:
        return record.model_validate({column: cells.get(column, "") for column in record.model_fields})
    except ValidationError:
        return None


def _refuse_unwritable(file: str, given: Sequence[RowInput], cells: Sequence[Mapping[str, str]]) -> None:
    """Raises InputError with every cell that does not fit in one line of a file."""
    problems = [
        Problem(row.file or file, *problem, row.line, column)
        for row, written in zip(given, cells, strict=True)
        for column, text in written.items()
        if (problem := line_problem(text))
    ]
    if problems:
        raise InputError.of(problems)


def _refusal(
    error: InputError,
    file: str,
    through: date,
    given: Sequence[RowInput],
    records: Sequence[Record | None],
    lines: Sequence[int],
) -> InputError:
    """The same error, with a row from a file named by its place there, and how to raise the coverage if that is the remedy."""
    at = dict(zip(lines, given, strict=True))
    problems = []
    for p in error.problems:
        row = at.get(p.row or 0) if p.file == file else None
        problems.append(replace(p, file=row.file, row=row.line) if row and row.file else p)
    refusal = InputError.of(problems)
    late = [day for record in records if record and (day := covered_day(record)) > through]
    if late:
        refusal.remedy = f"If you have looked for everything through {max(late)}, add --covered-through {max(late)}."
    return refusal


def possible_duplicates(data: Data, name: str, new: Record) -> tuple[Any, ...]:
    """The rows within a fortnight of a new one, the most similar first: events of its channel, polls of its pollster or topic, claims."""
    day, same = _DAY[name], _SAME[name]
    near = [r for r in table_rows(data, name) if abs(day(r) - day(new)) <= FORTNIGHT and r != new and any(same(r, new))]
    return tuple(sorted(near, key=lambda r: (-sum(same(r, new)), abs(day(r) - day(new)))))


_DAY: Final[Mapping[str, Callable[[Any], date]]] = {
    "events": lambda row: row.date.last,
    "claims": lambda row: row.published.last,
    "polls": lambda row: row.field_end.last,
}


def _events(a: Any, b: Any) -> tuple[bool, ...]:
    if a.channel != b.channel:
        return (False,)
    return (True, a.family == b.family, a.role == b.role, a.instrument == b.instrument, a.kind == b.kind)


def _claims(a: Any, b: Any) -> tuple[bool, ...]:
    return (True, a.level == b.level, a.start == b.start, a.stance == b.stance)


def _polls(a: Any, b: Any) -> tuple[bool, ...]:
    if a.pollster != b.pollster and a.topic != b.topic:
        return (False,)
    return (True, a.pollster == b.pollster, a.topic == b.topic, a.opposed_pct == b.opposed_pct)


_SAME: Final[Mapping[str, Callable[[Any, Any], tuple[bool, ...]]]] = {"events": _events, "claims": _claims, "polls": _polls}
