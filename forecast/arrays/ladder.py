"""The monthly kernel of the ladder and the exact recursions over it.

From level j a month brings (rise : stay : fall) with log-odds (up : 0 : down). A rise that reaches level i in 1..4 goes on
with probability `skip_up[i]`, a fall with `skip_down[i]`. The state is (level, just_risen): just_risen in the month after a rise only.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.domain import TOP
from forecast.typing import Floats

N_LEVELS = TOP + 1
MONTHS_A_YEAR = 12
_LN2 = float(np.log(2.0))
_TANH1 = float(np.tanh(1.0))


def saturate_pressure(leverage: Floats) -> Floats:
    """Pressure ℓ = tanh(L)/tanh(1) of leverage L, any shape: the outside view knows only 0 and 1, so ℓ saturates beyond 1, at 1.31."""
    return np.asarray(np.tanh(leverage) / _TANH1)


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


def rise_destinations(skip_up: Floats) -> Floats:
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


def fall_destinations(skip_down: Floats) -> Floats:
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


def stopping(skip: Floats) -> Floats:
    """The chance that a move that reaches a level stops there, [6, S] from skips [S, 4]: one at both ends."""
    return np.pad(1.0 - np.asarray(skip, float).T, ((1, 1), (0, 0)), constant_values=1.0)


@dataclass(frozen=True)
class Kernel:
    """Transition log-odds for draws [S] and driver paths [P] over H months.

    a, b       [6, S]      monthly log-odds of a rise, a fall from each level (a[5] = b[0] = −inf)
    theta      [H, S, P]   tolerance, added to rises, taken from falls
    rise_push  [H, S, P]   what pressure adds to the log-odds of a rise
    fall_push  [H, S, P]   what pressure adds to the log-odds of a fall
    just_risen      [S]         what a rise the month before adds to the log-odds of a fall
    up, down   [6, 6, S]   landing probabilities (from, to), of `rise_destinations` and `fall_destinations`
    """

    a: Floats
    b: Floats
    theta: Floats
    rise_push: Floats
    fall_push: Floats
    just_risen: Floats
    up: Floats
    down: Floats

    @property
    def horizon(self) -> int:
        return int(self.theta.shape[0])


@dataclass(frozen=True)
class MonthlyProbabilities:
    """Rise and fall probabilities of one month: rise, fall [2 (just_risen), 6, S, P]."""

    rise: Floats
    fall: Floats


def odds(log_odds: Floats) -> Floats:
    """e to the power, kept below 10¹⁰⁰: of three such factors none is infinite, and infinity against infinity is no probability."""
    return np.asarray(np.exp(np.minimum(log_odds, 230.0)))


def monthly_probabilities(kernel: Kernel, t: int) -> MonthlyProbabilities:
    """The month's probabilities of a rise and of a fall, from every level and for both values of just_risen."""
    e_up = odds(kernel.theta[t] + kernel.rise_push[t])
    e_down = odds(kernel.fall_push[t] - kernel.theta[t])
    a, b, just_risen = odds(kernel.a), odds(kernel.b), odds(kernel.just_risen)
    rise = np.empty((2, N_LEVELS, *kernel.theta.shape[1:]))
    fall = np.empty_like(rise)
    np.multiply(e_up, a[:, :, None], out=rise[0])
    rise[1] = rise[0]
    np.multiply(e_down, b[:, :, None], out=fall[0])
    np.multiply(fall[0], just_risen[:, None], out=fall[1])
    total = rise + fall
    total += 1.0
    rise /= total
    fall /= total
    return MonthlyProbabilities(rise, fall)


@dataclass(frozen=True)
class PropagatedMass:
    """Probability mass on n neighbouring levels, a month later.

    state  [2 (just_risen), n, S, P]: what stayed on these levels
    above  [levels above, S, P]: what landed above them, by level
    below  [S, P]: what fell below them
    """

    state: Floats
    above: Floats
    below: Floats


def propagate_month(state: Floats, low: int, probs: MonthlyProbabilities, kernel: Kernel) -> PropagatedMass:
    """Propagate probabilities [2 (just_risen), n, S, P] of the levels low..low + n − 1 by one month.

    Moving mass passes the levels one by one. At each level a share lands; the rest goes on, with the mass that moves from that level.
    """
    n = state.shape[1]
    end = low + n  # the first level above
    risen, fallen, stayed = _leave(state, low, probs)
    out = np.zeros_like(state)
    out[0] = stayed
    above = np.empty((N_LEVELS - end, *state.shape[2:]))
    moving = risen[0]
    for i in range(low + 1, N_LEVELS):
        lands = moving * kernel.up[i - 1, i][:, None]  # the chance of landing one level up is that of stopping there
        if i < end:
            out[1, i - low] = lands
        else:
            above[i - end] = lands
        moving = moving - lands
        if i < end:
            moving += risen[i - low]
    moving = fallen[n - 1]
    for i in range(end - 2, low - 1, -1):
        lands = moving * kernel.down[i + 1, i][:, None]
        out[0, i - low] += lands
        moving = moving - lands
        moving += fallen[i - low]
    return PropagatedMass(out, above, moving)


