"""The kernel means what it says, and the recursion equals matrix powers and plain enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.arrays.ladder import (
    Kernel,
    fall_destinations,
    fall_logit,
    forward_recursion,
    monthly_probabilities,
    rise_destinations,
    rise_logit,
    skip_counts,
)
from forecast.data.outcome import main_levels
from forecast.domain import FIRST_MONTH, last_day
from forecast.forecasting.ladder_forecast import assign_paths, make_kernel
from forecast.forecasting.parameter_draws import from_prior
from tests.support import synthetic

HORIZON, DRAWS, PATHS = 12, 2, 2


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    """A kernel with every term at work, stirred enough that no probability is negligible."""
    rng = np.random.default_rng(5)
    shape = (HORIZON, DRAWS, PATHS)
    a, b = rng.normal(-3, 1, (6, DRAWS)), rng.normal(-3, 1, (6, DRAWS))
    a[5] = b[0] = -np.inf
    return Kernel(
        a, b, rng.normal(0, 0.7, shape), rng.normal(1, 0.5, shape), rng.normal(0, 0.5, shape), rng.normal(2, 0.5, DRAWS),
        np.moveaxis(rise_destinations(rng.uniform(0, 1, (DRAWS, 4))), 0, -1),
        np.moveaxis(fall_destinations(rng.uniform(0, 1, (DRAWS, 4))), 0, -1),
    )  # fmt: skip


def matrix(k: Kernel, t: int, s: int, p: int, entry_odds: float = 1.0) -> np.ndarray:
    """The month as a 12 × 12 matrix over (level, just risen), written from the equations of the model; state 2 j + r.

    entry_odds multiplies the odds, against staying, of every move that enters level 4 or higher from below.
    """
    out = np.zeros((12, 12))
    for j, r in product(range(6), (0, 1)):
        weight = np.zeros(12)
        weight[2 * j] = 1.0
        for i in range(6):
            if i > j:
                odds = np.exp(k.a[j, s] + k.theta[t, s, p] + k.rise_push[t, s, p]) * k.up[j, i, s]
                weight[2 * i + 1] = odds * (entry_odds if j < 4 <= i else 1.0)
            elif i < j:
                weight[2 * i] = np.exp(k.b[j, s] - k.theta[t, s, p] + k.fall_push[t, s, p] + k.just_risen[s] * r) * k.down[j, i, s]
        out[2 * j + r] = weight / weight.sum()
    return out


def powers(k: Kernel, s: int, p: int, start: int, kept: range, entry_odds: float = 1.0) -> np.ndarray:
    """Mass [H + 1, 12] that stayed within the levels `kept` until the month before; row 0 is the start."""
    inside = np.repeat([i in kept for i in range(6)], 2)
    state = np.zeros(12)
    state[start] = 1.0
    rows = [state]
    for t in range(k.horizon):
        seen = rows[-1] * inside if t else rows[-1]
        rows.append(seen @ matrix(k, t, s, p, entry_odds))
    return np.array(rows)


@pytest.mark.parametrize("q", [1e-4, 0.007, 0.05, 0.4, 0.95])
def test_q_is_the_twelve_month_probability_of_a_rise_ignoring_falls(q: float) -> None:
    odds = np.exp(rise_logit(np.array(q)))
    assert 1 - (1 - odds / (1 + odds)) ** 12 == pytest.approx(q, rel=1e-12)


@pytest.mark.parametrize("m", [0.2, 1.0, 5.5, 48.0, 4200.0])
def test_m_is_the_median_months_before_a_fall_ignoring_rises(m: float) -> None:
    odds = np.exp(fall_logit(np.array(m)))
    assert (1 / (1 + odds)) ** m == pytest.approx(0.5, rel=1e-10)


def test_a_very_short_stay_stays_finite() -> None:
    assert np.isfinite(fall_logit(np.array([1e-3, 1e-5]))).all()


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_landings_are_probabilities(skips: list[float]) -> None:
    up, down = rise_destinations(np.array(skips)), fall_destinations(np.array(skips))
    assert (up >= 0).all()
    assert (down >= 0).all()
    np.testing.assert_allclose(up.sum(1), [1, 1, 1, 1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(down.sum(1), [0, 1, 1, 1, 1, 1], atol=1e-12)
    assert (np.tril(up) == 0).all()
    assert (np.triu(down) == 0).all()


def test_landings_by_hand() -> None:
    s = np.array([0.1, 0.2, 0.3, 0.4])
    up, down = rise_destinations(s), fall_destinations(s)
    np.testing.assert_allclose(up[2], [0, 0, 0, 0.7, 0.3 * 0.6, 0.3 * 0.4])
    np.testing.assert_allclose(up[0], [0, 0.9, 0.1 * 0.8, 0.1 * 0.2 * 0.7, 0.1 * 0.2 * 0.3 * 0.6, 0.1 * 0.2 * 0.3 * 0.4])
    np.testing.assert_allclose(down[3], [0.2 * 0.1, 0.2 * 0.9, 0.8, 0, 0, 0])
    np.testing.assert_allclose(down[1], [1, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(("level", "just_risen"), [(0, False), (2, False), (3, True), (5, True)])
def test_chances_equal_matrix_powers(kernel: Kernel, level: int, just_risen: bool) -> None:
    found = forward_recursion(kernel, level, just_risen)
    start = 2 * level + just_risen
    for s, p in product(range(DRAWS), range(PATHS)):
        free = powers(kernel, s, p, start, range(6))[1:].reshape(HORIZON, 6, 2).sum(-1)
        np.testing.assert_allclose(found.in_force[:, :, s, p], free, rtol=1e-9)
        for k in range(1, 6):
            # the starting month belongs to no window: from above k, too, one enters in the first month that is at k or higher
            first = powers(kernel, s, p, start, range(k))[1:].reshape(HORIZON, 6, 2).sum(-1)
            np.testing.assert_allclose(found.entered[k - 1, :, k:, s, p], first[:, k:], rtol=1e-9)
            np.testing.assert_allclose(found.reached(k)[:, s, p], np.cumsum(first[:, k:].sum(1)), rtol=1e-9)
            assert (found.entered[k - 1, :, :k, s, p] == 0).all()
        for k in (0, 1):
            first = powers(kernel, s, p, start, range(k + 1, 6))[1:].reshape(HORIZON, 6, 2).sum(-1)
            np.testing.assert_allclose(found.fallen[k, :, s, p], np.cumsum(first[:, : k + 1].sum(1)), rtol=1e-9)


def test_chances_equal_enumeration(kernel: Kernel) -> None:
    """Every sequence of levels over four months, with its probability: the maximum, the minimum and the last level of each."""
    h, level, s, p = 4, 2, 1, 1
    months = [matrix(kernel, t, s, p) for t in range(h)]
    paths = np.array(list(product(range(6), repeat=h)))
    chance = np.zeros(len(paths))
    for n, path in enumerate(paths):
        state, weight = 2 * level, 1.0
        for t, now in enumerate(path):
            then = 2 * now + int(now > state // 2)
            weight *= months[t][state, then]
            state = then
        chance[n] = weight
    assert chance.sum() == pytest.approx(1.0)
    found = forward_recursion(kernel, level, False)
    for k in range(1, 6):
        assert found.reached(k)[h - 1, s, p] == pytest.approx(chance[paths.max(1) >= k].sum(), rel=1e-9)
        assert found.at_least(k)[h - 1, s, p] == pytest.approx(chance[paths[:, -1] >= k].sum(), rel=1e-9)
    for k in (0, 1):
        assert found.fallen[k, h - 1, s, p] == pytest.approx(chance[paths.min(1) <= k].sum(), rel=1e-9)


def test_chances_are_probabilities_in_order(kernel: Kernel) -> None:
    found = forward_recursion(kernel, 2, True)
    np.testing.assert_allclose(found.in_force.sum(1), 1.0, rtol=1e-12)
    reached = np.array([found.reached(k) for k in range(1, 6)])
    assert (np.diff(reached, axis=0) <= 1e-12).all()  # a higher level is no likelier
    assert (np.diff(reached, axis=1) >= 0).all()  # nor a longer window less likely
    assert (reached <= 1 + 1e-12).all()
    for k in range(1, 6):
        assert (found.reached(k) >= found.at_least(k) - 1e-12).all()


def test_the_start_belongs_to_no_window(kernel: Kernel) -> None:
    """Whoever starts at or beyond a level reaches it in the first month only if still there."""
    found = forward_recursion(kernel, 4, False)
    np.testing.assert_allclose(found.entered[3, 0].sum(0), found.in_force[0, 4:].sum(0))
    assert (found.entered[3, 0].sum(0) < 1).all()


def halved(k: Kernel) -> Kernel:
    """The odds of entering level 4 or higher from below, against staying, halved: fewer rises, and of those fewer land high."""
    a, up = k.a.copy(), k.up.copy()
    for j in range(4):
        high = k.up[j, 4:].sum(0)
        a[j] += np.log1p(-high / 2)
        up[j, 4:] = k.up[j, 4:] / 2 / (1 - high / 2)
        up[j, :4] = k.up[j, :4] / (1 - high / 2)
    return replace(k, a=a, up=up)


def test_halved_odds_of_entering_give_the_headline_of_the_halved_matrices() -> None:
    """On draws from the bundled priors and stirred driver paths, for every draw: the headline's recursion and matrix powers agree."""
    rng = np.random.default_rng(8)
    some = from_prior(synthetic.constants(), synthetic.ORIGIN, 20, rng)
    paths = synthetic.pool(n=20, horizon=12, leverage=rng.gamma(4, 0.4, (20, 13)), opposition=rng.normal(0.8, 0.3, (20, 13)))
    months = np.arange(synthetic.ORIGIN + 1, synthetic.ORIGIN + 13)
    plain = make_kernel(some, paths, np.tanh(paths.leverage), assign_paths(20, 20, 1, each=2), months, np.full(12, 4))
    engine = forward_recursion(halved(plain), 2, False).reached(4)[11]
    full = forward_recursion(plain, 2, False).reached(4)[11]
    for s, p in product(range(20), range(2)):
        halves, whole = (powers(plain, s, p, 4, range(4), odds)[1:].reshape(12, 6, 2)[:, 4:].sum() for odds in (0.5, 1.0))
        assert engine[s, p] == pytest.approx(halves, rel=1e-9)
        assert full[s, p] == pytest.approx(whole, rel=1e-9)
    assert (engine < full).all()


