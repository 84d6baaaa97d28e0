"""A difference as a sum of parts: it adds up whatever the draws say, and each part is what its draws say of the two states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.forecasting.revised.noise import FACTOR_MAX, LEAST, LOUD, SHARE_MIN, cancelled, noise, stretched
from forecast.forecasting.revised.telescope import Told, Values, telescope

TRUTH = [{"a": 0.1 + 0.05 * i, "b": 0.5 - 0.03 * i * i} for i in range(6)]


@dataclass(eq=False)
class Stub:
    """Draws that tell the states they reach: the truth and an error of their own, which is the same in every state."""

    reach: set[int]
    error: float = 0.0
    asked: list[int] = field(default_factory=list)

    def __call__(self, i: int) -> Values | None:
        self.asked.append(i)
        return {q: p + self.error for q, p in TRUTH[i].items()} if i in self.reach else None

    __hash__ = object.__hash__


def said(draws: Stub, i: int) -> Values:
    found = draws(i)
    assert found is not None
    return found


def told(first: Stub, last: Stub, between: Callable[[int], Stub | None] | None = None, states: int = 6) -> Told:
    return telescope(said(first, 0), said(last, states - 1), states, first, last, between)


def adds_up(found: Told, first: Stub, last: Stub, states: int = 6) -> None:
    for q in TRUTH[0]:
        whole = said(last, states - 1)[q] - said(first, 0)[q]
        assert sum(leg.values[q] for leg in found.legs) + found.noise[q] == pytest.approx(whole, abs=1e-12)
    ends = [0, *(leg.last for leg in found.legs)]
    assert [leg.first for leg in found.legs] == ends[:-1]
    assert ends[-1] == states - 1


def test_draws_that_reach_the_end_tell_every_part_and_leave_their_error() -> None:
    first, last = Stub(set(range(6)), 0.01), Stub({5}, -0.02)
    found = told(first, last)
    for leg in found.legs:
        assert (leg.last, leg.how) == (leg.first + 1, "reweighted")
        assert leg.values["b"] == pytest.approx(TRUTH[leg.last]["b"] - TRUTH[leg.first]["b"])
    assert found.noise["a"] == pytest.approx(-0.03)
    assert (found.handed, found.fits) == (5, 0)
    adds_up(found, first, last)


def test_where_the_first_draws_end_those_of_the_last_forecast_go_on() -> None:
    first, last = Stub({0, 1, 2}, 0.01), Stub({2, 3, 4, 5}, -0.02)
    found = told(first, last)
    assert [leg.how for leg in found.legs] == ["reweighted"] * 5
    assert [leg.values["a"] for leg in found.legs] == pytest.approx([0.05] * 5)
    assert found.noise["a"] == pytest.approx(-0.03)
    assert found.handed == 2
    adds_up(found, first, last)


def test_next_to_each_other_they_leave_a_part_with_their_noise() -> None:
    first, last = Stub({0, 1, 2}, 0.01), Stub({3, 4, 5}, -0.02)
    found = told(first, last)
    assert [leg.how for leg in found.legs] == ["reweighted", "reweighted", "fitted", "reweighted", "reweighted"]
    assert found.legs[2].values["a"] == pytest.approx(0.05 - 0.03)
    assert found.noise["a"] == pytest.approx(0.0)
    adds_up(found, first, last)


def test_a_gap_is_closed_by_a_fit_that_looks_back() -> None:
    first, last, made = Stub({0, 1}, 0.01), Stub({4, 5}, -0.02), Stub({1, 2, 3, 4}, 0.07)
    found = told(first, last, lambda i: made if i == 2 else None)
    assert [leg.how for leg in found.legs] == ["reweighted"] * 5
    assert [leg.values["a"] for leg in found.legs] == pytest.approx([0.05] * 5)
    assert found.noise["a"] == pytest.approx(-0.03)
    assert found.fits == 1
    adds_up(found, first, last)


def test_a_fit_that_does_not_reach_back_leaves_its_noise_in_the_part() -> None:
    first, last, made = Stub({0, 1}, 0.01), Stub({4, 5}, -0.02), Stub({2, 3, 4}, 0.07)
    found = told(first, last, lambda _: made)
    assert [leg.how for leg in found.legs] == ["reweighted", "fitted", "reweighted", "reweighted", "reweighted"]
    assert found.legs[1].values["a"] == pytest.approx(0.05 + 0.06)
    adds_up(found, first, last)


def test_a_gap_without_a_fit_is_one_part() -> None:
    first, last = Stub({0, 1}, 0.01), Stub({4, 5}, -0.02)
    for between in (None, lambda _: None):
        found = told(first, last, between)
        assert [(leg.first, leg.last, leg.how) for leg in found.legs] == [
            (0, 1, "reweighted"), (1, 4, "fitted"), (4, 5, "reweighted"),
        ]  # fmt: skip
        adds_up(found, first, last)


def test_identical_inputs_differ_by_noise_alone() -> None:
    first, last = Stub({0}, 0.01), Stub({0}, -0.02)
    found = told(first, last, states=1)
    assert found.legs == ()
    assert found.noise == pytest.approx({"a": -0.03, "b": -0.03})


def test_the_last_draws_are_asked_no_more_than_needed() -> None:
    first, last = Stub(set(range(6))), Stub(set(range(6)))
    told(first, last)
    assert set(last.asked) <= {5}


@given(
    st.sets(st.integers(1, 5)), st.sets(st.integers(0, 4)), st.dictionaries(st.integers(1, 5), st.sets(st.integers(0, 5))),
    st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.booleans(),
)  # fmt: skip
def test_it_adds_up_whatever_the_draws_reach(
    a: set[int], b: set[int], fits: dict[int, set[int]], error: float, other: float, fitting: bool
) -> None:
    first, last = Stub(a | {0}, error), Stub(b | {5}, other)
    made = {i: Stub(reach | {i}, error * other) for i, reach in fits.items()}
    adds_up(told(first, last, made.get if fitting else None), first, last)


def test_noise_is_the_two_monte_carlo_errors_together() -> None:
    found = noise({"a": 0.003}, {"a": 0.004}, 1.0, 1.0, 1, None)
    assert found.se["a"] == pytest.approx(0.005)
    assert found.factor is None
    assert noise({"a": 0.003}, {"a": 0.004}, 0.25, 1.0, 1, None).se["a"] == pytest.approx(np.hypot(0.006, 0.004))
    assert noise({"a": 0.003}, {"a": 0.004}, 1.0, 1.0, 2, 1.5).se["a"] == pytest.approx(0.005 * 1.5 * np.sqrt(2))


def test_two_fits_stretch_the_errors_if_they_differ_by_more() -> None:
    rng = np.random.default_rng(1)
    ids = [f"q{i}" for i in range(400)]
    mcse = dict.fromkeys(ids, 0.002)

    def pair(times: float) -> float:
        one, other = (dict(zip(ids, 0.3 + times * 0.002 * rng.standard_normal(400), strict=True)) for _ in range(2))
        return stretched(one, other, mcse, mcse)

    assert pair(1.0) == pytest.approx(1.0, abs=0.1)
    assert pair(0.1) == 1.0
    assert pair(2.0) == pytest.approx(2.0, rel=0.1)
    assert pair(9.0) == FACTOR_MAX


def test_questions_that_chance_cannot_move_do_not_stretch() -> None:
    assert stretched({"a": 1.0, "b": 0.2}, {"a": 0.99999, "b": 0.2}, {"a": 1e-9, "b": 0.01}, {"a": 1e-9, "b": 0.01}) == 1.0
    assert stretched({}, {}, {}, {}) == 1.0


def test_a_part_told_twice_says_how_much_noise_is_left_in_parts() -> None:
    se = {"a": 0.002, "b": 0.004, "never": 0.0}
    part = {"a": 0.01, "b": -0.01, "never": 0.0}
    assert cancelled(part, {"a": 0.01 + 0.0004, "b": -0.01 - 0.0008, "never": 0.0}, se) == pytest.approx(0.2)
    assert cancelled(part, part, se) == SHARE_MIN
    assert cancelled(part, {"a": 1.0, "b": 1.0, "never": 0.0}, se) == 1.0
    assert cancelled({"never": 0.0}, {"never": 0.0}, se) == 1.0


def test_more_than_chance_leaves_is_unexplained() -> None:
    found = noise({"a": 0.003, "b": 0.003, "c": 0.0}, {"a": 0.004, "b": 0.004, "c": 0.0}, 1.0, 1.0, 1, None)
    assert found.unexplained({"a": LOUD * 0.005 * 0.99, "b": -LOUD * 0.005 * 0.99, "c": LEAST * 0.99}) == ()
    assert found.unexplained({"a": LOUD * 0.005 * 1.01, "b": -LOUD * 0.005 * 3, "c": LEAST * 1.5}) == ("b", "c", "a")
