"""A difference as a sum of parts: each is what its draws say of the two states, and what draws got wrong is left as noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.attribution.residual_noise import ALARM_Z, NEGLIGIBLE, Noise, error_inflation, in_quadrature
from forecast.attribution.sequential import Attribution, Values, attribute_sequentially

TRUTH = [{"a": 0.1 + 0.05 * i, "b": 0.5 - 0.03 * i * i} for i in range(6)]


@dataclass(eq=False)
class Stub:
    """Draws that tell the states they reach: the truth and an error of their own, which is the same in every state."""

    reach: set[int]
    error: float = 0.0
    asked: list[int] = field(default_factory=list)

    def __call__(self, i: int) -> Values | None:
        self.asked.append(i)
        return said_of(i, self.error) if i in self.reach else None

    __hash__ = object.__hash__


def said_of(i: int, error: float) -> Values:
    return {q: p + error for q, p in TRUTH[i].items()}


def told(first: Stub, last: Stub, between: Callable[[int], Stub | None] | None = None, states: int = 6) -> Attribution[Stub]:
    return attribute_sequentially(said_of(0, first.error), said_of(states - 1, last.error), states, first, last, between)


def holds(found: Attribution[Stub], first: Stub, last: Stub, states: int = 6) -> None:
    """Legs follow each other; each is the truth and the errors of those that told it; the noise is the errors wherever draws changed
    hands at a state told twice."""
    ends = [0, *(leg.last for leg in found.legs)]
    assert [leg.first for leg in found.legs] == ends[:-1]
    assert ends[-1] == states - 1
    errors = [first.error, *(x for leg in found.legs for x in (leg.told[0].error, leg.told[1].error)), last.error]
    for q in TRUTH[0]:
        for leg in found.legs:
            true = TRUTH[leg.last][q] - TRUTH[leg.first][q]
            assert leg.values[q] == pytest.approx(true + leg.told[1].error - leg.told[0].error, abs=1e-12)
            assert {leg.first in leg.told[0].reach, leg.last in leg.told[1].reach} == {True}
        handed = sum(after - before for before, after in zip(errors[::2], errors[1::2], strict=True))
        assert found.noise[q] == pytest.approx(handed, abs=1e-12)


def test_draws_that_reach_the_end_tell_every_part_and_leave_their_error() -> None:
    first, last = Stub(set(range(6)), 0.01), Stub({5}, -0.02)
    found = told(first, last)
    for leg in found.legs:
        assert (leg.last, leg.how) == (leg.first + 1, "reweighted")
        assert leg.values["b"] == pytest.approx(TRUTH[leg.last]["b"] - TRUTH[leg.first]["b"])
    assert found.noise["a"] == pytest.approx(-0.03)
    assert (found.handed, found.fits) == (5, 0)
    holds(found, first, last)


def test_where_the_first_draws_end_those_of_the_last_forecast_go_on() -> None:
    first, last = Stub({0, 1, 2}, 0.01), Stub({2, 3, 4, 5}, -0.02)
    found = told(first, last)
    assert [leg.how for leg in found.legs] == ["reweighted"] * 5
    assert [leg.values["a"] for leg in found.legs] == pytest.approx([0.05] * 5)
    assert found.noise["a"] == pytest.approx(-0.03)
    assert found.handed == 2
    holds(found, first, last)


def test_next_to_each_other_they_leave_a_part_with_their_noise() -> None:
    first, last = Stub({0, 1, 2}, 0.01), Stub({3, 4, 5}, -0.02)
    found = told(first, last)
    assert [leg.how for leg in found.legs] == ["reweighted", "reweighted", "fitted", "reweighted", "reweighted"]
    assert found.legs[2].values["a"] == pytest.approx(0.05 - 0.03)
    assert found.noise["a"] == pytest.approx(0.0)
    holds(found, first, last)


def test_a_gap_is_closed_by_a_fit_that_looks_back() -> None:
    first, last, made = Stub({0, 1}, 0.01), Stub({4, 5}, -0.02), Stub({1, 2, 3, 4}, 0.07)
    found = told(first, last, lambda i: made if i == 2 else None)
    assert [leg.how for leg in found.legs] == ["reweighted"] * 5
    assert [leg.values["a"] for leg in found.legs] == pytest.approx([0.05] * 5)
    assert found.noise["a"] == pytest.approx(-0.03)
    assert found.fits == 1
    holds(found, first, last)


def test_a_fit_that_does_not_reach_back_leaves_its_noise_in_the_part() -> None:
    first, last, made = Stub({0, 1}, 0.01), Stub({4, 5}, -0.02), Stub({2, 3, 4}, 0.07)
    found = told(first, last, lambda _: made)
    assert [leg.how for leg in found.legs] == ["reweighted", "fitted", "reweighted", "reweighted", "reweighted"]
    assert found.legs[1].values["a"] == pytest.approx(0.05 + 0.06)
    holds(found, first, last)


def test_a_gap_without_a_fit_is_one_part() -> None:
    first, last = Stub({0, 1}, 0.01), Stub({4, 5}, -0.02)
    for between in (None, lambda _: None):
        found = told(first, last, between)
        assert [(leg.first, leg.last, leg.how) for leg in found.legs] == [
            (0, 1, "reweighted"), (1, 4, "fitted"), (4, 5, "reweighted"),
        ]  # fmt: skip
        holds(found, first, last)


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
def test_it_holds_whatever_the_draws_reach(
    a: set[int], b: set[int], fits: dict[int, set[int]], error: float, other: float, fitting: bool
) -> None:
    first, last = Stub(a | {0}, error), Stub(b | {5}, other)
    made = {i: Stub(reach | {i}, error * other) for i, reach in fits.items()}
    holds(told(first, last, made.get if fitting else None), first, last)


def test_one_set_of_draws_may_tell_both_ends() -> None:
    """What is left then is the rounding of the second forecast; where the draws do not tell a state, two steps are one."""
    draws = Stub({0, 1, 3, 4, 5}, 0.01)
    found = attribute_sequentially(said_of(0, 0.01), said_of(5, 0.0103), 6, draws, draws)
    assert [(leg.first, leg.last, leg.how) for leg in found.legs] == [
        (0, 1, "reweighted"), (1, 3, "reweighted"), (3, 4, "reweighted"), (4, 5, "reweighted"),
    ]  # fmt: skip
    assert found.noise == pytest.approx({"a": 0.0003, "b": 0.0003})


def test_a_leg_that_is_told_wrong_is_found_as_what_remains() -> None:
    """Draws that reach the end and tell a state in the middle of it and all after it wrong leave that in the remainder."""

    @dataclass(eq=False)
    class Wrong(Stub):
        def __call__(self, i: int) -> Values | None:
            found = super().__call__(i)
            return {q: p + (0.02 if i >= 3 else 0.0) for q, p in found.items()} if found else None

        __hash__ = object.__hash__

    first, last = Wrong(set(range(6))), Stub({5})
    found = attribute_sequentially(said_of(0, 0.0), said_of(5, 0.0), 6, first, last)
    errors = dict.fromkeys("ab", 0.004)
    assert found.noise == pytest.approx(dict.fromkeys("ab", -0.02))
    assert Noise(errors, errors, None).unexplained(found.noise) == ("a", "b")


def test_independent_errors_add_in_quadrature() -> None:
    assert in_quadrature({"a": 0.003, "b": 1.0}, {"a": 0.004}) == pytest.approx({"a": 0.005})


def test_two_fits_stretch_the_errors_if_they_differ_by_more() -> None:
    rng = np.random.default_rng(1)
    ids = [f"q{i}" for i in range(400)]
    mcse = dict.fromkeys(ids, 0.002)

    def pair(times: float) -> float:
        one, other = (dict(zip(ids, 0.3 + times * 0.002 * rng.standard_normal(400), strict=True)) for _ in range(2))
        return error_inflation(one, other, mcse, mcse)

    assert pair(1.0) == pytest.approx(1.0, abs=0.1)
    assert pair(0.1) == 1.0
    assert pair(2.0) == pytest.approx(2.0, rel=0.1)
    assert pair(9.0) == pytest.approx(9.0, rel=0.1)


def test_questions_that_chance_cannot_move_do_not_stretch() -> None:
    assert error_inflation({"a": 1.0, "b": 0.2}, {"a": 0.99999, "b": 0.2}, {"a": 1e-9, "b": 0.01}, {"a": 1e-9, "b": 0.01}) == 1.0
    assert error_inflation({}, {}, {}, {}) == 1.0


def test_more_than_chance_leaves_is_unexplained() -> None:
    found = Noise({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 0.005, "b": 0.005, "c": 0.0}, None)  # what remains is judged by its own errors
    assert found.unexplained({"a": ALARM_Z * 0.005 * 0.99, "b": -ALARM_Z * 0.005 * 0.99, "c": NEGLIGIBLE * 0.99}) == ()
    assert found.unexplained({"a": ALARM_Z * 0.005 * 1.01, "b": -ALARM_Z * 0.005 * 3, "c": NEGLIGIBLE * 1.5}) == ("b", "c", "a")
