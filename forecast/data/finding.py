"""One thing that a check found in one row, with the line it stands on."""

from __future__ import annotations

from typing import Any, Literal

from forecast.data.suggestions import shown
from forecast.data.tables import Table
from forecast.domain import month_text
from forecast.errors import Problem

Severity = Literal["error", "warning"]


def finding(table: Table[Any], i: int, column: str | None, found: str, expected: str, remedy: str, severity: Severity = "error") -> Problem:
    """A problem in row `i` of a table."""
    row = table.rows[i]
    name = " ".join(str(_written(row, column)) for column in row.key)
    return Problem(row.file, f"{found} ({shown(name)[1:-1]})" if name else found, expected, remedy, table.line(i), column, severity)


def _written(row: Any, column: str) -> str:
    value = getattr(row, column)
    return month_text(value) if column in ("month", "start", "end", "period_end") and isinstance(value, int) else str(value)
