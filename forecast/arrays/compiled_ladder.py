"""The recursions of `ladder` in compiled code: `forward_recursion` kept as means over paths and over draws, and `probability_reached`.

`ladder` is the reference; a test compares the two. To import this module is to import Numba and to compile, or to load what was compiled
before, so commands that propagate only a hundred draws do without it. There is no fast maths: the order of all operations is written here,
and the same inputs give the same bits, whether the code was just compiled or loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
from numba import float64, int64
from numpy.typing import NDArray

from forecast.storage.caches import cache_folder
from forecast.typing import Floats

# All constants of the compiled code stand in this file: Numba compiles again if the file changes, not if what it imports does.
LEVELS: Final = 6
_RECURSIONS: Final = 8  # 0 is free; in 1..5 the levels from there up absorb; in 6 and 7 the levels up to 0 and to 1
_LANES: Final = 64  # draws that go through the recursion side by side, in the processor's vector units
# Rows of the working array [rows, _LANES]. It is one array, so that the compiler sees that what it reads and writes does not overlap.
_SETTLED, _RISEN = 0, 48  # mass by recursion and level, just risen or not
_UP, _DOWN = 96, 102  # odds of a rise, a fall from each level, against staying
_STAY, _STAY_RISEN = 108, 114  # probability of staying, not just risen and just risen
_FALLING = 120  # mass that leaves each level downwards
_STOP_UP, _STOP_DOWN = 126, 132  # chance that a move that reaches the level stops there
_BASE_UP, _BASE_DOWN = 138, 144  # the draws' part of the odds
_PHI, _MOVING = 150, 151  # factor on the odds of a fall just after a rise; mass that passes a level
_WEIGHT = 152  # of each draw
_OUT = 153  # the month's results
_RESULTS: Final = LEVELS + 15 + 2  # in force; entered k at i >= k; fallen to 0 and 1

_inlined: Final[Callable[[Any], Any]] = numba.njit(inline="always", error_model="numpy")
"""Within the one function that is compiled, so that the compiler knows the shape of the working array."""


@_inlined
def _set_draws(w: Floats, odds: Floats, stops: Floats, phi: Floats, weights: Floats, first: int, n: int) -> None:
    """What belongs to the n draws alone. The lanes beyond n repeat the first draw, without weight."""
    for x in range(_LANES):
        s = first + (x if x < n else 0)
        w[_WEIGHT, x] = weights[s] if x < n else 0.0
        w[_PHI, x] = phi[s]
        for i in range(LEVELS):
            w[_BASE_UP + i, x] = odds[0, i, s]
            w[_BASE_DOWN + i, x] = odds[1, i, s]
            w[_STOP_UP + i, x] = stops[0, i, s]
            w[_STOP_DOWN + i, x] = stops[1, i, s]


@_inlined
def _set_push(push: Floats, slow: Floats, effects: Floats, drivers: Floats, paths: Any, p: int, first: int, n: int) -> None:
    """What the months' drivers multiply the odds of a rise and of a fall by, push [2, H, _LANES]."""
    for x in range(_LANES):
        s = first + (x if x < n else 0)
        path = paths[s, p]
        for t in range(push.shape[1]):
            up, down = slow[s, t], -slow[s, t]
            for c in range(drivers.shape[2]):
                up += effects[0, c, s] * drivers[path, t, c]
                down += effects[1, c, s] * drivers[path, t, c]
            push[0, t, x] = np.exp(230.0 if up > 230.0 else up)  # bounded as in `ladder`; NaN stays NaN
            push[1, t, x] = np.exp(230.0 if down > 230.0 else down)


@_inlined
def _start(w: Floats, level: int, just_risen: int) -> None:
    w[:_UP] = 0.0
    for m in range(_RECURSIONS):
        w[(_RISEN if just_risen else _SETTLED) + LEVELS * m + level] = 1.0
    w[_OUT + _RESULTS - 2 :] = 0.0  # the only results that grow from month to month


@_inlined
def _set_probabilities(w: Floats, push: Floats, t: int) -> None:
    for i in range(LEVELS):
        for x in range(_LANES):
            up, down = w[_BASE_UP + i, x] * push[0, t, x], w[_BASE_DOWN + i, x] * push[1, t, x]
            w[_UP + i, x] = up
            w[_DOWN + i, x] = down
            w[_STAY + i, x] = 1.0 / (1.0 + (up + down))
            w[_STAY_RISEN + i, x] = 1.0 / (1.0 + (up + down * w[_PHI, x]))


