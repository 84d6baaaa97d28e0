"""Memories with a half-life against closed forms and plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from forecast.arrays.decay import decay, impulse_step, peak_memory


@pytest.mark.parametrize("half_life", [0.5, 3.0, 6.0, 120.0])
def test_half_is_left_after_a_half_life(half_life: float) -> None:
    assert decay(half_life) ** half_life == pytest.approx(0.5)


def test_a_peak_memory_is_the_largest_of_all_faded_peaks() -> None:
    strength = np.random.default_rng(1).poisson(0.4, (3, 40)).astype(float)
    keep = decay(3.0)
    expected = [[max(keep ** (t - s) * math.log1p(row[s]) for s in range(t + 1)) for t in range(40)] for row in strength]
    np.testing.assert_allclose(peak_memory(strength, keep), expected, atol=1e-12)


def test_impulses_against_a_loop() -> None:
    rng = np.random.default_rng(2)
    gain, relief = rng.poisson(0.5, (200, 30)).astype(float), rng.poisson(0.2, (200, 30)).astype(float)
    keep = decay(6.0)
    memory = before = np.zeros(200)
    for t in range(30):
        memory = impulse_step(memory, gain[:, t], relief[:, t], keep)
        for n in range(200):
            kept = before[n]
            value = 2 ** (-1 / 6) * kept
            if gain[n, t] > 0:
                value = max(value, math.log(1 + gain[n, t]))
            value -= 0.5 * math.log(1 + relief[n, t])
            assert memory[n] == pytest.approx(max(value, 0.0), abs=1e-12)
        before = memory.copy()


def test_a_weaker_impulse_leaves_a_stronger_memory_alone() -> None:
    assert impulse_step(np.array(2.0), np.array(1.0), np.array(0.0), 0.9) == pytest.approx(1.8)


def test_no_memory_falls_below_zero() -> None:
    assert impulse_step(np.array(0.1), np.array(0.0), np.array(5.0), 0.9) == 0.0
