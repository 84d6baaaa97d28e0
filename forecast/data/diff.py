"""Differences between two sets of data: rows by file and key, coverage, and settings. Order and layout do not count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from pydantic import BaseModel

from forecast.data.fingerprint import WORDING, row_meaning
from forecast.data.records import Record
from forecast.data.row_query import cell_value, value_text
from forecast.data.tables import RECORDS, Data, table_rows
from forecast.domain import month_text

type ChangeKind = Literal["added", "removed", "changed"]

FALLBACK_KEYS: Final[Mapping[str, tuple[str, ...]]] = {"readings": ("reading", "start"), "stakes": ("side", "kind", "argument")}
"""The columns that identify a row of a file without a key."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that is in only one of two sets of data, or differs between them.

    cells: the columns that differ. meaning: whether more differs than text for readers.
    """

    table: str
    key: tuple[str, ...]
    old: Record | None
    new: Record | None
    cells: tuple[str, ...]
    meaning: bool

    @property
    def what(self) -> ChangeKind:
        return "added" if self.old is None else "removed" if self.new is None else "changed"

    @property
    def file(self) -> str:
        return RECORDS[self.table].file

    @property
    def row(self) -> Any:
        """The row as it is now, or as it was if it is gone."""
        return self.old if self.new is None else self.new


@dataclass(frozen=True, slots=True)
class DataDiff:
    """All differences between two sets of data.

    rows: in the order of the files. coverage: file → (last day covered before, after), None if missing. settings: by "file: key"
    the pair (before, after), of scales.toml, questions.toml and sources.toml. meant: the settings among them that are more than wording.
    """

    rows: tuple[RowChange, ...]
    coverage: Mapping[str, tuple[date | None, date | None]]
    settings: Mapping[str, tuple[str, str]]
    meant: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.rows or self.coverage or self.settings)

    def of(self, table: str) -> tuple[RowChange, ...]:
        return tuple(c for c in self.rows if c.table == table)


def diff_data(old: Data, new: Data) -> DataDiff:
    """The changes that turn the old data into the new."""
    files = dict.fromkeys([*old.coverage, *new.coverage])
    settings, meant = _settings(old, new)
    return DataDiff(
        rows=tuple(change for name in RECORDS for change in changed_rows(name, table_rows(old, name), table_rows(new, name))),
        coverage={f: pair for f in files if (pair := (old.coverage.get(f), new.coverage.get(f))) and pair[0] != pair[1]},
        settings=settings,
        meant=meant,
    )


def changed_rows(table: str, old: Sequence[Record], new: Sequence[Record]) -> Iterator[RowChange]:
    """The rows of one table that differ: those gone and changed in their old order, then those added in their new order."""
    if old == new:
        return
    before, after = _by_key(table, old), _by_key(table, new)
    for key, mine in before.items():
        theirs = list(after.get(key, ()))
        left = [row for row in mine if not _take(theirs, row)]  # if a key has several rows, equal ones pair off first
        for row in left:
            yield _change(table, key, row, theirs.pop(0) if theirs else None)
        after[key] = theirs
    for key, theirs in after.items():
        for row in theirs:
            yield _change(table, key, None, row)


def _by_key(table: str, records: Sequence[Record]) -> dict[tuple[str, ...], list[Record]]:
    columns = RECORDS[table].key or FALLBACK_KEYS[table]
    out: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in records:
        out[tuple(cell_text(row, c) for c in columns)].append(row)
    return out


def _take(among: list[Record], row: Record) -> bool:
    if row in among:
        among.remove(row)
        return True
    return False


def _change(table: str, key: tuple[str, ...], old: Record | None, new: Record | None) -> RowChange:
    if old is None or new is None:
        return RowChange(table, key, old, new, (), True)
    cells = tuple(c for c in RECORDS[table].model_fields if getattr(old, c) != getattr(new, c))
    return RowChange(table, key, old, new, cells, row_meaning(table, old) != row_meaning(table, new))


def cell_text(row: Record, column: str) -> str:
    """A cell as the file has it."""
    return value_text(cell_value(column, getattr(row, column)))


def _settings(old: Data, new: Data) -> tuple[dict[str, tuple[str, str]], frozenset[str]]:
    a, b = dict(_flat(old)), dict(_flat(new))
    differ = {key: (a.get(key, ""), b.get(key, "")) for key in dict.fromkeys([*a, *b]) if a.get(key, "") != b.get(key, "")}
    meant = {k for k in differ if not k.startswith("sources.toml") and k.rsplit(".", 1)[-1] not in WORDING}
    return differ, frozenset(meant)


def _flat(data: Data) -> Iterator[tuple[str, str]]:
    for name in ("leverage", "mobilisation"):
        yield f"scales.toml: {name}", f"{getattr(data.scales, name):g}"
    for name in ("window_start", "window_end"):
        yield f"scales.toml: {name}", month_text(getattr(data.scales, name))
    yield from _leaves("questions.toml: ", data.questions)
    for series, source in data.sources.items():
        yield from _leaves(f"sources.toml: {series}.", source)


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(prefix if prefix.endswith((" ", ".")) and not key else f"{prefix}{key}.", inner)
    elif value is not None:
        yield prefix.removesuffix("."), ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
