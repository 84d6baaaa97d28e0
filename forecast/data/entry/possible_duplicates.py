"""Rows that lie so near a new one that both may be the same thing: of the same fortnight and channel, or what stands for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from forecast.data.records import Record
from forecast.data.tables import Data, rows

FORTNIGHT: Final = timedelta(days=14)


def similar(data: Data, name: str, new: Record) -> tuple[Any, ...]:
    """The rows near a new one, the likest first: events of a channel; polls of a pollster or topic; claims published then."""
    when, alike = _WHEN[name], _ALIKE[name]
    near = [r for r in rows(data, name) if abs(when(r) - when(new)) <= FORTNIGHT and r != new and any(alike(r, new))]
    return tuple(sorted(near, key=lambda r: (-sum(alike(r, new)), abs(when(r) - when(new)))))


_WHEN: Final[Mapping[str, Callable[[Any], date]]] = {
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


_ALIKE: Final[Mapping[str, Callable[[Any, Any], tuple[bool, ...]]]] = {"events": _events, "claims": _claims, "polls": _polls}
