"""A difference of two forecasts as a sum of parts: one a step between the states whose forecasts are known, and what remains.

The states between are forecast by one set of draws, so Monte Carlo noise cancels in the difference of two of them. What remains of the
whole difference is noise, whose standard error is known; more than that is unexplained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

type Values = Mapping[str, float]
"""Question id → a probability, a difference of two, or a standard error."""

ALARM_Z: Final = 4.0
"""A remainder of more than this many of its standard errors is unexplained."""
NEGLIGIBLE: Final = 2e-4
"""A remainder below a fiftieth of a percentage point is never called unexplained."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What the steps from state `first` to state `last`, mostly one, add to each probability.

    joint: the draws carry only one of the two states; for the other stands the number that the other run published, so that this part
    holds the Monte Carlo noise of both runs.
    """

    first: int
    last: int
    values: Values
    joint: bool


@dataclass(frozen=True, slots=True)
class SequentialAttribution:
    """Contributions from state 0 to the last state, and the remainder: after − before − their sum, by question of both forecasts."""

    contributions: tuple[Contribution, ...]
    remainder: Values


def attribute_sequentially(
    before: Values, after: Values, carried: Mapping[int, Values], last: int, same_model: bool = True
) -> SequentialAttribution:
    """Split after − before over the states 0 (the inputs of the first forecast) to `last` (those of the second).

    carried: number of a state → its forecast, for all states that one set of draws can carry, state 0 or the last among them. A state
    between that is missing makes its two steps one part. Where state 0 or the last is missing, the steps up to the nearest carried state
    are one joint part. same_model: False if another model made the first forecast, which is then in a joint part, even with state 0.
    """
    ids = [q for q in before if q in after]
    numbers = sorted(carried)
    first, end = numbers[0], numbers[-1]
    parts = []
    if first > 0 or not same_model:
        parts.append(Contribution(0, first, _differences(ids, before, carried[first]), joint=True))
    parts += [Contribution(i, j, _differences(ids, carried[i], carried[j]), joint=False) for i, j in pairwise(numbers)]
    if end < last:
        parts.append(Contribution(end, last, _differences(ids, carried[end], after), joint=True))
    return SequentialAttribution(tuple(parts), {q: after[q] - before[q] - sum(part.values[q] for part in parts) for q in ids})


def _differences(ids: Sequence[str], start: Values, end: Values) -> Values:
    return {q: end[q] - start[q] for q in ids}


def unexplained(remainder: Values, se: Values) -> tuple[str, ...]:
    """The questions whose remainder exceeds ALARM_Z standard errors, and NEGLIGIBLE; the worst first."""
    excess = {q: abs(x) / max(ALARM_Z * se[q], NEGLIGIBLE) for q, x in remainder.items()}
    return tuple(sorted((q for q in excess if excess[q] > 1), key=lambda q: -excess[q]))


def in_quadrature(*errors: Values) -> dict[str, float]:
    """The standard error of a sum of independent terms, by question of all of them."""
    first, *others = errors
    return {q: math.hypot(*(e[q] for e in errors)) for q in first if all(q in e for e in others)}


def rounded_parts(parts: Sequence[float], digits: int = 2) -> tuple[list[float], float]:
    """The parts and their sum, rounded to so many digits after the point so that the rounded parts add up to the rounded sum.

    By largest remainder: each part is rounded down, and the units that are missing go to the parts that lost most. So no part is off by
    a whole unit. parts: in the unit that is printed, such as percentage points.
    """
    unit = 10.0**-digits
    scaled = [part / unit for part in parts]
    whole = [math.floor(x) for x in scaled]
    total = round(math.fsum(scaled))
    by_remainder = sorted(range(len(parts)), key=lambda i: whole[i] - scaled[i])
    for i in by_remainder[: total - sum(whole)]:
        whole[i] += 1
    return [round(x * unit, digits) for x in whole], round(total * unit, digits)