def test_extreme_odds_give_no_nan() -> None:
    """A draw of a stay of minutes, or of an effect in the hundreds, is absurd but must not poison a mean."""
    of = synthetic.draws(3, log_stay=np.log(1e-4), leverage=[900.0, -900.0, 0.0], just_risen=[0.0, 0.0, 900.0])
    found = synthetic.climbed(of, synthetic.pool(n=3, leverage=2.0), level=3, just_risen=True)
    assert np.isfinite(found.in_force).all()
    np.testing.assert_allclose(found.in_force.sum(1), 1.0)


def test_step_gives_three_way_probabilities(kernel: Kernel) -> None:
    probs = monthly_probabilities(kernel, 3)
    assert (probs.rise + probs.fall < 1).all()
    assert (probs.rise[:, 5] == 0).all()
    assert (probs.fall[:, 0] == 0).all()
    assert (probs.fall[1, 1:] > probs.fall[0, 1:]).all()  # φ > 0 in this kernel
    for s, p in product(range(DRAWS), range(PATHS)):
        whole = matrix(kernel, 3, s, p)
        for j, r in product(range(6), (0, 1)):
            row = whole[2 * j + r].reshape(6, 2).sum(1)
            assert probs.rise[r, j, s, p] == pytest.approx(row[j + 1 :].sum(), rel=1e-9)
            assert probs.fall[r, j, s, p] == pytest.approx(row[:j].sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("levels", "up", "down"),
    [
        ([2, 2, 2], {}, {}),
        ([1, 3, 3], {2: (1, 0), 3: (0, 1)}, {}),
        ([0, 5], {1: (1, 0), 2: (1, 0), 3: (1, 0), 4: (1, 0)}, {}),
        ([5, 2, 0], {}, {4: (1, 0), 3: (1, 0), 2: (0, 1), 1: (1, 0)}),
        ([2, 3, 2, 3], {3: (0, 2)}, {2: (0, 1)}),
    ],
)
def test_skip_counts_of_toy_paths(levels: list[int], up: dict[int, tuple[int, int]], down: dict[int, tuple[int, int]]) -> None:
    found = skip_counts(np.array(levels))
    for counts, expected in zip(found, (up, down), strict=True):
        assert {i + 1: tuple(row) for i, row in enumerate(counts) if row.any()} == expected


def test_skip_counts_of_mexico() -> None:
    """By hand from the record 1 2 3 2 1 2 3 2: four rises and three falls, none of which went on."""
    data = synthetic.data()
    levels = main_levels(data.claims, last_day(synthetic.ORIGIN), np.arange(FIRST_MONTH, synthetic.ORIGIN + 1))
    spells = [int(k) for i, k in enumerate(levels) if i == 0 or k != levels[i - 1]]
    assert spells == [1, 2, 3, 2, 1, 2, 3, 2]
    up, down = skip_counts(levels)
    np.testing.assert_array_equal(up, [[0, 0], [0, 2], [0, 2], [0, 0]])
    np.testing.assert_array_equal(down, [[0, 1], [0, 2], [0, 0], [0, 0]])
