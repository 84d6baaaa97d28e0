"""The benchmarks' own arithmetic: exponents of growth, and ratios against those recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

SLACK = 1.25
"""How much worse a ratio may be than the recorded one."""
LINEAR = 1.1
"""The largest exponent that counts as linear: timings are not exact."""


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """p of seconds ~ size^p, between the two largest sizes: among small ones a fixed cost would hide the growth."""
    if len(sizes) != len(seconds) or len(sizes) < 2 or min(*sizes, *seconds) <= 0 or sizes[-1] <= sizes[-2]:
        raise ValueError("an exponent needs at least two growing sizes, each with a time above zero")
    return math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2])


def worse(recorded: Mapping[str, Mapping[str, float]], measured: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What is worse than recorded, in words: of each row and quantity, a ratio more than a quarter above the recorded one.

    A row that only one side has is no offence here: `unmatched` names it.
    """
    return [
        f"{row}: {quantity} is {now[quantity]:.3g}, recorded {was:.3g}"
        for row, now in measured.items()
        for quantity, was in recorded.get(row, {}).items()
        if quantity in now and not now[quantity] <= SLACK * was  # written so that NaN fails
    ]


def unmatched(recorded: Mapping[str, Mapping[str, float]], measured: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Rows and quantities that were measured but never recorded: nothing watches them until `--record`."""
    return [f"{row}: {quantity}" for row, now in measured.items() for quantity in now if quantity not in recorded.get(row, {})]
