"""How numbers and dates are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast import formatting


@pytest.mark.parametrize(
    ("p", "text"),
    [
        *(
            (0.0, "<0.1 %"),
            (0.0004, "<0.1 %"),
            (0.001, "0.1 %"),
            (0.0034, "0.3 %"),
            (0.0099, "1 %"),
            (0.00996, "1.0 %"),
            (0.0234, "2.3 %"),
            (0.0996, "10 %"),
            (0.1449, "14 %"),
        ),
        *((0.996, "99.6 %"), (0.9999, ">99.9 %"), (1.0, ">99.9 %"), (None, "–")),
    ],
)
def test_percent_keeps_two_figures_and_bounds_the_ends(p: float | None, text: str) -> None:
    assert formatting.percent(p) == text


@pytest.mark.parametrize(("p", "text"), [(0.081, "8 %"), (0.0027, "0.3 %"), (0.144, "10 %"), (0.0996, "10 %"), (0.97, "97 %")])
def test_the_headline_has_one_significant_figure(p: float, text: str) -> None:
    assert formatting.headline_percent(p) == text


@given(st.floats(0, 1))
def test_no_chance_is_ever_shown_as_none_or_all(p: float) -> None:
    for shown in (formatting.percent(p), formatting.plain_percent(p), formatting.headline_percent(p)):
        assert shown not in ("0 %", "0.0 %", "0.00 %", "100 %", "100.0 %")
        value = float(shown.strip("<> %"))
        assert abs(value / 100 - p) <= max(0.051 * p, 0.001) + (0.05 if shown == formatting.headline_percent(p) else 0.005)


@given(st.floats(1e-6, 1e6), st.integers(1, 4))
def test_significant_rounds_to_that_many_digits(x: float, digits: int) -> None:
    shown = formatting.significant(x, digits)
    assert "e" not in shown
    assert float(shown) == pytest.approx(x, rel=0.5001 * 10 ** (1 - digits))


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.0, "0"), (7, "7"), (-1.25, "−1.2"), (1234.5, "1,234"), (1.0041, "1.0"), (None, "–"), (31.26, "31"), (123.4, "123")],
)
def test_numbers(x: float | None, text: str) -> None:
    assert formatting.number(x) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.008, 0.186, "0.8–19 %"),
        (0.97, 0.9999, "≥97 %"),
        (0.6, 0.9999, "60–99.9+ %"),
        (0.0, 0.03, "<0.1–3 %"),
        (0.12, 0.12, "12 %"),
        (0.9999, 1.0, ">99.9 %"),
    ],
)
def test_ranges_have_one_sign(low: float, high: float, text: str) -> None:
    assert formatting.percent_range(low, high) == text


def test_differences_are_signed() -> None:
    assert [formatting.points(d) for d in (0.016, -0.04, 0.0, None)] == ["+1.6", "−4.0", "±0.0", "–"]


def test_dates_keep_their_precision() -> None:
    assert [formatting.day_words(d) for d in ("2026-06-30", "2026-06", "2026")] == ["30 June 2026", "June 2026", "2026"]
    assert formatting.window_words("2026-07", "2027-06") == "July 2026 – June 2027"
    assert formatting.month_before("2026-02", 3) == "2025-11"


def test_a_month_stands_at_its_middle_on_a_time_axis() -> None:
    assert formatting.year_of("2026-07") == pytest.approx(2026 + 6.5 / 12)
    assert formatting.year_of("2024-01-01") == 2024
    assert formatting.year_of("2024-12-31") < 2025
    assert formatting.year_of("2009") == 2009.5
