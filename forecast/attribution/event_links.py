"""Changes of events that belong together, and the order in which they can be told: no effect before its cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from forecast.data.diff import RowChange

TOGETHER = ("ends", "same_act_as")


def linked(changes: Sequence[RowChange]) -> list[list[RowChange]]:
    """Groups of events that are one act, or a measure and what ended it; within a group by publication."""
    parent = {c.key[0]: c.key[0] for c in changes}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for c in changes:
        for other in _names(c, TOGETHER):
            if other in parent:
                parent[root(c.key[0])] = root(other)
    groups: dict[str, list[RowChange]] = {}
    for c in sorted(changes, key=_age):
        groups.setdefault(root(c.key[0]), []).append(c)
    return [sorted(group, key=lambda c: (c.what == "changed", _age(c))) for group in groups.values()]  # news names its group


def in_order(groups: Sequence[list[RowChange]]) -> list[list[RowChange]]:
    """By publication, but a group after those that caused it. Groups that cause each other stand by publication alone."""
    home = {c.key[0]: i for i, group in enumerate(groups) for c in group}
    needs = {i: {home[n] for c in group for n in _names(c, ("caused_by",)) if n in home} - {i} for i, group in enumerate(groups)}
    waiting = sorted(range(len(groups)), key=lambda i: min(_age(c) for c in groups[i]))
    out: list[int] = []
    while waiting:
        ready = next((i for i in waiting if needs[i] <= set(out)), waiting[0])
        waiting.remove(ready)
        out.append(ready)
    return [groups[i] for i in out]


def _names(change: RowChange, columns: Sequence[str]) -> set[str]:
    """Rows that a change names, as it was or as it is."""
    return {name for row in (change.old, change.new) if row is not None for column in columns for name in getattr(row, column)}


def _age(change: RowChange) -> tuple[date, date, str]:
    return change.row.published.last, change.row.date.last, change.key[0]
