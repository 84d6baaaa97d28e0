"""The comparable states as they stand in the record, one row each, and how often they reached level 4: counted, nothing fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.data.records import Spell
from forecast.model.outside_view_data import SELECTIONS, Transitions
from forecast.priors.distributions import Gamma

CLASSES = ("all_but_failed", "drug_cases", "like_mexico")


@dataclass(frozen=True, slots=True)
class Comparable:
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
class Rate:
    """Entries of level 4 or 5 in the years a class spent below it, with pressure open or not, and the rate a year: 5, 50 and 95 %."""

    of: str
    pressed: bool
    entries: int
    years: float
    q05: float
    q50: float
    q95: float


def comparable_states(spells: Sequence[Spell], transitions: Transitions) -> tuple[Comparable, ...]:
    """All states of the spells, by name; a state may have no month in which it could have moved."""
    t = transitions
    chosen = {name: SELECTIONS[name](t) for name in CLASSES}
    out = []
    for name in sorted({s.country for s in spells}):
        own = [s for s in spells if s.country == name]
        rows = t.of([name])
        levels = [s.level for s in own]
        out.append(
            Comparable(
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


def entry_rates(transitions: Transitions, names: Sequence[str] = CLASSES) -> tuple[Rate, ...]:
    """Rates a year of entering level 4 or 5 by class, without and with pressure of the same year: Gamma(n + ½, years), after Jeffreys."""
    t = transitions
    out = []
    for name in names:
        for pressed in (False, True):
            rows = SELECTIONS[name](t) & (t.level < 4) & (t.pressed_same == pressed)
            n, years = _count(rows & t.entries), _count(rows) / 12
            q05, q50, q95 = map(float, Gamma(n + 0.5, max(years, 1e-6)).quantile([0.05, 0.5, 0.95]))
            out.append(Rate(name, pressed, n, years, q05, q50, q95))
    return tuple(out)


def _count(which: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(which))
