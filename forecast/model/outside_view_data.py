"""The record of other states, month by month: the transitions that the outside view is fitted to, and how often level 4 was reached.

A row is a month t whose level y_t and the level y_{t−1} before it are both known. Left out are: the month in which an imposed spell begins
(the state did not tolerate a level that was forced on it), the month after a gap, and Mexico from 2006 on (that is model 5's likelihood).
Later months of an imposed spell count like any other, and so does the month that ends it, because then the state could choose.
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
"""Kinds that are an open US request or threat. Decertification is a yearly verdict; an invitation is the host's own wish."""

FAILED: Final = frozenset({"Iraq", "Syria", "Afghanistan", "Somalia"})
MIDDLE_INCOME: Final = frozenset({"lower_middle", "upper_middle"})
MEXICO: Final = "Mexico"


@dataclass(frozen=True, slots=True)
class Transitions:
    """Arrays of one length, a row for each month in which a state could have moved.

    states            names of the states
    state             index into `states`
    month             t, as domain.Month
    level             y_{t−1}
    to                y_t
    just_risen             y_{t−1} > y_{t−2}
    pressed_same      an open US request or threat in the year of t
    pressed_previous  likewise in the year before
    drug_case         the spell of t − 1 is about drugs, or about drugs and terror
    competitive       elections are competitive
    middle_income     the state has a middle income
    capable_army      the state has a capable army
    """

    states: tuple[str, ...]
    state: Ints
    month: Ints
    level: Ints
    to: Ints
    just_risen: Bools
    pressed_same: Bools
    pressed_previous: Bools
    drug_case: Bools
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

    Select by date before. `names` fixes the list of states, so that selections at several dates have one shape; ValueError if a state of
    the spells is not in it.
    """
    known = {s.country for s in spells}
    listed = tuple(sorted(known) if names is None else names)
    if missing := known - set(listed):
        raise ValueError(f"states without a place in the list: {', '.join(sorted(missing))}")
    pressed = {(p.country, year) for p in pressure if p.kind in OPEN_PRESSURE for year in range(p.year_start, p.year_end + 1)}
    what = {(s.country, year): s for s in states for year in range(s.year_start, s.year_end + 1)}
    rows = [row for name in listed for row in _rows(name, _timeline(name, spells))]
    at = [(listed.index(name), name, t, before, now, just_risen) for name, t, before, now, just_risen in rows]

    def like(test: Callable[[State], bool]) -> Bools:
        return np.array([(n, t // 12) in what and test(what[n, t // 12]) for _, n, t, *_ in at], dtype=bool)

    return Transitions(
        states=listed,
        state=np.array([i for i, *_ in at], dtype=np.int64),
        month=np.array([t for _, _, t, *_ in at], dtype=np.int64),
        level=np.array([before.level for *_, before, _, _ in at], dtype=np.int64),
        to=np.array([now.level for *_, now, _ in at], dtype=np.int64),
        just_risen=np.array([just_risen for *_, just_risen in at], dtype=bool),
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
    """Numbers of months and of skips.

    states            names of the states
    rise, stay, fall  months with a rise, no change, a fall: dims (state, level, pressure no/yes, just risen no/yes)
    went_up           [4] rises that reached level 1..4 and went on
    stopped_up        [4] rises that reached level 1..4 and stopped there
    went_down         [4] falls, likewise
    stopped_down      [4] falls, likewise
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
    """Count the selected months in the cells of the likelihood; a state without a selected month has zeros."""
    t = transitions
    cell = (t.state, t.level, t.pressed(pressure).astype(int), t.just_risen.astype(int))
    shape = (len(t.states), TOP + 1, 2, 2)

    def cells(which: Bools) -> Ints:
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
        rise=cells(up),
        stay=cells(selected & (t.to == t.level)),
        fall=cells(down),
        went_up=went_up.sum(axis=1),
        stopped_up=(reached_up & ~went_up).sum(axis=1),
        went_down=went_down.sum(axis=1),
        stopped_down=(reached_down & ~went_down).sum(axis=1),
    )


@dataclass(frozen=True, slots=True)
class HighLevelEntry:
    """A rise of a comparable state from below level 4 to level 4 or 5.

    state             name of the state
    month             of the rise, as domain.Month
    before, after     the two levels
    pressed_same      an open US request or threat in that year
    pressed_previous  likewise in the year before
    months            months at level 4 or 5 from then on, as far as is known
    """

    state: str
    month: int
    before: int
    after: int
    pressed_same: bool
    pressed_previous: bool
    months: int


def list_entries(transitions: Transitions) -> tuple[HighLevelEntry, ...]:
    """All rises to level 4 or 5, by month."""
    t = transitions
    entries = []
    for i in np.flatnonzero(t.entries):
        later = (t.state == t.state[i]) & (t.month > t.month[i])
        up = later & (t.level >= 4) & (t.to >= 4)
        left = t.month[later & ~up]
        months = 1 + np.count_nonzero(up & (t.month < (left.min() if left.size else np.inf)))
        entries.append(
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
    return tuple(sorted(entries, key=lambda e: (e.month, e.state)))


CLASSES = ("all_but_failed", "drug_cases", "like_mexico")


@dataclass(frozen=True, slots=True)
class ComparableState:
    """A state of the record.

    name     its name
    spells   number of spells
    imposed  number of imposed ones among them
    months   months in which it could have moved
    level    lowest and highest level
    rises    months with a rise
    falls    months with a fall
    entries  rises from below level 4 to 4 or 5
    classes  class → months that count in it
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
    """How often a class of states rose to level 4 or 5.

    of             the class
    pressed        under open pressure, or without
    entries        number of such rises
    years          years spent below level 4
    q05, q50, q95  quantiles of the rate a year
    """

    of: str
    pressed: bool
    entries: int
    years: float
    q05: float
    q50: float
    q95: float


def comparable_states(spells: Sequence[Spell], transitions: Transitions) -> tuple[ComparableState, ...]:
    """All states of the spells, by name; some have no month in which they could have moved."""
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