@_inlined
def _step(w: Floats, settled: int, risen: int, low: int, high: int) -> None:
    """Propagate the mass on the levels low..high − 1 by a month; what falls below is left in the row _MOVING."""
    for x in range(_LANES):
        w[_MOVING, x] = 0.0
    for i in range(low, high):
        for x in range(_LANES):
            a, b = w[settled + i, x] * w[_STAY + i, x], w[risen + i, x] * w[_STAY_RISEN + i, x]
            moving = w[_MOVING, x]
            lands = moving * w[_STOP_UP + i, x]
            w[settled + i, x] = a + b
            w[risen + i, x] = lands
            w[_FALLING + i, x] = (a + b * w[_PHI, x]) * w[_DOWN + i, x]
            w[_MOVING, x] = moving - lands + (a + b) * w[_UP + i, x]
    for i in range(high, LEVELS):
        for x in range(_LANES):
            lands = w[_MOVING, x] * w[_STOP_UP + i, x]
            w[risen + i, x] = lands
            w[_MOVING, x] -= lands
    for x in range(_LANES):
        w[_MOVING, x] = 0.0
    for i in range(high - 1, low - 1, -1):
        for x in range(_LANES):
            moving = w[_MOVING, x]
            lands = moving * w[_STOP_DOWN + i, x]
            w[settled + i, x] += lands
            w[_MOVING, x] = moving - lands + w[_FALLING + i, x]


@_inlined
def _month(w: Floats, first_month: bool) -> None:
    """All recursions by a month, and the month's results."""
    out = _OUT
    for m in range(_RECURSIONS):
        settled, risen = _SETTLED + LEVELS * m, _RISEN + LEVELS * m
        # In the first month mass may leave from all levels, also from those that absorb.
        low = 0 if first_month or m < LEVELS else m - LEVELS + 1
        high = LEVELS if first_month or m == 0 or m >= LEVELS else m
        _step(w, settled, risen, low, high)
        if m < LEVELS:
            for i in range(m, LEVELS):
                for x in range(_LANES):
                    w[out, x] = w[settled + i, x] + w[risen + i, x]
                if m > 0:
                    for x in range(_LANES):
                        w[settled + i, x] = 0.0
                        w[risen + i, x] = 0.0
                out += 1
        else:
            for x in range(_LANES):
                w[out, x] += w[_MOVING, x]
            for i in range(m - LEVELS + 1):
                for x in range(_LANES):
                    w[out, x] += w[settled + i, x] + w[risen + i, x]
                    w[settled + i, x] = 0.0
                    w[risen + i, x] = 0.0
            out += 1


@_inlined
def _add_results(w: Floats, by_draw: Floats, by_batch: Floats, t: int, p: int, first: int, n: int) -> None:
    for o in range(_RESULTS):
        for x in range(n):
            by_draw[t, o, first + x] += w[_OUT + o, x]
        s0 = s1 = s2 = s3 = 0.0  # four sums at once: an addition need not wait for the one before
        for x in range(0, _LANES, 4):
            s0 += w[_OUT + o, x] * w[_WEIGHT, x]
            s1 += w[_OUT + o, x + 1] * w[_WEIGHT, x + 1]
            s2 += w[_OUT + o, x + 2] * w[_WEIGHT, x + 2]
            s3 += w[_OUT + o, x + 3] * w[_WEIGHT, x + 3]
        by_batch[t, o, p] += (s0 + s1) + (s2 + s3)


def _propagate(
    odds: Floats, stops: Floats, phi: Floats, slow: Floats, effects: Floats, drivers: Floats, paths: NDArray[np.int64], weights: Floats,
    level: int, just_risen: int, by_draw: Floats, by_batch: Floats,
) -> None:  # fmt: skip
    """Add up the results over paths in `by_draw` [H, _RESULTS, S], over weighted draws in `by_batch` [H, _RESULTS, P].

    The other arguments are those of `mean_probabilities`.
    """
    horizon, _, n_draws = by_draw.shape
    w = np.zeros((_OUT + _RESULTS, _LANES))
    push = np.zeros((2, horizon, _LANES))
    for first in range(0, n_draws, _LANES):
        n = min(_LANES, n_draws - first)
        _set_draws(w, odds, stops, phi, weights, first, n)
        for p in range(paths.shape[1]):
            _set_push(push, slow, effects, drivers, paths, p, first, n)
            _start(w, level, just_risen)
            for t in range(horizon):
                _set_probabilities(w, push, t)
                _month(w, t == 0)
                _add_results(w, by_draw, by_batch, t, p, first, n)


def _propagate_below(
    odds: Floats, stops: Floats, phi: Floats, slow: Floats, effects: Floats, drivers: Floats, paths: NDArray[np.int64], weights: Floats,
    level: int, just_risen: int, target: int, reached: Floats,
) -> None:  # fmt: skip
    """Only the recursion in which the levels from `target` up absorb; what they absorb is added up in `reached` [P, S]."""
    w = np.zeros((_OUT + _RESULTS, _LANES))
    push = np.zeros((2, slow.shape[1], _LANES))
    for first in range(0, reached.shape[1], _LANES):
        n = min(_LANES, reached.shape[1] - first)
        _set_draws(w, odds, stops, phi, weights, first, n)
        for p in range(paths.shape[1]):
            _set_push(push, slow, effects, drivers, paths, p, first, n)
            _start(w, level, just_risen)
            w[_OUT] = 0.0
            for t in range(push.shape[1]):
                _set_probabilities(w, push, t)
                _step(w, _SETTLED, _RISEN, 0, LEVELS if t == 0 else target)
                for i in range(target, LEVELS):
                    for x in range(_LANES):
                        w[_OUT, x] += w[_SETTLED + i, x] + w[_RISEN + i, x]
                        w[_SETTLED + i, x] = 0.0
                        w[_RISEN + i, x] = 0.0
            for x in range(n):
                reached[p, first + x] = w[_OUT, x]


