"""The recursions of the ladder against matrices written out state by state."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.arrays.ladder import Kernel, fall_destinations, forward_recursion, rise_destinations
from forecast.typing import Floats

H, S, P = 7, 3, 2
STATES = [(level, just_risen) for level in range(6) for just_risen in (0, 1)]


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    rng = np.random.default_rng(5)
    a, b = rng.normal(-1.0, 1.0, (6, S)), rng.normal(-1.5, 1.0, (6, S))
    a[5], b[0] = -np.inf, -np.inf
    return Kernel(
        a=a,
        b=b,
        theta=rng.normal(0, 1, (H, S, P)),
        rise_push=rng.normal(0.5, 1, (H, S, P)),
        fall_push=rng.normal(0, 1, (H, S, P)),
        just_risen=rng.normal(2, 1, S),
        up=np.moveaxis(rise_destinations(rng.random((S, 4))), 0, -1),
        down=np.moveaxis(fall_destinations(rng.random((S, 4))), 0, -1),
    )


def matrix(kernel: Kernel, t: int, s: int, p: int) -> Floats:
    """[12, 12] one month's transitions, from the definition: log-odds (up : 0 : down), then where it lands."""
    out = np.zeros((12, 12))
    for x, (j, just_risen) in enumerate(STATES):
        up = np.exp(kernel.a[j, s] + kernel.theta[t, s, p] + kernel.rise_push[t, s, p])
        down = np.exp(kernel.b[j, s] - kernel.theta[t, s, p] + kernel.fall_push[t, s, p] + just_risen * kernel.just_risen[s])
        for k in range(6):
            if k > j:
                out[x, STATES.index((k, 1))] += up / (1 + up + down) * kernel.up[j, k, s]
            elif k < j:
                out[x, STATES.index((k, 0))] += down / (1 + up + down) * kernel.down[j, k, s]
        out[x, STATES.index((j, 0))] += 1 / (1 + up + down)
    return out


@pytest.mark.parametrize(("level", "just_risen"), [(0, False), (2, False), (3, True), (5, False), (5, True)])
def test_chances_are_those_of_matrices(kernel: Kernel, level: int, just_risen: bool) -> None:
    found = forward_recursion(kernel, level, just_risen)
    levels = np.array([j for j, _ in STATES])
    for s in range(S):
        for p in range(P):
            months = [matrix(kernel, t, s, p) for t in range(H)]
            assert np.allclose([m.sum(1) for m in months], 1.0)
            start = np.eye(12)[STATES.index((level, int(just_risen)))]
            free = start
            for t, m in enumerate(months):
                free = free @ m
                assert np.allclose(found.in_force[t, :, s, p], [free[levels == j].sum() for j in range(6)], rtol=1e-12, atol=1e-15)
            for k in range(1, 6):
                left = start
                for t, m in enumerate(months):
                    after = left @ m
                    entered = [after[levels == i].sum() if i >= k else 0.0 for i in range(6)]
                    assert np.allclose(found.entered[k - 1, t, :, s, p], entered, rtol=1e-12, atol=1e-15)
                    left = np.where(levels >= k, 0.0, after)
            for k in (0, 1):
                left, down = start, 0.0
                for t, m in enumerate(months):
                    after = left @ m
                    down += after[levels <= k].sum()
                    assert np.isclose(found.fallen[k, t, s, p], down, rtol=1e-12, atol=1e-15)
                    left = np.where(levels <= k, 0.0, after)


def test_the_start_belongs_to_no_window(kernel: Kernel) -> None:
    """Whoever starts at or beyond a level reaches it in the first month only if still there."""
    found = forward_recursion(kernel, 4, False)
    assert np.allclose(found.entered[3, 0].sum(0), found.in_force[0, 4:].sum(0))
    assert (found.entered[3, 0].sum(0) < 1).all()
