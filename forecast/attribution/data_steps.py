"""The path from one set of data to another in small steps, in a fixed order: revisions of old values, time passing, new observations.

A revision concerns what the old data already covered: a row changed or removed, a further vintage of a month they had, an earlier month
coded anew. Everything else is new: further months, further records, claims about months after the old origin. A forecast can be made from
the data after every step: references to rows that are not there yet are left out, and a month that no claim covers yet keeps the level of
the month before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any, Final, Literal

from forecast.attribution.partial_data import CLAIMS, PartialData, clock
from forecast.data.diff import RowChange, diff_data
from forecast.data.event_groups import linked_groups
from forecast.data.records import Record
from forecast.data.row_query import summarise_row
from forecast.data.tables import Data, origin
from forecast.domain import PartialDate, month_text

type Kind = Literal["revision", "time", "new"]
type Group = tuple[str, list[RowChange]]
"""The label of a step, and the changes made in it."""

UNREAD: Final = frozenset({"indicators", "spells", "states", "pressure", "stakes", "coding_second"})
"""Tables that no model reads once the priors are written: checks, context, and the states that the outside view was fitted to."""

MAX_STEPS: Final = 30
LISTED_INDIVIDUALLY: Final = (12, 6, 3, 0)
"""Largest number of records of a file that are listed one by one; beyond it they are grouped. Tried in order until MAX_STEPS suffice."""

FAMILIES: Final = {"A": "what Mexico granted or refused", "B": "pressure", "C": "opposition", "D": "context"}


@dataclass(frozen=True, slots=True)
class DataStep:
    """One step of the path.

    kind: revision, time or new.
    label: what changed, in words.
    rows: the changes of rows made in this step.
    data: the data after it.
    """

    kind: Kind
    label: str
    rows: tuple[RowChange, ...]
    data: Data


@dataclass(frozen=True, slots=True)
class DataSteps:
    """The path between two sets of data.

    steps: in order; after the last the data are the new data themselves.
    unread: changes of rows that no model reads; they are in no step.
    """

    steps: tuple[DataStep, ...]
    unread: tuple[RowChange, ...]


def data_steps(old: Data, new: Data, max_steps: int = MAX_STEPS) -> DataSteps:
    """Split the difference of two sets of data into about `max_steps` steps at most.

    Scales and questions, which are no rows, are those of `new` from the start.
    """
    changes = [c for c in diff_data(old, new).rows if c.meaning]
    unread = tuple(c for c in changes if not _is_read(c))
    revised, added = _split_revisions(old, [c for c in changes if _is_read(c)])
    steps: tuple[DataStep, ...] = ()
    for listed in LISTED_INDIVIDUALLY:
        steps = _steps(old, new, list(_groups(revised, listed)), list(_groups(added, listed)))
        if len(steps) <= max_steps:
            break
    return DataSteps(steps, unread)


def _steps(old: Data, new: Data, revised: Sequence[Group], added: Sequence[Group]) -> tuple[DataStep, ...]:
    partial = PartialData(replace(old, scales=new.scales, questions=new.questions, sources=new.sources))
    steps = [_step(partial, "revision", group, new) for group in revised]
    if clock(old) != clock(new):
        partial.coverage = dict(new.coverage)
        steps.append(DataStep("time", _time_label(old, new), (), partial.data()))
    partial.coverage = dict(new.coverage)
    steps += [_step(partial, "new", group, new) for group in added]
    if steps:
        steps[-1] = replace(steps[-1], data=new)
    return tuple(steps)


def _step(partial: PartialData, kind: Kind, group: Group, new: Data) -> DataStep:
    label, changes = group
    partial.apply(changes, new)
    return DataStep(kind, label, tuple(changes), partial.data())


def _time_label(old: Data, new: Data) -> str:
    a, b = origin(old), origin(new)
    if a == b:
        return f"claims read through {new.coverage[CLAIMS]}, before {old.coverage[CLAIMS]}"
    if a > b:
        return f"the origin goes back from {month_text(a)} to {month_text(b)}"
    return f"{month_text(b) if b == a + 1 else f'{month_text(a + 1)} to {month_text(b)}'} as if nothing had happened"


def _is_read(change: RowChange) -> bool:
    """Whether any model may read the row, as it was or as it is."""
    return change.table not in UNREAD and any(_counts(row) for row in (change.old, change.new) if row is not None)


def _counts(record: Record) -> bool:
    row: Any = record
    match record.file:
        case "overdose_releases.csv":
            return bool(row.indicator == "synthetic_opioids")
        case "overdose_final.csv":
            return "synthetic_opioids" in row.series
        case "polls.csv":
            return row.use == "yes" and row.wording not in ("other", "intelligence_or_training")
        case "calendar.csv":
            return bool(row.effect != "none")
        case "outcome_claims.csv":
            return bool(row.stance == "documented")
    return True


def _split_revisions(old: Data, changes: Sequence[RowChange]) -> tuple[list[RowChange], list[RowChange]]:
    """Changes of what the old data already covered, and the others."""
    covered = {("overdose_final", r.series, r.month) for r in old.overdose_final}
    covered |= {("overdose_releases", r.indicator, r.period_end) for r in old.overdose_releases}
    revised: list[RowChange] = []
    added: list[RowChange] = []
    for c in changes:
        (revised if _is_revision(c, covered, origin(old)) else added).append(c)
    return revised, added


def _is_revision(change: RowChange, covered: Collection[tuple[str, str, int]], old_origin: int) -> bool:
    row = change.row
    if change.what != "added":
        return not _has_ended_since(change, old_origin)
    match change.table:
        case "claims" | "readings" | "administrations":
            return row.start is None or row.start <= old_origin
        case "overdose_final":
            return (change.table, row.series, row.month) in covered
        case "overdose_releases":
            return (change.table, row.indicator, row.period_end) in covered
    return False


def _has_ended_since(change: RowChange, old_origin: int) -> bool:
    """Whether only later news changed an old event: the day on which a measure ended, or rows that are linked to it."""
    if change.table != "events" or change.new is None or not set(change.cells) <= {"until", "ends", "answers", "caused_by", "same_act_as"}:
        return False
    until = change.row.until
    return "until" not in change.cells or (until is not None and until.month > old_origin)


def _groups(changes: Sequence[RowChange], listed: int) -> Iterator[Group]:
    """Labelled groups of changes, in the order in which they are made; `listed`: how many records of a file may stand alone."""
    for table, group in _ORDER.items():
        if of_table := [c for c in changes if c.table == table]:
            yield from group(of_table, listed)


def _by_series(column: str, month: str) -> Callable[[Sequence[RowChange], int], Iterator[Group]]:
    """One group a series: rows without names of their own are never listed one by one."""

    def group(changes: Sequence[RowChange], listed: int) -> Iterator[Group]:
        for series in dict.fromkeys(getattr(c.row, column) for c in changes):
            of_series = [c for c in changes if getattr(c.row, column) == series]
            months = sorted(getattr(c.row, month) for c in of_series)
            span = month_text(months[0]) if months[0] == months[-1] else f"{month_text(months[0])} to {month_text(months[-1])}"
            yield f"{series.replace('_', ' ')}, {span} ({_rows(of_series)} of {changes[0].file})", of_series

    return group


def _records(changes: Sequence[RowChange], listed: int) -> Iterator[Group]:
    """One group a record, or all in one."""
    if len(changes) > listed:
        yield f"{_rows(changes)} of {changes[0].file}", list(changes)
        return
    for c in sorted(changes, key=lambda c: (_published(c), c.key)):
        yield _label([c]), [c]


def _polls(changes: Sequence[RowChange], listed: int) -> Iterator[Group]:
    if len(changes) <= listed:
        yield from _records(changes, listed)
        return
    for wording in dict.fromkeys(c.row.wording for c in changes):
        alike = [c for c in changes if c.row.wording == wording]
        yield f"polls, {wording.replace('_', ' ')} ({_rows(alike)} of polls.csv)", alike


def _events(changes: Sequence[RowChange], listed: int) -> Iterator[Group]:
    """Rows of one act together, and a measure with what ended it; causes before their effects; one group a family if there are many."""
    groups = _linked_events(changes)
    if len(groups) <= listed:
        yield from ((_label(group), group) for group in _causes_first(groups))
        return
    for family in FAMILIES:
        if of_family := [c for c in changes if c.row.family == family]:
            yield f"{FAMILIES[family]} ({_rows(of_family)} of events.csv, family {family})", of_family


def _linked_events(changes: Sequence[RowChange]) -> list[list[RowChange]]:
    """Groups of events that are one act, or a measure and what ended it; the newly added row, which names the group, comes first."""
    representative = linked_groups({c.key[0]: _names(c, "ends", "same_act_as") for c in changes})
    groups: dict[str, list[RowChange]] = {}
    for c in sorted(changes, key=_age):
        groups.setdefault(representative[c.key[0]], []).append(c)
    return [sorted(group, key=lambda c: (c.what == "changed", _age(c))) for group in groups.values()]


def _causes_first(groups: Sequence[list[RowChange]]) -> list[list[RowChange]]:
    """Groups by publication, but none before those that caused it. Links that form a cycle are ignored."""
    home = {c.key[0]: i for i, group in enumerate(groups) for c in group}
    causes = {i: {home[n] for c in group for n in _names(c, "caused_by") if n in home} - {i} for i, group in enumerate(groups)}
    while True:
        sorter = TopologicalSorter(causes)
        try:
            sorter.prepare()
            break
        except CycleError as e:
            for cause, effect in pairwise(e.args[1]):
                causes[effect].discard(cause)
    ready: list[tuple[tuple[date, date, str], int]] = []
    order = []
    while sorter.is_active():
        for i in sorter.get_ready():
            heappush(ready, (min(_age(c) for c in groups[i]), i))
        i = heappop(ready)[1]
        order.append(groups[i])
        sorter.done(i)
    return order


def _names(change: RowChange, *columns: str) -> set[str]:
    """The ids that a row names in these columns, as it was or as it is."""
    return {name for row in (change.old, change.new) if row is not None for column in columns for name in getattr(row, column)}


def _age(change: RowChange) -> tuple[date, date, str]:
    return change.row.published.last, change.row.date.last, change.key[0]


def _published(change: RowChange) -> date:
    published = getattr(change.row, "published", None)
    return published.last if isinstance(published, PartialDate) else date.min


def _label(group: Sequence[RowChange]) -> str:
    first, *others = group
    removed = "removed: " if first.what == "removed" else ""
    cells = f", {', '.join(first.cells)} changed" if first.what == "changed" else ""
    also = f", with {', '.join(c.key[0] for c in others)}" if others else ""
    return f"{removed}{summarise_row(first.row)}{cells}{also}"


def _rows(changes: Sequence[RowChange]) -> str:
    return f"{len(changes)} row{'' if len(changes) == 1 else 's'}"


_ORDER: Final[dict[str, Callable[[Sequence[RowChange], int], Iterator[Group]]]] = {
    "administrations": _records,
    "overdose_final": _by_series("series", "month"),
    "overdose_releases": _by_series("indicator", "period_end"),
    "polls": _polls,
    "events": _events,
    "calendar": _records,
    "claims": _records,
    "readings": _records,
}
"""Tables that a model reads, in the order in which their changes are made: rows before those that name them."""
