"""New rows into the data folder: checked as the folder would be, then written whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from forecast.data.checks.dates import covered_day
from forecast.data.checks.registry import odd_values
from forecast.data.data_readme import HEAD, readme
from forecast.data.data_readme import NAME as README
from forecast.data.entry.csv_insert import insert
from forecast.data.entry.preview import COVERAGE, moved, read_with_changes
from forecast.data.replace import replace_files
from forecast.data.sources.connector import Target
from forecast.data.sources.new_vintage import Vintage
from forecast.data.tables import RECORDS, Data, Table, rows
from forecast.data.toml_file import Settings, read_settings
from forecast.errors import InputError, SourceError
from forecast.storage.reading import UnreadableError, read_bounded


def admit(folder: Path, target: Target, table: Table[Any], new: Vintage) -> Sequence[Any]:
    """Write a vintage into the target's file, in its order, and move its coverage on as far as they go; returns its rows as they are now.

    table: the file as read, under the same lock. Every row held stays. Raises SourceError, with nothing written, if the folder could not
    be read any more or a new figure is odd; ForecastError if the disk refuses.
    """
    file = target.record.file
    contents: dict[str, bytes] = {}
    if through := _moves(folder, file, new):  # first, so that whatever happens between the two writes leaves data that can be read
        contents[COVERAGE] = moved(folder, file, through)
    contents[file] = insert(read_bounded(folder / file), target.table, table, new.rows).raw
    try:
        after = read_with_changes(folder, contents)
    except InputError as e:
        more = f" and {len(e.problems) - 1} more" if len(e.problems) > 1 else ""
        raise SourceError(f"The data would not be sound with the new rows: {e.problems[0]}{more}", "Nothing was written.") from e
    kept = iter(rows(after, target.table))
    if not all(any(row == other for other in kept) for row in table.rows):
        raise SourceError(f"Rows of {file} would be lost.", "Nothing was written.")
    _hold_back(target, after, new)
    contents |= _readme(folder, after)
    replace_files({folder / name: raw for name, raw in contents.items()})
    return rows(after, target.table)


def _moves(folder: Path, file: str, new: Vintage) -> date | None:
    """The day through which the file is covered with the new rows, if that is later than what coverage.toml says."""
    settings, problems = read_settings(folder)
    if settings is None or file not in settings.coverage:
        raise InputError.of(problems)
    through = max(day for _, record in new.rows if (day := covered_day(record)))
    return through if through > settings.coverage[file] else None


def _hold_back(target: Target, after: Data, new: Vintage) -> None:
    """Refuse a vintage with a new row that `data check` would call odd: nobody looks at what a schedule pulls."""
    tables = {name: Table(kept := rows(after, name), tuple(range(len(kept)))) for name in RECORDS}
    settings = Settings(after.coverage, after.scales, after.sources, after.questions)
    added = [record for _, record in new.rows]
    mine = tables[target.table].rows
    odd = [p for p in odd_values(tables, settings) if p.file == target.record.file and p.row is not None and mine[p.row] in added]
    if odd:
        more = f" {len(odd) - 1} more rows are odd." if len(odd) > 1 else ""
        raise SourceError(
            f"A new figure is odd: {odd[0].found}; expected {odd[0].expected}.{more}",
            "Nothing was written. Compare it with the publisher's page; if it is right, declare it expected in sources.toml.",
        )


def _readme(folder: Path, after: Data) -> Mapping[str, bytes]:
    """data/README.md anew, where it is the one that is written from the data and not someone's own."""
    mark = next(line for line in HEAD.splitlines() if "Written by" in line)
    try:
        ours = mark.encode() in read_bounded(folder / README)
    except UnreadableError:
        return {}
    return {README: readme(after).encode("utf-8")} if ours else {}