_CUBE: Final = float64[:, :, ::1]
_INPUTS: Final = (_CUBE, _CUBE, float64[::1], float64[:, ::1], _CUBE, _CUBE, int64[:, ::1], float64[::1], int64, int64)


def _compile(function: Callable[..., None], *types: Any) -> Any:
    """A function for exactly `_INPUTS` and these types, kept between processes: one version only, so that no two can be confused."""
    signature = numba.void(*_INPUTS, *types)
    config: Any = numba.config  # its settings are made while Numba is imported, so its types lack them
    folder, before = str(cache_folder() / "numba"), config.CACHE_DIR
    config.CACHE_DIR = folder  # read when the function is decorated; for this function alone
    try:
        return numba.njit(signature, cache=True, nogil=True, error_model="numpy")(function)
    except Exception as error:  # the disk may be full or a file damaged; what is wrong with the function itself is raised again below
        logging.getLogger(__name__).warning(
            "The compiled code kept in %s cannot be used (%s), so it was compiled again. If this recurs, delete that folder.", folder, error
        )
        return numba.njit(signature, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before


_compiled: Final = _compile(_propagate, _CUBE, _CUBE)
_compiled_below: Final = _compile(_propagate_below, int64, float64[:, ::1])

type Means = tuple[Floats, Floats, Floats]
"""The fields `in_force`, `entered` and `fallen` of `ladder.LadderProbabilities`, with one axis for both draws and paths."""


def mean_probabilities(
    odds: Floats, stops: Floats, phi: Floats, slow: Floats, effects: Floats, drivers: Floats, paths: NDArray[np.int_], weights: Floats,
    level: int, just_risen: bool,
) -> tuple[Means, Means]:  # fmt: skip
    """Probabilities from (level, just_risen): by draw, the mean over its paths; and by column of `paths`, the weighted sum over draws.

    odds     [2, 6, S]         monthly odds of a rise, and of a fall, from each level
    stops    [2, 6, S]         chance that a rise, and that a fall, that reaches a level stops there
    phi      [S]               factor on the odds of a fall just after a rise
    slow     [S, H]            added to the log-odds of rises, taken from those of falls
    effects  [2, C, S]         effect of each driver on the log-odds of a rise, and of a fall
    drivers  [paths, ≥ H, C]   by driver path
    paths    [S, P]            the paths of each draw
    weights  [S]               of the draws
    """
    n_draws, horizon = slow.shape
    inputs = _inputs(odds, stops, phi, slow, effects, drivers, paths, weights)
    by_draw, by_batch = (np.zeros((horizon, _RESULTS, n)) for n in (n_draws, paths.shape[1]))
    _compiled(*inputs, level, int(just_risen), by_draw, by_batch)
    by_draw /= paths.shape[1]
    return _unpack(by_draw), _unpack(by_batch)


def probability_reached(
    odds: Floats, stops: Floats, phi: Floats, slow: Floats, effects: Floats, drivers: Floats, paths: NDArray[np.int_],
    level: int, just_risen: bool, target: int,
) -> Floats:  # fmt: skip
    """P(level >= target within the months of `slow`) by draw and column of `paths`, [S, P]; arguments as in `mean_probabilities`."""
    reached = np.zeros(paths.T.shape)
    inputs = _inputs(odds, stops, phi, slow, effects, drivers, paths, np.zeros(len(phi)))
    _compiled_below(*inputs, level, int(just_risen), target, reached)
    return reached.T


def _inputs(
    odds: Floats, stops: Floats, phi: Floats, slow: Floats, effects: Floats, drivers: Floats, paths: NDArray[np.int_], weights: Floats
) -> tuple[NDArray[Any], ...]:
    """The arrays as the compiled code takes them. It does not look whether an index is in range."""
    if paths.min() < 0 or paths.max() >= len(drivers) or slow.shape[1] > drivers.shape[1]:
        raise IndexError(f"paths {paths.min()}..{paths.max()} over {slow.shape[1]} months, of drivers of shape {drivers.shape}")
    floats = [np.ascontiguousarray(a, float) for a in (odds, stops, phi, slow, effects, drivers)]
    return (*floats, np.ascontiguousarray(paths, np.int64), np.ascontiguousarray(weights, float))


def _unpack(results: Floats) -> Means:
    entered, row = np.zeros((LEVELS - 1, len(results), LEVELS, results.shape[-1])), LEVELS
    for k in range(1, LEVELS):
        entered[k - 1, :, k:] = results[:, row : row + LEVELS - k]
        row += LEVELS - k
    return results[:, :LEVELS].copy(), entered, np.moveaxis(results[:, row:], 1, 0).copy()
