"""Numbers in cells: plain digits, and of what can be read in two ways both readings are offered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.data.suggestions import number_problem, whole_problem
from forecast.priors.parsing import parse
from forecast.priors.specs import SpecError


@pytest.mark.parametrize("text", ["0", "7", "-7", "0.5", "1.234", "248018", "1e5", "2.5E-3", "100.0"])
def test_plain_numbers_are_read(text: str) -> None:
    assert number_problem(text) is None
    assert (whole_problem(text) is None) == text.lstrip("-").isdigit()


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("248,018", ["248018", "248.018"]),
        ("-1,056", ["-1056", "-1.056"]),
        ("0,056", ["0.056"]),
        ("56,5", ["56.5"]),
        ("1,234,567", ["1234567"]),
        ("1.234.567", ["1234567"]),
        ("1 234", ["1234"]),
        ("1\u202f234", ["1234"]),
        ("1'234", ["1234"]),
        ("1,234.5", ["1234.5"]),
        ("1.234,5", ["1234.5"]),
    ],
)
def test_every_reading_of_a_separator_is_offered(text: str, offered: list[str]) -> None:
    problem = number_problem(text)
    assert problem is not None
    assert re.findall(r"-?[0-9]+(?:\.[0-9]+)?", problem[2]) == offered
    assert all(number_problem(each) is None for each in offered)


@given(st.integers(1, 999), st.integers(0, 999))
def test_a_comma_before_three_digits_is_one_of_two_things(before: int, after: int) -> None:
    problem = number_problem(f"{before},{after:03}")
    assert problem is not None
    assert f"{1000 * before + after} if" in problem[2]
    assert f"{before}.{after:03} if" in problem[2]


@pytest.mark.parametrize("text", ["007", "00.5", "-01", "00", "0000"])
def test_zeros_before_a_number_are_refused(text: str) -> None:
    for problem in (number_problem(text), whole_problem(text)):
        assert problem is not None
        assert "zeros" in problem[2]


@pytest.mark.parametrize("text", ["", " 1", "1_000", "nan", "inf", "1.", ".5", "+1", "١", "1e999", "0x10", "1 2"])
def test_what_else_python_takes_for_a_number_is_refused(text: str) -> None:
    assert number_problem(text) is not None
    assert whole_problem(text) is not None


def test_priors_have_no_leading_zeros_and_no_decimal_commas() -> None:
    with pytest.raises(SpecError, match="zeros"):
        parse("Normal(00.5, 1)")
    with pytest.raises(SpecError, match="decimals with a point"):
        parse("Normal(0,8, 0,3)")
    for text in ("Normal(0.05, 100)", "Normal(1e-06, 0.001)", "Normal(0, 1e+20)"):
        assert str(parse(text)) == text
