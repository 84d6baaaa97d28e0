"""A difference of two forecasts as a sum of parts: the forecasts of a chain of states between them, subtracted one from the next.

The draws of the first forecast tell the states near it, those of the last the states near that; a part is the difference of two states told
by the same draws, so that what the draws got wrong by chance cancels. Where the draws change hands, one state is told twice: the difference
is Monte Carlo noise. So the parts and the noise add up to the whole exactly, whatever the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

type Values = Mapping[str, float]
"""Question id → probability."""
type Teller = Callable[[int], Values | None]
"""What some draws say of the state with this number, None where they cannot tell. It may be asked again, and answers the same."""
type How = Literal["reweighted", "fitted"]


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from state `first` to state `last`, mostly one step: `values` is what it added to each probability.

    how: reweighted if both ends were told by the same draws, fitted if each by its own, so that the part holds their noise too.
    """

    first: int
    last: int
    values: Values
    how: How


@dataclass(frozen=True, slots=True)
class Told:
    """Legs from state 0 to the last, the noise that remains, and where the draws of the first forecast ended (the state told twice).

    `noise` is what legs do not explain: after − before − their sum.
    """

    legs: tuple[Leg, ...]
    noise: Values
    handed: int | None
    fits: int


def telescope(
    before: Values, after: Values, states: int, first: Teller, last: Teller, between: Callable[[int], Teller | None] | None = None
) -> Told:
    """The parts of after − before over a chain of states 0 (the first forecast's inputs) to `states` − 1 (the last's).

    first, last: the draws of the two forecasts, each of which tells at least its own state. between(i): new draws that tell state i, where
    neither of the two reaches; without them, or where it gives None, what lies between is one leg. Questions are those of both forecasts.
    """
    ids = [q for q in before if q in after]
    top = states - 1

    def own(teller: Teller, i: int) -> Values:
        found = teller(i)
        assert found is not None, "draws tell the state they were fitted to"
        return found

    def leg(a: int, b: int, start: Values, end: Values, how: How) -> Leg:
        return Leg(a, b, {q: end[q] - start[q] for q in ids}, how)

    legs: list[Leg] = []
    teller, i, fits = first, 0, 0
    handed: int | None = None
    while i < top:
        here = own(teller, i)
        if (there := teller(i + 1)) is not None:
            legs.append(leg(i, i + 1, here, there, "reweighted"))
            i += 1
            continue
        reach = top  # the earliest state that the last draws tell, with all after it
        while reach > i and last(reach - 1) is not None:
            reach -= 1
        if reach == i:
            teller, handed = last, i
            continue
        fresh = between(i + 1) if between is not None and reach > i + 1 else None
        if fresh is None:
            legs.append(leg(i, reach, here, own(last, reach), "fitted"))
            teller, i = last, reach
            continue
        fits += 1
        if (again := fresh(i)) is not None:
            legs.append(leg(i, i + 1, again, own(fresh, i + 1), "reweighted"))
        else:
            legs.append(leg(i, i + 1, here, own(fresh, i + 1), "fitted"))
        teller, i = fresh, i + 1
    if teller is not last:
        handed = top
    noise = {q: after[q] - before[q] - sum(part.values[q] for part in legs) for q in ids}
    return Told(tuple(legs), noise, handed, fits)
