"""A row in a few words, by what it is coded as: for lists of changes and marks on a time line."""

from __future__ import annotations

from typing import Any

from forecast.data.printing import as_text
from forecast.data.records import Administration, Claim, Event, Poll, ReadingRow, Scheduled
from forecast.data.row_query import cell
from forecast.domain import month_text


def brief(row: Any) -> str:
    """What names the row, and its coding in words; rows of plain series are named alone."""
    if isinstance(row, Event):
        return f"{row.id}, {row.date}: {short(row)}"
    if isinstance(row, Claim):
        return f"{row.claim_id}: level {row.level}, {_months(row.start, row.end)} ({row.stance})"
    if isinstance(row, ReadingRow):
        return row.reading if row.level is None or row.start is None else f"{row.reading}: level {row.level}, {_months(row.start, row.end)}"
    if isinstance(row, Poll):
        return f"{row.poll_id}: {row.wording.replace('_', ' ')}, {_per_cent(row.opposed_pct)} opposed"
    if isinstance(row, Scheduled):
        return f"{row.id}, {row.date}: {row.effect if row.effect != 'none' else row.kind.replace('_', ' ')}, {row.channel}"
    if isinstance(row, Administration):
        return f"{row.country}: {row.name}, {_months(row.start, row.end)}"
    return " ".join(as_text(cell(column, getattr(row, column))) for column in row.key)


def short(e: Event) -> str:
    """What kind of act an event is, from its coding."""
    thing = (e.instrument if e.instrument not in ("", "other") else e.channel).replace("_", " ")
    if e.role == "decision":
        return f"{'granted' if e.direction == '+' else 'refused'}: {thing}, level {e.operation_level}"
    if e.role == "claim":
        return f"claim: {thing}, level {e.operation_level}"
    return f"{e.kind or e.role}: {thing}" + (f", intensity {e.intensity}" if e.intensity is not None else "")


def _months(start: int, end: int | None) -> str:
    if end is None:
        return f"from {month_text(start)} on"
    return month_text(start) if start == end else f"{month_text(start)} to {month_text(end)}"


def _per_cent(share: float | None) -> str:
    return "share unknown" if share is None else f"{share:g} %"
