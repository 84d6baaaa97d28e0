"""Which rows are acts of their own: of rows linked by `same_act_as` one counts, the family A row if there is one, else the earliest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.data.records import Event


def distinct_acts(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events without those that are another row's act, in the order given. A link to a row that is not there is ignored."""
    group = _groups(events)
    chosen: dict[str, Event] = {}
    for e in events:
        root = group[e.id]
        best = chosen.get(root)
        if best is None or _rank(e) < _rank(best):
            chosen[root] = e
    keep = {e.id for e in chosen.values()}
    return tuple(e for e in events if e.id in keep)


def _rank(e: Event) -> tuple[bool, object, str]:
    return (e.family != "A", e.date, e.id)


def _groups(events: Iterable[Event]) -> dict[str, str]:
    """Union–find over the links: id → the id that stands for its group."""
    parent = {e.id: e.id for e in events}

    def root(i: str) -> str:
        while parent[i] != i:
            i = parent[i]
        return i

    for e in events:
        for other in e.same_act_as:
            if other in parent:
                parent[root(e.id)] = root(other)
    return {i: root(i) for i in parent}
