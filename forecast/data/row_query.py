"""Rows selected by column and month, and rows as JSON values, as texts and in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from forecast import domain
from forecast.data.records import Administration, Claim, Event, Poll, ReadingRow, Scheduled
from forecast.data.suggestions import did_you_mean
from forecast.data.tables import RECORDS, Data
from forecast.domain import PartialDate, month_text
from forecast.errors import UsageError
from forecast.storage.text import visible

MONTH_COLUMNS: Final = frozenset({"start", "end", "month", "period_end"})
"""Columns that hold whole months."""

PERIOD_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "events": ("date", "date"),
    "claims": ("start", "end"),
    "readings": ("start", "end"),
    "administrations": ("start", "end"),
    "polls": ("field_start", "field_end"),
    "overdose_final": ("month", "month"),
    "overdose_releases": ("period_end", "period_end"),
    "indicators": ("month", "month"),
    "calendar": ("date", "date"),
    "spells": ("start", "end"),
    "states": ("year_start", "year_end"),
    "pressure": ("year_start", "year_end"),
}
"""By table the columns of the first and the last period of a row; tables without a time are not here."""

SHORT_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "events": ("id", "date", "family", "role", "channel", "kind", "intensity", "operation_level", "direction", "description"),
    "claims": ("claim_id", "start", "end", "level", "published", "stance", "why"),
    "polls": ("poll_id", "wording", "field_end", "n", "opposed_pct", "in_favour_pct", "use", "question"),
    "calendar": ("id", "date", "channel", "effect", "probability", "what"),
    "indicators": ("month", "series", "value", "unit", "published"),
    "spells": ("country", "start", "end", "level", "published", "basis"),
    "states": ("country", "year_start", "year_end", "export_share_to_us", "competitive_elections", "income", "capable_army"),
    "pressure": ("country", "year_start", "year_end", "kind", "what"),
    "stakes": ("side", "kind", "applies_to_levels", "argument"),
}
"""The columns that a terminal has room for; other tables show all."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: `where` pairs of column and text, first and last month of the period (None: open), at most the last `limit`."""

    where: tuple[tuple[str, str], ...] = ()
    first: int | None = None
    last: int | None = None
    limit: int | None = None

    @classmethod
    def parse(cls, name: str, where: Sequence[str], first: str | None, last: str | None, limit: int | None) -> Selection:
        """The selection that command-line options mean for the table `name`. Raises UsageError with the nearest right word."""
        columns = columns_of(name)
        pairs = []
        for condition in where:
            column, equals, value = condition.partition("=")
            if not equals:
                raise UsageError(f"{condition!r} is no condition.", "Write it as column=value, e.g. --where family=A.")
            if column not in columns:
                raise UsageError(f"{RECORDS[name].file} has no column {column!r}.", did_you_mean(column, columns))
            pairs.append((column, value))
        if (first or last) and name not in PERIOD_COLUMNS:
            raise UsageError(f"{RECORDS[name].file} has no dates.", "Leave out --from and --to.")
        return cls(tuple(pairs), _month(first), _month(last), limit)


def table_of_file(file: str) -> str:
    """The table of a file, by the file's name with or without its ending, or by the table's own. Raises UsageError."""
    names = {record.file: name for name, record in RECORDS.items()}
    name = names.get(file) or names.get(f"{file}.csv") or (file if file in RECORDS else None)
    if name is None:
        raise UsageError(f"There is no file {file!r} in the data.", did_you_mean(file, names))
    return name


def columns_of(name: str) -> tuple[str, ...]:
    return tuple(RECORDS[name].model_fields)


def select_rows(data: Data, name: str, selection: Selection) -> list[dict[str, Any]]:
    """The selected rows of a table, in the order of the file, each a mapping from column to a JSON value."""
    rows = [row for row in getattr(data, name) if _within(row, name, selection)]
    cells = [{column: cell_value(column, getattr(row, column)) for column in columns_of(name)} for row in rows]
    cells = [c for c in cells if all(value_text(c[column]) == value for column, value in selection.where)]
    return cells[-selection.limit :] if selection.limit else cells


