"""Monthly series of a table: the rows of each, and what their value is."""

from __future__ import annotations

from typing import Any

from forecast.data.records import OverdoseFinal
from forecast.data.tables import Table


def by_series(table: Table[Any]) -> dict[str, list[int]]:
    """Series → indices of its rows in order of month, of each month only the vintage published last."""
    newest: dict[tuple[str, int], int] = {}
    for i, row in enumerate(table.rows):
        held = newest.get((row.series, row.month))
        if held is None or table.rows[held].published.last <= row.published.last:
            newest[row.series, row.month] = i
    found: dict[str, list[int]] = {}
    for series, m in sorted(newest):
        found.setdefault(series, []).append(newest[series, m])
    return found


def value(row: Any) -> float:
    """Deaths of a month, or the value of an indicator."""
    return float(row.deaths if isinstance(row, OverdoseFinal) else row.value)
