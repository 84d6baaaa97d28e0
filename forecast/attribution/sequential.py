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
type StateForecaster = Callable[[int], Values | None]
"""What some draws say of the state with this number, None where they cannot tell. It may be asked again, and answers the same."""
type How = Literal["reweighted", "fitted"]


@dataclass(frozen=True, slots=True)
class Contribution[T: StateForecaster]:
    """The way from state `first` to state `last`, mostly one step: `values` is what it added to each probability.

    told: by which draws the two ends were told.
    """

    first: int
    last: int
    values: Values
    told: tuple[T, T]

    @property
    def how(self) -> How:
        """Reweighted if the same draws told both ends, fitted if each its own, so that the part holds their noise too."""
        return "reweighted" if self.told[0] is self.told[1] else "fitted"


@dataclass(frozen=True, slots=True)
class Attribution[T: StateForecaster]:
    """Legs from state 0 to the last, the noise that remains, and where the draws of the first forecast ended (the state told twice).

    `noise` is what legs do not explain: after − before − their sum.
    """

    legs: tuple[Contribution[T], ...]
    noise: Values
    handed: int | None
    fits: int


def attribute_sequentially[T: StateForecaster](
    before: Values, after: Values, states: int, first: T, last: T, between: Callable[[int], T | None] | None = None
) -> Attribution[T]:
    """The parts of after − before over a chain of states 0 (the first forecast's inputs) to `states` − 1 (the last's).

    first, last: the draws of the two forecasts, each of which tells at least its own state. between(i): new draws that tell state i, where
    neither of the two reaches; without them, or where it gives None, what lies between is one leg. Questions are those of both forecasts.
    If the last forecast is made of the draws of the first, `first` and `last` are the same.
    """
    ids = [q for q in before if q in after]
    top = states - 1

    def own(teller: T, i: int) -> Values:
        found = teller(i)
        assert found is not None, "draws tell the state they were fitted to"
        return found

    def leg(a: int, b: int, by: T, other: T) -> Contribution[T]:
        start, end = own(by, a), own(other, b)
        return Contribution(a, b, {q: end[q] - start[q] for q in ids}, (by, other))

    legs: list[Contribution[T]] = []
    teller, i, fits = first, 0, 0
    handed: int | None = None
    while i < top:
        if teller(i + 1) is not None:
            legs.append(leg(i, i + 1, teller, teller))
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
            legs.append(leg(i, reach, teller, last))
            teller, i = last, reach
            continue
        fits += 1
        legs.append(leg(i, i + 1, teller if fresh(i) is None else fresh, fresh))
        teller, i = fresh, i + 1
    if teller is not last:
        handed = top
    noise = {q: after[q] - before[q] - sum(part.values[q] for part in legs) for q in ids}
    return Attribution(tuple(legs), noise, handed, fits)
