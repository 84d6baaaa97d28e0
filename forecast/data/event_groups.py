"""Which rows are acts of their own: of rows linked by `same_act_as` one counts, the family A row if there is one, else the earliest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.data.records import Event


def distinct_acts(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events without those that are another row's act, in the order given. A link to a row that is not there is ignored."""
    group = linked_groups({e.id: e.same_act_as for e in events})
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


def linked_groups(links: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """The id that stands for the group of each id: those that links connect, directly or through others, are in one group.

    links: id → the ids it names. An id that is named but has no entry of its own is ignored. The method is union–find.
    """
    parent = {id_: id_ for id_ in links}

    def root(id_: str) -> str:
        while parent[id_] != id_:
            id_ = parent[id_]
        return id_

    for id_, named in links.items():
        for other in named:
            if other in parent:
                parent[root(id_)] = root(other)
    return {id_: root(id_) for id_ in parent}
