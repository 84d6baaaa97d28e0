"""The monthly kernel of the ladder and the exact recursions over it.

From level j a month brings (rise : stay : fall) with log-odds (up : 0 : down). A rise that reaches level i in 1..4 goes on
with probability `skip_up[i]`, a fall with `skip_down[i]`. The state is (level, fresh): fresh in the month after a rise only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.domain import TOP

type Floats = NDArray[np.float64]

N_LEVELS = TOP + 1
MONTHS_A_YEAR = 12
_LN2 = float(np.log(2.0))


def rise_logit(q: Floats) -> Floats:
    """Monthly log-odds of a rise whose 12-month probability, ignoring falls, is `q` (any shape, in (0, 1))."""
    c = np.log1p(-np.asarray(q, float)) / MONTHS_A_YEAR
    return np.asarray(np.log(-np.expm1(c)) - c)


def fall_logit(months: Floats) -> Floats:
    """Monthly log-odds of a fall whose median waiting time, ignoring rises, is `months` (any shape, > 0).

    The form x + log(1 − e^{−x}) stays finite where the naive logit of a probability near one overflows.
    """
    x = _LN2 / np.asarray(months, float)
    return np.asarray(x + np.log(-np.expm1(-x)))


def landing_up(skip_up: Floats) -> Floats:
    """Where a rise ends: [..., from j, to k] from skips [..., 4] through levels 1..4. Rows sum to one for j < 5, to zero for j = 5."""
    s = np.asarray(skip_up, float)
    out = np.zeros((*s.shape[:-1], N_LEVELS, N_LEVELS))
    for j in range(TOP):
        going = np.ones(s.shape[:-1])
        for k in range(j + 1, N_LEVELS):
            stop = 1.0 - s[..., k - 1] if k < TOP else np.ones(s.shape[:-1])
            out[..., j, k] = going * stop
            going = going * (1.0 - stop)
    return out


def landing_down(skip_down: Floats) -> Floats:
    """Where a fall ends: [..., from j, to k] from skips [..., 4] through levels 1..4. Rows sum to one for j > 0, to zero for j = 0."""
    s = np.asarray(skip_down, float)
    out = np.zeros((*s.shape[:-1], N_LEVELS, N_LEVELS))
    for j in range(1, N_LEVELS):
        going = np.ones(s.shape[:-1])
        for k in range(j - 1, -1, -1):
            stop = 1.0 - s[..., k - 1] if k > 0 else np.ones(s.shape[:-1])
            out[..., j, k] = going * stop
            going = going * (1.0 - stop)
    return out


@dataclass(frozen=True)
class Kernel:
    """What the recursion needs, for draws [S] and driver paths [P] over H months.

    a, b       [6, S]      monthly log-odds of a rise, a fall from each level (a[5] = b[0] = −inf)
    theta      [H, S, P]   tolerance, added to rises, taken from falls
    rise_push  [H, S, P]   what pressure adds to the log-odds of a rise
    fall_push  [H, S, P]   what pressure adds to the log-odds of a fall
    fresh      [S]         what a rise the month before adds to the log-odds of a fall
    up, down   [6, 6, S]   landing probabilities (from, to)
    """

    a: Floats
    b: Floats
    theta: Floats
    rise_push: Floats
    fall_push: Floats
    fresh: Floats
    up: Floats
    down: Floats

    @property
    def horizon(self) -> int:
        return int(self.theta.shape[0])


@dataclass(frozen=True)
class Step:
    """Rise and fall probabilities of one month: rise, fall [6, 2 (fresh), S, P]."""

    rise: Floats
    fall: Floats


def step(kernel: Kernel, t: int) -> Step:
    """The month's probabilities of a rise and of a fall, from every level and for both values of fresh."""
    shape = (N_LEVELS, 2, *kernel.theta.shape[1:])
    rise, fall = np.zeros(shape), np.zeros(shape)
    with np.errstate(over="ignore"):
        e_up = np.exp(kernel.theta[t] + kernel.rise_push[t])
        e_down = np.exp(kernel.fall_push[t] - kernel.theta[t])
        a, b, fresh = np.exp(kernel.a), np.exp(kernel.b), np.exp(kernel.fresh)
    for j in range(N_LEVELS):
        u = e_up * a[j][:, None]
        for r in (0, 1):
            d = e_down * (b[j] * fresh if r else b[j])[:, None]
            total = 1.0 + u + d
            rise[j, r] = u / total
            fall[j, r] = d / total
    return Step(rise, fall)


