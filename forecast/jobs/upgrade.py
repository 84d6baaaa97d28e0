"""`forecast init --upgrade DIR`: bring a workspace that an earlier version made to the form that this version reads.

What an earlier workspace has otherwise: priors under names that were changed since, and CSV files without columns that were added since.
Neither the history of the priors, nor the ledger, nor any run is altered: the history is followed under the old names, the ledger has a
form of its own, and a run keeps the form it was written in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.data.csv_file import parse_csv
from forecast.data.records import ReadingRow
from forecast.errors import InputError, StoreError
from forecast.forecasting.inputs import load_workspace
from forecast.jobs.saved_run import SavedRun
from forecast.priors.catalogue import RENAMED
from forecast.priors.edit_log import FOLDER as HISTORY
from forecast.priors.edit_log import read_history
from forecast.runs import ledger, store
from forecast.storage.atomic import replace_files
from forecast.storage.files import read_bounded
from forecast.storage.locks import folder_lock
from forecast.storage.temporary_folder import temporary_folder
from forecast.storage.text import decode_text
from forecast.workspace import Workspace, bundled_root, check_writable, workspace_files, write_snapshot

_ADDED_COLUMNS: Final = ((ReadingRow.file, "reading", "title"),)
"""File, the column that names what a row is of, and the column that this version has besides."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that the upgrade changes.

    file: its path in the workspace.
    what: what was done to it, in words.
    """

    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did.

    changes: of files; empty if the workspace had the present form already.
    prior_edits: edits in the history of the priors, which verified before and after.
    ledger_entries: entries of the ledger; None if it is damaged, which is no matter of an upgrade.
    other_versions: ids of runs that another version made: they stay, and are only read by `forecast report`.
    """

    changes: tuple[FileChange, ...]
    prior_edits: int
    ledger_entries: int | None
    other_versions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "changes": [{"file": change.file, "what": change.what} for change in self.changes],
            "prior_edits": self.prior_edits,
            "ledger_entries": self.ledger_entries,
            "runs_of_other_versions": list(self.other_versions),
        }


def upgrade_workspace(where: Workspace) -> Upgrade:
    """Upgrade a workspace, whole or not at all; one that has the present form already is left as it is.

    The upgraded files are read in a copy before any is written. Raises UsageError for a workspace that is not to be written, InputError if
    something else is wrong with its data or priors, StoreError if the history of its priors is damaged, LockedError while another command
    writes, ForecastError if a file cannot be written.
    """
    check_writable(where)
    with ExitStack() as locks:
        for folder in (where.data, where.priors, where.priors / "outside_view"):
            if folder.is_dir():
                locks.enter_context(folder_lock(folder))
        history = read_history(where.priors)
        texts: dict[str, str] = {}
        changes = [*_rename_priors(where, texts), *_add_columns(where, texts)]
        if changes:
            _check_copy(where, texts)
            replace_files({where.root / name: text.encode() for name, text in texts.items()})
    return Upgrade(tuple(changes), len(history.edits), _ledger_entries(where.reports), _other_versions(where.reports))


def _rename_priors(where: Workspace, texts: dict[str, str]) -> Iterator[FileChange]:
    """The files of priors with names of today; the new texts go to `texts` by path in the workspace."""
    for path in sorted(where.priors.rglob("*.toml")):
        name = f"priors/{path.relative_to(where.priors).as_posix()}"
        if path.is_relative_to(where.priors / HISTORY):
            continue
        text = read_bounded(path).decode("utf-8", "surrogateescape")  # what is no text is refused when the copy is read
        for old, new in RENAMED.items():
            key = re.compile(rf"""^(\s*\[?\s*)(["']){re.escape(old)}\2(?=\s*[\]=])""", re.MULTILINE)
            text, n = key.subn(rf"\g<1>\g<2>{new}\g<2>", text)
            if n:
                texts[name] = text
                yield FileChange(name, f"the prior {old} is now called {new}")


def _add_columns(where: Workspace, texts: dict[str, str]) -> Iterator[FileChange]:
    """CSV files with the columns that they lack: the cells of the bundled file for the rows it has too, others empty."""
    for file, key, column in _ADDED_COLUMNS:
        text, problems = decode_text(read_bounded(where.data / file), file)
        sheet = parse_csv(text, file)
        if problems or sheet.problems or key not in sheet.header or column in sheet.header:
            continue  # what else is wrong is named when the copy is read
        cells = _bundled_cells(file, key, column)
        lines = list(io.StringIO(text, newline=""))  # as the csv module counts them
        at = sheet.header.index(key)
        for line, row in ((1, sheet.header), *sheet.rows):
            value = column if line == 1 else cells.pop(row[at], "")  # a value stands in the first row of its key
            lines[line - 1] = _insert_cell(lines[line - 1], value, after_first=at == 0)
        texts[f"data/{file}"] = "".join(lines)
        yield FileChange(f"data/{file}", f"the column {column} was added")


def _bundled_cells(file: str, key: str, column: str) -> dict[str, str]:
    text, _ = decode_text(read_bounded(bundled_root() / "data" / file), file)
    sheet = parse_csv(text, file)
    at, value = sheet.header.index(key), sheet.header.index(column)
    return {row[at]: row[value] for _, row in sheet.rows if row[value]}


def _insert_cell(line: str, value: str, after_first: bool) -> str:
    """A line of CSV with one cell more: after the first, if that holds no quotes, else before it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([value, ""])
    cell = out.getvalue()  # with the comma that follows it
    first, comma, rest = line.partition(",")
    return f"{first},{cell}{rest}" if after_first and comma and '"' not in first else cell + line


def _check_copy(where: Workspace, texts: Mapping[str, str]) -> None:
    """InputError or StoreError unless this version reads the workspace with the new texts, and the history of its priors verifies."""
    with temporary_folder() as root:
        files = workspace_files(where) | {name: text.encode("utf-8", "surrogateescape") for name, text in texts.items()}
        write_snapshot(root, files)
        try:
            load_workspace(root)
        except InputError as e:
            raise InputError(
                "The workspace was not upgraded, because something else is wrong in it too.",
                "Nothing was written. Correct these problems, then upgrade it again.",
                e.problems,
            ) from e


def _ledger_entries(reports: Path) -> int | None:
    try:
        return len(ledger.read(reports))
    except StoreError:
        return None


def _other_versions(reports: Path) -> tuple[str, ...]:
    """Ids of the runs that another version made; damaged ones are left to `forecast runs verify`."""
    found = []
    for run in store.list_runs(reports):
        try:
            if SavedRun(run.path).is_other_version:
                found.append(run.run_id)
        except StoreError:
            continue
    return tuple(found)
