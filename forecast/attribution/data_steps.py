"""The way from one set of data to another in small steps, in a fixed order: what was revised, then time passing, then what is new.

Revised is what the old data spoke of already: rows changed or gone, a further vintage of a month they had, an earlier month coded anew.
New is the rest: further months, records, claims about months after the old origin. Every step leaves data that a forecast can be made of:
references to rows that are not there yet are left out, and a month that no claim covers yet has the level of the month before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from forecast.attribution.event_links import in_order, linked
from forecast.attribution.partial_data import CLAIMS, PartialData, clock
from forecast.data.diff import RowChange, compare
from forecast.data.records import Record
from forecast.data.row_summary import brief
from forecast.data.tables import Data, origin
from forecast.domain import PartialDate, month_text

type Kind = Literal["revision", "time", "new"]

UNREAD: Final = frozenset({"indicators", "spells", "states", "pressure", "stakes", "coding_second"})
"""Tables that no model reads after the priors are written: checks, context, and the states that the outside view was fitted to."""

MAX_STEPS: Final = 30
LISTED_INDIVIDUALLY: Final = (12, 6, 3, 0)
"""So many records of one file are told one by one; of more, whole series. The first that keeps the way short enough is taken."""


type Group = tuple[str, list[RowChange]]
"""Changes that are made in one step, and its label."""


@dataclass(frozen=True, slots=True)
class DataStep:
    """What changed in a step, in words, the rows, and the data after it."""

    kind: Kind
    label: str
    rows: tuple[RowChange, ...]
    data: Data


@dataclass(frozen=True, slots=True)
class DataSteps:
    """The steps, and the changes that no model reads, which are in none of them."""

    steps: tuple[DataStep, ...]
    unread: tuple[RowChange, ...]


def data_steps(old: Data, new: Data, most: int = MAX_STEPS) -> DataSteps:
    """From the old data to the new in at most about `most` steps; after the last the data are `new` itself.

    What is no row, scales and questions, is `new`'s from the start.
    """
    changes = [c for c in compare(old, new).rows if c.meaning]
    unread = tuple(c for c in changes if not _read(c))
    past, fresh = _sorted(old, [c for c in changes if _read(c)])
    steps: tuple[DataStep, ...] = ()
    for few in LISTED_INDIVIDUALLY:
        steps = _steps(old, new, list(_grouped(past, few)), list(_grouped(fresh, few)))
        if len(steps) <= most:
            break
    return DataSteps(steps, unread)


def _steps(old: Data, new: Data, past: Sequence[Group], fresh: Sequence[Group]) -> tuple[DataStep, ...]:
    start = replace(old, scales=new.scales, questions=new.questions, sources=new.sources)
    draft = PartialData(start)
    steps = [_taken(draft, "revision", group, new) for group in past]
    if clock(old) != clock(new):
        draft.coverage = dict(new.coverage)
        steps.append(DataStep("time", _passing(old, new), (), draft.data()))
    draft.coverage = dict(new.coverage)
    steps += [_taken(draft, "new", group, new) for group in fresh]
    if steps:
        steps[-1] = replace(steps[-1], data=new)
    return tuple(steps)


def _taken(draft: PartialData, kind: Kind, group: Group, new: Data) -> DataStep:
    label, changes = group
    draft.take(changes, new)
    return DataStep(kind, label, tuple(changes), draft.data())


def _passing(old: Data, new: Data) -> str:
    a, b = origin(old), origin(new)
    if a == b:
        return f"claims read through {new.coverage[CLAIMS]}, before {old.coverage[CLAIMS]}"
    if a > b:
        return f"the origin goes back from {month_text(a)} to {month_text(b)}"
    return f"{month_text(b) if b == a + 1 else f'{month_text(a + 1)} to {month_text(b)}'} as if nothing had happened"


def _read(change: RowChange) -> bool:
    """Whether any model may read the row, as it was or as it is."""
    return change.table not in UNREAD and any(_counts(row) for row in (change.old, change.new) if row is not None)


def _counts(row: Record) -> bool:
    found: Any = row
    match row.file:
        case "overdose_releases.csv":
            return bool(found.indicator == "synthetic_opioids")
        case "overdose_final.csv":
            return "synthetic_opioids" in found.series
        case "polls.csv":
            return found.use == "yes" and found.wording not in ("other", "intelligence_or_training")
        case "calendar.csv":
            return bool(found.effect != "none")
        case "outcome_claims.csv":
            return bool(found.stance == "documented")
    return True


def _sorted(old: Data, changes: Sequence[RowChange]) -> tuple[list[RowChange], list[RowChange]]:
    """Those about something that the old data spoke of already, and the others."""
    before = origin(old)
    spoken = {("overdose_final", r.series, r.month) for r in old.overdose_final}
    spoken |= {("overdose_releases", r.indicator, r.period_end) for r in old.overdose_releases}
    past: list[RowChange] = []
    fresh: list[RowChange] = []
    for c in changes:
        (past if _revises(c, spoken, before) else fresh).append(c)
    return past, fresh


def _revises(change: RowChange, spoken: Collection[tuple[str, str, int]], before: int) -> bool:
    row = change.row
    if change.what != "added":
        return not _has_ended_since(change, before)
    match change.table:
        case "claims" | "readings" | "administrations":
            return row.start is None or row.start <= before
        case "overdose_final":
            return (change.table, row.series, row.month) in spoken
        case "overdose_releases":
            return (change.table, row.indicator, row.period_end) in spoken
    return False


def _has_ended_since(change: RowChange, before: int) -> bool:
    """An old event of which only what came after the old origin is news: the day a measure ended, rows that are linked to it."""
    if change.table != "events" or change.new is None or not set(change.cells) <= {"until", "ends", "answers", "caused_by", "same_act_as"}:
        return False
    until = change.row.until
    return "until" not in change.cells or (until is not None and until.month > before)


def _grouped(changes: Sequence[RowChange], few: int) -> Iterator[Group]:
    """Labelled groups of changes, in the order in which they are made."""
    by_table = {name: [c for c in changes if c.table == name] for name in _ORDER}
    for name, told in _ORDER.items():
        if some := by_table[name]:
            yield from told(some, few)


def _series(column: str, month: str) -> Callable[[Sequence[RowChange], int], Iterator[Group]]:
    """A group a series; what has no names of its own is never told row by row."""

    def told(changes: Sequence[RowChange], few: int) -> Iterator[Group]:
        for series in dict.fromkeys(getattr(c.row, column) for c in changes):
            some = [c for c in changes if getattr(c.row, column) == series]
            months = sorted(getattr(c.row, month) for c in some)
            span = month_text(months[0]) if months[0] == months[-1] else f"{month_text(months[0])} to {month_text(months[-1])}"
            yield f"{series.replace('_', ' ')}, {span} ({_many(some)} of {some[0].file})", some

    return told


def _records(changes: Sequence[RowChange], few: int) -> Iterator[Group]:
    """A record each, or all in one."""
    if len(changes) > few:
        yield f"{_many(changes)} of {changes[0].file}", list(changes)
        return
    for c in sorted(changes, key=lambda c: (_published(c), c.key)):
        yield _told([c]), [c]


def _events(changes: Sequence[RowChange], few: int) -> Iterator[Group]:
    """Rows of one act, and a measure with what ended it, together; causes before what they caused; families if there are many."""
    groups = linked(changes)
    if len(groups) <= few:
        yield from ((_told(group), group) for group in in_order(groups))
        return
    for family in "ABCD":
        if some := [c for c in changes if c.row.family == family]:
            yield f"{FAMILIES[family]} ({_many(some)} of events.csv, family {family})", some


def _polls(changes: Sequence[RowChange], few: int) -> Iterator[Group]:
    if len(changes) <= few:
        yield from _records(changes, few)
        return
    for wording in dict.fromkeys(c.row.wording for c in changes):
        some = [c for c in changes if c.row.wording == wording]
        yield f"polls, {wording.replace('_', ' ')} ({_many(some)} of polls.csv)", some


FAMILIES: Final = {"A": "what Mexico granted or refused", "B": "pressure", "C": "opposition", "D": "context"}

_ORDER: Final[dict[str, Callable[[Sequence[RowChange], int], Iterator[Group]]]] = {
    "administrations": _records,
    "overdose_final": _series("series", "month"),
    "overdose_releases": _series("indicator", "period_end"),
    "polls": _polls,
    "events": _events,
    "calendar": _records,
    "claims": _records,
    "readings": _records,
}
"""Tables that a model reads, in the order in which their changes are made: rows before those that name them."""


def _told(group: Sequence[RowChange]) -> str:
    first, *more = group
    gone = "no more: " if first.what == "removed" else ""
    cells = f", {', '.join(first.cells)} changed" if first.what == "changed" else ""
    also = f", with {', '.join(c.key[0] for c in more)}" if more else ""
    return f"{gone}{brief(first.row)}{cells}{also}"


def _many(changes: Sequence[RowChange]) -> str:
    return f"{len(changes)} row{'' if len(changes) == 1 else 's'}"


def _published(change: RowChange) -> date:
    found = getattr(change.row, "published", None)
    return found.last if isinstance(found, PartialDate) else date.min