def _leave(state: Floats, low: int, probs: MonthlyProbabilities) -> tuple[Floats, Floats, Floats]:
    """The mass that rises, falls and stays, [n, S, P] each."""
    here = slice(low, low + state.shape[1])
    settled, just_risen = state
    risen = settled * probs.rise[0, here]
    risen += just_risen * probs.rise[1, here]
    fallen = settled * probs.fall[0, here]
    fallen += just_risen * probs.fall[1, here]
    stayed = settled + just_risen
    stayed -= risen
    stayed -= fallen
    return risen, fallen, stayed


@dataclass(frozen=True)
class LadderProbabilities:
    """Exact probabilities by draw and path.

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


def forward_recursion(kernel: Kernel, level: int, just_risen: bool) -> LadderProbabilities:
    """The probabilities of all ladder questions, by exact recursion from (level, just_risen) with absorbing sets.

    The recursion is free for *in force at*; the levels >= k absorb for *reached by k*, the levels <= k for *fallen to k*.
    The starting month itself belongs to no window.
    """
    horizon, n_draws, n_paths = kernel.theta.shape
    start = np.zeros((2, N_LEVELS, n_draws, n_paths))
    start[int(just_risen), level] = 1.0
    in_force = np.zeros((horizon, N_LEVELS, n_draws, n_paths))
    entered = np.zeros((TOP, horizon, N_LEVELS, n_draws, n_paths))
    fallen = np.zeros((2, horizon, n_draws, n_paths))
    free = start
    # Mass that has not yet reached k is below k; mass that has not yet fallen to k is above it. Mass that starts beyond k reaches k in the
    # first month in which it is there, so the first step is taken from all levels.
    below = dict.fromkeys(range(1, N_LEVELS), start)
    above = dict.fromkeys((0, 1), start)
    for t in range(horizon):
        probs = monthly_probabilities(kernel, t)
        free = propagate_month(free, 0, probs, kernel).state
        in_force[t] = free[0] + free[1]
        for k, state in below.items():
            if t == 0:
                entered[k - 1, 0, k:] = in_force[0, k:]
                below[k] = free[:, :k]
                continue
            moved = propagate_month(state, 0, probs, kernel)
            entered[k - 1, t, k:] = moved.above
            below[k] = moved.state
        for k, state in above.items():
            if t == 0:
                fallen[k, 0] = in_force[0, : k + 1].sum(0)
                above[k] = free[:, k + 1 :]
                continue
            moved = propagate_month(state, k + 1, probs, kernel)
            fallen[k, t] = fallen[k, t - 1] + moved.below
            above[k] = moved.state
    return LadderProbabilities(in_force, entered, fallen)


def probability_reached(kernel: Kernel, level: int, just_risen: bool, target: int) -> Floats:
    """P(level >= target within the months of the kernel) by draw and path [S, P]: of `forward_recursion` only what this question needs."""
    start = np.zeros((2, N_LEVELS, *kernel.theta.shape[1:]))
    start[int(just_risen), level] = 1.0
    first = propagate_month(start, 0, monthly_probabilities(kernel, 0), kernel).state  # from all levels, which may include the target
    reached, state = first[:, target:].sum((0, 1)), first[:, :target]
    for t in range(1, kernel.horizon):
        moved = propagate_month(state, 0, monthly_probabilities(kernel, t), kernel)
        reached = reached + moved.above.sum(0)
        state = moved.state
    return np.asarray(reached)


def skip_counts(levels: NDArray[np.int_]) -> tuple[Floats, Floats]:
    """How often rises and falls that reached level i went on beyond it or stopped: two arrays [4 (i = 1..4), 2 (went on, stopped)]."""
    up, down = np.zeros((TOP - 1, 2)), np.zeros((TOP - 1, 2))
    for before, after in itertools.pairwise(levels):
        for i in range(before + 1, after + 1):
            if i < TOP:
                up[i - 1, 0 if i < after else 1] += 1
        for i in range(before - 1, after - 1, -1):
            if i > 0:
                down[i - 1, 0 if i > after else 1] += 1
    return up, down
