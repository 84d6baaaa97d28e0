"""One source from question to file: fetch, parse, check and append what is new, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from forecast.data.checks.dates import covered_day
from forecast.data.checks.registry import find_odd_values
from forecast.data.data_readme import HEAD, readme_text
from forecast.data.data_readme import NAME as README
from forecast.data.entry.file_edits import COVERAGE, insert_rows, read_with_changes, with_coverage
from forecast.data.read import read_table
from forecast.data.records import Record
from forecast.data.sources.connector import Connector, TargetTable, Token
from forecast.data.sources.fetch_pages import fetch_pages, held_digest, load_validators, save_validators
from forecast.data.sources.http_client import Endpoint, HostClient, Limits
from forecast.data.sources.new_vintage import Vintage, new_vintage
from forecast.data.tables import RECORDS, Data, RecordTable, last_whole_month, table_rows
from forecast.data.toml_file import Settings, read_settings
from forecast.errors import InputError, SourceError
from forecast.storage.atomic import replace_files
from forecast.storage.files import UnreadableError, read_bounded
from forecast.storage.locks import folder_lock


@dataclass(frozen=True, slots=True)
class FetchResult:
    """How many rows were added, and a note about them."""

    rows: int
    note: str = ""


def fetch_source(
    connector: Connector,
    names: Sequence[str],
    folder: Path,
    day: date,
    http: httpx.Client,
    endpoint: Endpoint,
    limits: Limits,
    environ: Mapping[str, str],
    progress: Callable[[float | None, str], None],
) -> FetchResult:
    """Fetch, parse and check the series `names` of a connector and write what is new; the folder is locked only while it is written.

    progress: called with the share done (None: unknown) and a few words. Raises SourceError, or ForecastError for a folder that cannot be
    read or written; then nothing of this connector is written.
    """
    secret = _secret(connector.token, environ)
    host = HostClient(http, endpoint, limits, connector.most_bytes, secret, connector.explain, lambda words: progress(None, words))
    target = connector.target
    path = folder / target.record.file

    def digest(held: Sequence[Record]) -> str:
        return held_digest([row for row in held if getattr(row, target.series) in names], last_whole_month(day))

    known = load_validators(folder, connector.key, digest(_read_target(path, target).rows))
    pages = fetch_pages(connector.requests, host.fetch, known, lambda done: progress(0.8 * done, "fetching"))
    if pages is None:
        return FetchResult(0, "not changed since the last pull")
    progress(0.8, "checking")
    figures = connector.parse(pages.bodies)
    with folder_lock(folder):
        table = _read_target(path, target)
        held: Sequence[Record] = table.rows
        new = new_vintage(target, [series for series in connector.series if series.name in names], figures, held, day)
        if new.rows:
            held = append_vintage(folder, target, table, new)
        save_validators(folder, connector.key, digest(held), pages.validators)
    return FetchResult(len(new.rows), new.note)


def _read_target(path: Path, target: TargetTable) -> RecordTable[Record]:
    table, problems = read_table(path, target.record)
    if problems:
        raise InputError.of(problems)
    return table


def _secret(token: Token | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The header with the publisher's key, if the environment has one."""
    value = environ.get(token.variable, "") if token else ""
    if token is None or not value:
        return {}
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise SourceError(f"What {token.variable} holds cannot be a key.", "Correct or unset it.")
    return {token.header: value}


def append_vintage(folder: Path, target: TargetTable, table: RecordTable[Any], new: Vintage) -> Sequence[Any]:
    """Add a vintage to the target's file, in its order, and raise its coverage accordingly; returns all rows of the file.

    table: the file as read, under the same lock. Existing rows stay. Raises SourceError, with nothing written, if the folder would become
    invalid or a new figure is odd; ForecastError if the disk refuses.
    """
    file = target.record.file
    contents: dict[str, bytes] = {}
    if through := _new_coverage(folder, file, new):  # written first, so that an interruption between the two writes leaves valid data
        contents[COVERAGE] = with_coverage(folder, file, through)
    contents[file] = insert_rows(read_bounded(folder / file), target.table, table, new.rows).raw
    try:
        after = read_with_changes(folder, contents)
    except InputError as e:
        more = f" and {len(e.problems) - 1} more" if len(e.problems) > 1 else ""
        raise SourceError(f"The data would not be valid with the new rows: {e.problems[0]}{more}", "Nothing was written.") from e
    remaining = iter(table_rows(after, target.table))
    if not all(any(row == other for other in remaining) for row in table.rows):
        raise SourceError(f"Rows of {file} would be lost.", "Nothing was written.")
    _refuse_oddities(target, after, new)
    contents |= _readme(folder, after)
    replace_files({folder / name: raw for name, raw in contents.items()})
    return table_rows(after, target.table)


def _new_coverage(folder: Path, file: str, new: Vintage) -> date | None:
    """The day through which the file is covered with the new rows, if that is later than what coverage.toml says."""
    settings, problems = read_settings(folder)
    if settings is None or file not in settings.coverage:
        raise InputError.of(problems)
    through = max(day for _, record in new.rows if (day := covered_day(record)))
    return through if through > settings.coverage[file] else None


def _refuse_oddities(target: TargetTable, after: Data, new: Vintage) -> None:
    """Refuse a vintage with a new row that `data check` would warn about, since nobody looks at what a schedule pulls."""
    tables = {name: RecordTable(rows := table_rows(after, name), tuple(range(len(rows)))) for name in RECORDS}
    settings = Settings(after.coverage, after.scales, after.sources, after.questions)
    added = [record for _, record in new.rows]
    mine = tables[target.table].rows
    odd = [p for p in find_odd_values(tables, settings) if p.file == target.record.file and p.row is not None and mine[p.row] in added]
    if odd:
        more = f" {len(odd) - 1} more rows are odd." if len(odd) > 1 else ""
        raise SourceError(
            f"A new figure is odd: {odd[0].found}; expected {odd[0].expected}.{more}",
            "Nothing was written. Compare it with the publisher's page; if it is right, declare it expected in sources.toml.",
        )


def _readme(folder: Path, after: Data) -> Mapping[str, bytes]:
    """data/README.md, generated anew, unless a person has replaced it by their own."""
    mark = next(line for line in HEAD.splitlines() if "Written by" in line)
    try:
        ours = mark.encode() in read_bounded(folder / README)
    except UnreadableError:
        return {}
    return {README: readme_text(after).encode("utf-8")} if ours else {}