def advance(state: Floats, probs: Step, kernel: Kernel) -> Floats:
    """One month on: state [6, 2, S, P] of probabilities (level, fresh)."""
    risen = (state * probs.rise).sum(1)
    fallen = (state * probs.fall).sum(1)
    out = np.zeros_like(state)
    out[:, 0] = state.sum(1) - risen - fallen
    for j in range(N_LEVELS):
        for k in range(j + 1, N_LEVELS):
            out[k, 1] += risen[j] * kernel.up[j, k][:, None]
        for k in range(j):
            out[k, 0] += fallen[j] * kernel.down[j, k][:, None]
    return out


@dataclass(frozen=True)
class Chances:
    """Exact probabilities given a draw and a path, averaged over the paths of each draw only where said so.

    in_force  [H, 6, S, P]      P(level = i at T + t)
    entered   [5, H, 6, S, P]   index k−1: P(first month at >= k is T + t, at level i); zero for i < k
    fallen    [2, H, S, P]      index k: P(min over the first t months <= k)
    """

    in_force: Floats
    entered: Floats
    fallen: Floats

    def reached(self, k: int) -> Floats:
        """P(level >= k at some month up to T + t), [H, S, P]."""
        return np.cumsum(self.entered[k - 1].sum(1), axis=0)

    def at_least(self, k: int) -> Floats:
        """P(level >= k at T + t), [H, S, P]."""
        return self.in_force[:, k:].sum(1)


def chances(kernel: Kernel, level: int, fresh: bool) -> Chances:
    """All probabilities the questions ask for, by exact recursion from (level, fresh) with absorbing sets.

    Free recursion for *in force at*; for *reached by k* the levels >= k absorb, for *fallen to k* the levels <= k do.
    The starting month itself belongs to no window.
    """
    horizon, n_draws, n_paths = kernel.theta.shape
    start = np.zeros((N_LEVELS, 2, n_draws, n_paths))
    start[level, int(fresh)] = 1.0
    free = start
    below = [start for _ in range(1, N_LEVELS)]  # mass that has not yet reached k
    above = [start, start]  # mass that has not yet fallen to k
    in_force = np.zeros((horizon, N_LEVELS, n_draws, n_paths))
    entered = np.zeros((TOP, horizon, N_LEVELS, n_draws, n_paths))
    fallen = np.zeros((2, horizon, n_draws, n_paths))
    for t in range(horizon):
        probs = step(kernel, t)
        free = advance(free, probs, kernel)
        in_force[t] = free.sum(1)
        for k in range(1, N_LEVELS):
            moved = advance(below[k - 1], probs, kernel)
            entered[k - 1, t, k:] = moved[k:].sum(1)
            moved[k:] = 0.0
            below[k - 1] = moved
        for k in (0, 1):
            moved = advance(above[k], probs, kernel)
            fallen[k, t] = moved[: k + 1].sum((0, 1)) + (fallen[k, t - 1] if t else 0.0)
            moved[: k + 1] = 0.0
            above[k] = moved
    return Chances(in_force, entered, fallen)


def skip_counts(levels: NDArray[np.int_]) -> tuple[Floats, Floats]:
    """How often rises and falls that reached level i went on beyond it or stopped: two arrays [4 (i = 1..4), 2 (went on, stopped)]."""
    up, down = np.zeros((TOP - 1, 2)), np.zeros((TOP - 1, 2))
    for before, after in zip(levels[:-1], levels[1:], strict=True):
        for i in range(before + 1, after + 1):
            if i < TOP:
                up[i - 1, 0 if i < after else 1] += 1
        for i in range(before - 1, after - 1, -1):
            if i > 0:
                down[i - 1, 0 if i > after else 1] += 1
    return up, down
