"""What other states did, month by month: the transitions that the outside view is fitted to.

A row is a month t whose level y_t and whose month before y_{t−1} are both known. Not rows: the month in which an imposed spell begins
(a level forced on a state was not tolerated by it), the month after a gap, and Mexico from 2006 on (that is the likelihood of model 5).
Later months of an imposed spell are exposure like any other, and so is the month that leaves one: what the state did once it could choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forecast.data.records import ReferencePressure, Spell, State
from forecast.domain import FIRST_MONTH, TOP
from forecast.priors.distributions import Gamma
from forecast.typing import Bools, Ints

PressureYear = Literal["same", "previous", "none"]

OPEN_PRESSURE: Final = frozenset({"request", "threat"})
"""Kinds that are an open US request or threat. Decertification is a yearly verdict, and a host's invitation is the host's own wish."""

FAILED: Final = frozenset({"Iraq", "Syria", "Afghanistan", "Somalia"})
MIDDLE_INCOME: Final = frozenset({"lower_middle", "upper_middle"})
MEXICO: Final = "Mexico"


@dataclass(frozen=True, slots=True)
class Transitions:
    """One row a month in which a state could have moved; arrays of one length, `states` names what `state` indexes."""

    states: tuple[str, ...]
    state: Ints
    month: Ints  # t, as domain.Month
    level: Ints  # y_{t−1}
    to: Ints  # y_t
    fresh: Bools  # y_{t−1} > y_{t−2}
    pressed_same: Bools  # an open US request or threat in the year of t
    pressed_previous: Bools  # in the year before
    drug_case: Bools  # the spell left is about drugs, or about drugs and terror
    competitive: Bools
    middle_income: Bools
    capable_army: Bools

    @property
    def entries(self) -> Bools:
        """Rises from below level 4 to 4 or 5."""
        return (self.level < 4) & (self.to >= 4)

    def pressed(self, year: PressureYear) -> Bools:
        """Months under pressure as coded for their own year, for the year before, or never."""
        if year == "none":
            return np.zeros_like(self.pressed_same)
        return self.pressed_same if year == "same" else self.pressed_previous

    def of(self, names: Iterable[str]) -> Bools:
        """Rows of the named states."""
        return np.isin(self.state, [self.states.index(n) for n in names if n in self.states])


SELECTIONS: Final[Mapping[str, Callable[[Transitions], Bools]]] = {
    "all": lambda t: np.ones(t.state.size, dtype=bool),
    "all_but_failed": lambda t: ~t.of(FAILED),
    "drug_cases": lambda t: t.drug_case,
    "without_drug_cases": lambda t: ~t.drug_case,
    "like_mexico": lambda t: t.competitive & t.middle_income & t.capable_army,
}
"""The classes of comparable months, by name."""


def list_transitions(
    spells: Sequence[Spell],
    states: Sequence[State],
    pressure: Sequence[ReferencePressure],
    *,
    names: Sequence[str] | None = None,
) -> Transitions:
    """Lay the spells out by month and list every month that could have been a transition.

    The rows given are taken as known: what was public at a date is selected before. `names` fixes the list of states (those of the spells
    and any more), so that what was known at several dates has one shape. ValueError if a spell's state is not in it.
    """
    known = {s.country for s in spells}
    listed = tuple(sorted(known) if names is None else names)
    if missing := known - set(listed):
        raise ValueError(f"states without a place in the list: {', '.join(sorted(missing))}")
    pressed = {(p.country, year) for p in pressure if p.kind in OPEN_PRESSURE for year in range(p.year_start, p.year_end + 1)}
    what = {(s.country, year): s for s in states for year in range(s.year_start, s.year_end + 1)}
    rows = [row for name in listed for row in _rows(name, _timeline(name, spells))]
    at = [(listed.index(name), name, t, before, now, fresh) for name, t, before, now, fresh in rows]

    def like(test: Callable[[State], bool]) -> Bools:
        return np.array([(n, t // 12) in what and test(what[n, t // 12]) for _, n, t, *_ in at], dtype=bool)

    return Transitions(
        states=listed,
        state=np.array([i for i, *_ in at], dtype=np.int64),
        month=np.array([t for _, _, t, *_ in at], dtype=np.int64),
        level=np.array([before.level for *_, before, _, _ in at], dtype=np.int64),
        to=np.array([now.level for *_, now, _ in at], dtype=np.int64),
        fresh=np.array([fresh for *_, fresh in at], dtype=bool),
        pressed_same=np.array([(n, t // 12) in pressed for _, n, t, *_ in at], dtype=bool),
        pressed_previous=np.array([(n, t // 12 - 1) in pressed for _, n, t, *_ in at], dtype=bool),
        drug_case=np.array([before.drug_case != "CT" for *_, before, _, _ in at], dtype=bool),
        competitive=like(lambda s: s.competitive_elections == 1),
        middle_income=like(lambda s: s.income in MIDDLE_INCOME),
        capable_army=like(lambda s: s.capable_army == 1),
    )


def _timeline(name: str, spells: Sequence[Spell]) -> dict[int, Spell]:
    months = {t: s for s in spells if s.country == name for t in range(s.start, s.end + 1)}
    return {t: s for t, s in months.items() if t < FIRST_MONTH} if name == MEXICO else months


def _rows(name: str, timeline: Mapping[int, Spell]) -> Iterable[tuple[str, int, Spell, Spell, bool]]:
    for t in sorted(timeline):
        if t - 1 not in timeline:
            continue
        before, now = timeline[t - 1], timeline[t]
        if now is not before and now.imposed == "yes":
            continue
        yield name, t, before, now, t - 2 in timeline and timeline[t - 2].level < before.level


@dataclass(frozen=True, slots=True)
class TransitionCounts:
    """Months by what happened in them, dims (state, level, pressure no/yes, fresh no/yes), and skips by level.

    `went_up[i − 1]`, `stopped_up[i − 1]`: of the rises that reached level i of 1..4 those that went on, those that stopped; likewise down.
    """

    states: tuple[str, ...]
    rise: Ints
    stay: Ints
    fall: Ints
    went_up: Ints
    stopped_up: Ints
    went_down: Ints
    stopped_down: Ints


def count_transitions(transitions: Transitions, selected: Bools, pressure: PressureYear) -> TransitionCounts:
    """Aggregate the selected months to the cells that the likelihood needs; a state without a selected month has zeroes."""
    t = transitions
    cell = (t.state, t.level, t.pressed(pressure).astype(int), t.fresh.astype(int))
    shape = (len(t.states), TOP + 1, 2, 2)

    def tally(which: Bools) -> Ints:
        out = np.zeros(shape, dtype=np.int64)
        np.add.at(out, tuple(index[which] for index in cell), 1)
        return out

    up, down = selected & (t.to > t.level), selected & (t.to < t.level)
    middle = np.arange(1, TOP)[:, None]
    reached_up = (t.level[up] < middle) & (middle <= t.to[up])
    reached_down = (t.to[down] <= middle) & (middle < t.level[down])
    went_up, went_down = reached_up & (middle < t.to[up]), reached_down & (middle > t.to[down])
    return TransitionCounts(
        states=t.states,
        rise=tally(up),
        stay=tally(selected & (t.to == t.level)),
        fall=tally(down),
        went_up=went_up.sum(axis=1),
        stopped_up=(reached_up & ~went_up).sum(axis=1),
        went_down=went_down.sum(axis=1),
        stopped_down=(reached_down & ~went_down).sum(axis=1),
    )


@dataclass(frozen=True, slots=True)
class HighLevelEntry:
    """A rise of a comparable state from below level 4 to 4 or 5, with what is said of pressure then, and how long it stayed there."""

    state: str
    month: int  # domain.Month
    before: int
    after: int
    pressed_same: bool
    pressed_previous: bool
    months: int  # at level 4 or 5, as far as is known


def list_entries(transitions: Transitions) -> tuple[HighLevelEntry, ...]:
    """All entries of level 4 or 5, by month."""
    t = transitions
    found = []
    for i in np.flatnonzero(t.entries):
        later = (t.state == t.state[i]) & (t.month > t.month[i])
        up = later & (t.level >= 4) & (t.to >= 4)
        left = t.month[later & ~up]
        months = 1 + np.count_nonzero(up & (t.month < (left.min() if left.size else np.inf)))
        found.append(
            HighLevelEntry(
                state=t.states[t.state[i]],
                month=int(t.month[i]),
                before=int(t.level[i]),
                after=int(t.to[i]),
                pressed_same=bool(t.pressed_same[i]),
                pressed_previous=bool(t.pressed_previous[i]),
                months=int(months),
            )
        )
    return tuple(sorted(found, key=lambda e: (e.month, e.state)))


CLASSES = ("all_but_failed", "drug_cases", "like_mexico")


@dataclass(frozen=True, slots=True)
class ComparableState:
    """A state of the record: its spells (imposed among them), the months in which it could have moved, what it did, and where it counts.

    months: of transitions; level: lowest and highest; classes: months that count in each class.
    """

    name: str
    spells: int
    imposed: int
    months: int
    level: tuple[int, int]
    rises: int
    falls: int
    entries: int
    classes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class EntryRate:
    """Entries of level 4 or 5 in the years a class spent below it, with pressure open or not, and the rate a year: 5, 50 and 95 %."""

    of: str
    pressed: bool
    entries: int
    years: float
    q05: float
    q50: float
    q95: float


def comparable_states(spells: Sequence[Spell], transitions: Transitions) -> tuple[ComparableState, ...]:
    """All states of the spells, by name; a state may have no month in which it could have moved."""
    t = transitions
    chosen = {name: SELECTIONS[name](t) for name in CLASSES}
    out = []
    for name in sorted({s.country for s in spells}):
        own = [s for s in spells if s.country == name]
        rows = t.of([name])
        levels = [s.level for s in own]
        out.append(
            ComparableState(
                name,
                len(own),
                sum(s.imposed == "yes" for s in own),
                int(rows.sum()),
                (min(levels), max(levels)),
                _count(rows & (t.to > t.level)),
                _count(rows & (t.to < t.level)),
                _count(rows & t.entries),
                {c: _count(rows & selected) for c, selected in chosen.items()},
            )
        )
    return tuple(out)


def entry_rates(transitions: Transitions, names: Sequence[str] = CLASSES) -> tuple[EntryRate, ...]:
    """Rates a year of entering level 4 or 5 by class, without and with pressure of the same year: Gamma(n + ½, years), after Jeffreys."""
    t = transitions
    out = []
    for name in names:
        for pressed in (False, True):
            rows = SELECTIONS[name](t) & (t.level < 4) & (t.pressed_same == pressed)
            n, years = _count(rows & t.entries), _count(rows) / 12
            q05, q50, q95 = map(float, Gamma(n + 0.5, max(years, 1e-6)).quantile([0.05, 0.5, 0.95]))
            out.append(EntryRate(name, pressed, n, years, q05, q50, q95))
    return tuple(out)


def _count(which: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(which))
