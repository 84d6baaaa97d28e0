"""Shared by the checks for oddities: monthly series of a table, and the oddities that sources.toml declares expected.

An oddity is a warning: a value that is unusual, not impossible. A declared one is not reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from forecast.data.problems import Finding
from forecast.data.records import OverdoseFinal
from forecast.data.settings import Source
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.domain import month

FORTNIGHT: Final = timedelta(days=14)
"""Rows that are coded alike and no further apart may be one act, entered twice."""


def source_of(settings: Settings, file: str, series: str | None = None) -> Source | None:
    """The table of sources.toml for a series of a file, else the one for the whole file."""
    of_file = [source for source in settings.sources.values() if source.file == file]
    return next((s for s in of_file if s.series == series), None) or next((s for s in of_file if s.series is None), None)


def is_expected(
    settings: Settings, file: str, kind: str, first: int, last: int, series: str | None = None, release: str | None = None
) -> bool:
    """Whether an oddity of this kind in the months first..last is declared for its file, series and release."""
    source = source_of(settings, file, series)
    return source is not None and any(
        e.kind == kind
        and e.from_ is not None
        and e.to is not None
        and month(e.from_) <= first
        and last <= month(e.to)
        and e.series in (None, series)
        and e.release in (None, release)
        for e in source.expected
    )


def are_expected_duplicates(settings: Settings, file: str, ids: Collection[str]) -> bool:
    """Whether one declared duplicate names all these rows."""
    source = source_of(settings, file)
    return source is not None and any(e.kind == "duplicate" and set(ids) <= set(re.findall(r"[\w.:-]+", e.what)) for e in source.expected)


def oddity(i: int, column: str, found: str, expected: str, do: str) -> Finding:
    """Something odd in row `i` of a table, which may be declared expected if it is right."""
    return i, column, found, expected, f"{do}, or declare it expected in sources.toml."


def newest_by_series(table: RecordTable[Any]) -> dict[str, list[int]]:
    """Series → indices of its rows in order of month, only the newest vintage of each month."""
    newest: dict[tuple[str, int], int] = {}
    for i, row in enumerate(table.rows):
        held = newest.get((row.series, row.month))
        if held is None or table.rows[held].published.last <= row.published.last:
            newest[row.series, row.month] = i
    by_series: dict[str, list[int]] = {}
    for series, m in sorted(newest):
        by_series.setdefault(series, []).append(newest[series, m])
    return by_series


def series_value(row: Any) -> float:
    """Deaths of a month, or the value of an indicator."""
    return float(row.deaths if isinstance(row, OverdoseFinal) else row.value)
