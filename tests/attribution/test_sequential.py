"""A difference as a sum of parts: each is the difference of two states by the same draws, and what the draws got wrong remains as noise."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.attribution.sequential import (
    ALARM_Z,
    NEGLIGIBLE,
    Values,
    attribute_sequentially,
    in_quadrature,
    rounded_parts,
    unexplained,
)

TRUTH = [{"a": 0.1 + 0.05 * i, "b": 0.5 - 0.03 * i * i} for i in range(6)]
LAST = 5


def forecast(i: int, error: float = 0.0) -> Values:
    """The true probabilities of a state and an error that a set of draws has in every state."""
    return {q: p + error for q, p in TRUTH[i].items()}


def carried(*numbers: int, error: float = 0.0) -> dict[int, Values]:
    return {i: forecast(i, error) for i in numbers}


def spans(found: object) -> list[tuple[int, int, bool]]:
    return [(part.first, part.last, part.joint) for part in found.contributions]  # type: ignore[attr-defined]


@pytest.mark.parametrize("home", [0, LAST])
def test_draws_that_carry_all_states_give_every_step_and_leave_their_error(home: int) -> None:
    """The draws made one of the two forecasts, whose own error they share; that of the other remains."""
    errors = (0.01, -0.02)
    draws = carried(*range(6), error=errors[home == LAST])
    found = attribute_sequentially(forecast(0, errors[0]), forecast(LAST, errors[1]), draws, LAST)
    assert spans(found) == [(i, i + 1, False) for i in range(5)]
    for part in found.contributions:
        assert part.values == pytest.approx({q: TRUTH[part.last][q] - TRUTH[part.first][q] for q in "ab"})
    assert found.remainder == pytest.approx({"a": -0.03, "b": -0.03})


def test_a_state_between_that_is_not_carried_makes_two_steps_one() -> None:
    found = attribute_sequentially(forecast(0), forecast(LAST), carried(0, 1, 3, 4, 5), LAST)
    assert spans(found) == [(0, 1, False), (1, 3, False), (3, 4, False), (4, 5, False)]
    assert found.remainder == pytest.approx({"a": 0.0, "b": 0.0}, abs=1e-12)


def test_what_the_later_draws_cannot_carry_is_one_joint_part_with_the_noise_of_both() -> None:
    found = attribute_sequentially(forecast(0, 0.01), forecast(LAST, -0.02), carried(3, 4, 5, error=-0.02), LAST)
    assert spans(found) == [(0, 3, True), (3, 4, False), (4, 5, False)]
    assert found.contributions[0].values == pytest.approx({q: TRUTH[3][q] - TRUTH[0][q] - 0.03 for q in "ab"})
    assert found.remainder == pytest.approx({"a": 0.0, "b": 0.0}, abs=1e-12)


def test_what_the_earlier_draws_cannot_carry_is_one_joint_part_at_the_end() -> None:
    found = attribute_sequentially(forecast(0, 0.01), forecast(LAST, -0.02), carried(0, 1, error=0.01), LAST)
    assert spans(found) == [(0, 1, False), (1, 5, True)]
    assert found.contributions[1].values == pytest.approx({q: TRUTH[5][q] - TRUTH[1][q] - 0.03 for q in "ab"})


def test_a_forecast_by_another_model_is_in_a_joint_part() -> None:
    found = attribute_sequentially(forecast(0, 0.2), forecast(LAST), carried(*range(6)), LAST, same_model=False)
    assert spans(found)[:2] == [(0, 0, True), (0, 1, False)]
    assert found.contributions[0].values == pytest.approx({"a": -0.2, "b": -0.2})


def test_identical_inputs_differ_by_noise_alone() -> None:
    found = attribute_sequentially(forecast(0, 0.01), forecast(0, -0.02), carried(0, error=-0.02), 0)
    assert found.contributions == ()
    assert found.remainder == pytest.approx({"a": -0.03, "b": -0.03})


def test_only_questions_of_both_forecasts_are_split() -> None:
    found = attribute_sequentially({"a": 0.1, "gone": 0.2}, {"a": 0.15, "new": 0.3}, {0: {"a": 0.1}, 1: {"a": 0.15}}, 1)
    assert list(found.remainder) == ["a"]


@given(st.sets(st.integers(0, 5)), st.sampled_from([0, LAST]), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.booleans())
def test_parts_and_remainder_add_up_whatever_is_carried(numbers: set[int], home: int, one: float, other: float, same: bool) -> None:
    before, after = forecast(0, one), forecast(LAST, other)
    found = attribute_sequentially(before, after, carried(*numbers, home, error=other), LAST, same)
    ends = [0, *(part.last for part in found.contributions)]
    assert [part.first for part in found.contributions] == ends[:-1]
    assert ends[-1] == LAST
    for q in "ab":
        whole = sum(part.values[q] for part in found.contributions) + found.remainder[q]
        assert whole == pytest.approx(after[q] - before[q], abs=1e-12)


def test_a_state_that_is_forecast_wrong_is_found_as_what_remains() -> None:
    """An error in some states between cancels; one that reaches the other run's state does not."""
    wrong = {i: forecast(i, 0.02 if i <= 3 else 0.0) for i in range(6)}
    found = attribute_sequentially(forecast(0), forecast(LAST), wrong, LAST)
    assert found.remainder == pytest.approx({"a": 0.02, "b": 0.02})
    assert set(unexplained(found.remainder, dict.fromkeys("ab", 0.004))) == {"a", "b"}


def test_independent_errors_add_in_quadrature() -> None:
    assert in_quadrature({"a": 0.003, "b": 1.0}, {"a": 0.004}) == pytest.approx({"a": 0.005})


def test_more_than_chance_leaves_is_unexplained() -> None:
    se = {"a": 0.005, "b": 0.005, "c": 0.0}
    within = {"a": ALARM_Z * 0.005 * 0.99, "b": -ALARM_Z * 0.005 * 0.99, "c": NEGLIGIBLE * 0.99}
    assert unexplained(within, se) == ()
    assert unexplained({"a": ALARM_Z * 0.005 * 1.01, "b": -ALARM_Z * 0.005 * 3, "c": NEGLIGIBLE * 1.5}, se) == ("b", "c", "a")


def test_rounded_parts_add_up_to_the_rounded_sum() -> None:
    assert rounded_parts([0.004, 0.004, 0.004]) == ([0.01, 0.0, 0.0], 0.01)
    assert rounded_parts([-0.004, -0.004, -0.004]) == ([0.0, 0.0, -0.01], -0.01)
    assert rounded_parts([1.236, -0.125, 0.0]) == ([1.24, -0.13, 0.0], 1.11)
    assert rounded_parts([]) == ([], 0.0)


@given(st.lists(st.floats(-50, 50), max_size=40), st.integers(0, 3))
def test_no_rounded_part_is_off_by_a_unit_and_none_is_missing(parts: list[float], digits: int) -> None:
    rounded, total = rounded_parts(parts, digits)
    unit = 10.0**-digits
    assert math.fsum(rounded) == pytest.approx(total, abs=1e-9)
    assert total == pytest.approx(sum(parts), abs=unit / 2 + 1e-9)
    assert all(abs(a - b) < unit + 1e-9 for a, b in zip(rounded, parts, strict=True))