def overview(data: Data) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """The files there are: columns, and a row a file."""
    rows = [
        {
            "file": record.file,
            "rows": len(getattr(data, name)),
            "covered_through": data.coverage[record.file].isoformat(),
            "what": " ".join((record.__doc__ or "").split()),
        }
        for name, record in RECORDS.items()
    ]
    return ("file", "rows", "covered_through", "what"), rows


def cell_value(column: str, value: Any) -> Any:
    """A cell as a JSON value: dates and months as text, lists of ids joined as in the file, None where it is empty."""
    if column in MONTH_COLUMNS and isinstance(value, int):
        return month_text(value)
    if isinstance(value, tuple):
        return ";".join(value)
    return str(value) if isinstance(value, PartialDate | date) else value


def _month(text: str | None) -> int | None:
    try:
        return None if text is None else domain.month(text)
    except ValueError as e:
        raise UsageError(f"{e}.", "Write it as 2026-06.") from None


def _within(row: Any, name: str, selection: Selection) -> bool:
    """Whether the period of a row overlaps the months asked for; an empty end is open."""
    if selection.first is None and selection.last is None:
        return True
    start, end = (_months(getattr(row, column), column) for column in PERIOD_COLUMNS[name])
    if start is None:
        return False
    begun = selection.last is None or start[0] <= selection.last
    over = end is not None and selection.first is not None and end[1] < selection.first
    return begun and not over


def _months(value: Any, column: str) -> tuple[int, int] | None:
    """The first and the last month that a date, a month or a year means."""
    if value is None:
        return None
    if isinstance(value, PartialDate):
        return domain.month_of(value.first), value.month
    return (12 * value, 12 * value + 11) if column.startswith("year") else (value, value)


def summarise_row(row: Any) -> str:
    """The name of a row and its coding in words; of a series, only the name."""
    if isinstance(row, Event):
        return f"{row.id}, {row.date}: {summarise_event(row)}"
    if isinstance(row, Claim):
        return f"{row.claim_id}: level {row.level}, {_month_span(row.start, row.end)} ({row.stance})"
    if isinstance(row, ReadingRow):
        if row.level is None or row.start is None:
            return row.reading
        return f"{row.reading}: level {row.level}, {_month_span(row.start, row.end)}"
    if isinstance(row, Poll):
        return f"{row.poll_id}: {row.wording.replace('_', ' ')}, {_per_cent(row.opposed_pct)} opposed"
    if isinstance(row, Scheduled):
        return f"{row.id}, {row.date}: {row.effect if row.effect != 'none' else row.kind.replace('_', ' ')}, {row.channel}"
    if isinstance(row, Administration):
        return f"{row.country}: {row.name}, {_month_span(row.start, row.end)}"
    return " ".join(value_text(cell_value(column, getattr(row, column))) for column in row.key)


def summarise_event(e: Event) -> str:
    """What kind of act an event is, from its coding."""
    subject = (e.instrument if e.instrument not in ("", "other") else e.channel).replace("_", " ")
    if e.role == "decision":
        return f"{'granted' if e.direction == '+' else 'refused'}: {subject}, level {e.operation_level}"
    if e.role == "claim":
        return f"claim: {subject}, level {e.operation_level}"
    return f"{e.kind or e.role}: {subject}" + (f", intensity {e.intensity}" if e.intensity is not None else "")


def _month_span(start: int, end: int | None) -> str:
    if end is None:
        return f"from {month_text(start)} on"
    return month_text(start) if start == end else f"{month_text(start)} to {month_text(end)}"


def _per_cent(share: float | None) -> str:
    return "share unknown" if share is None else f"{share:g} %"


def value_text(value: Any) -> str:
    """A cell as the file has it, but for the spelling of numbers."""
    return "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)


def printable(value: Any) -> str:
    """A cell on one line of a terminal, control characters escaped."""
    return visible(value_text(value), line=True)
