"""What counts as new, and what cannot be true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.data.records import Indicator, OverdoseRelease, Record
from forecast.data.sources.connector import INDICATORS, RELEASES, PublishedFigure, SeriesSpec
from forecast.data.sources.new_vintage import new_vintage
from forecast.domain import Month, month, month_text
from forecast.errors import SourceError

DAY = date(2026, 11, 24)
TPU = SeriesSpec("tpu", 0, 100_000, {"unit": "index", "source": "its authors"}, month("2000-01"), 6)
DRUGS = SeriesSpec("all_drugs", 10_000, 500_000)
START = month("2025-01")


def indicator(m: int, value: float, published: str = "2026-10-01") -> Record:
    cells = {"month": month_text(m), "series": "tpu", "value": str(value), "published": published, "unit": "index", "source": "its authors"}
    return Indicator.model_validate(cells)


def release(m: int, reported: str, published: str = "2026-10-01") -> Record:
    cells = {
        "period_end": month_text(m),
        "indicator": "all_drugs",
        "published": published,
        "reported": reported,
        "predicted": "",
        "percent_pending": "",
    }
    return OverdoseRelease.model_validate(cells)


def figures(values: Sequence[float], start: int = START) -> list[PublishedFigure]:
    return [PublishedFigure("tpu", Month(start + i), (str(value),)) for i, value in enumerate(values)]


def totals(values: Sequence[int], start: int = START) -> list[PublishedFigure]:
    return [PublishedFigure("all_drugs", Month(start + i), (str(value), "", "")) for i, value in enumerate(values)]


HELD = [indicator(START + i, 30.0 + i) for i in range(18)]
SAME = [30.0 + i for i in range(18)]


def test_what_is_held_already_is_not_new() -> None:
    assert new_vintage(INDICATORS, [TPU], figures(SAME), HELD, DAY).rows == ()


def test_digits_beyond_those_kept_are_no_revision() -> None:
    assert new_vintage(INDICATORS, [TPU], figures([value + 4e-7 for value in SAME]), HELD, DAY).rows == ()


def test_a_new_month_and_a_revised_one_are_new_rows_published_on_the_day_of_the_pull() -> None:
    new = new_vintage(INDICATORS, [TPU], figures([*SAME[:17], 99.5, 51.0]), HELD, DAY)
    assert [(cells["month"], cells["value"], cells["published"]) for cells, _ in new.rows] == [
        ("2026-06", "99.5", "2026-11-24"),
        ("2026-07", "51.0", "2026-11-24"),
    ]
    assert [record.model_dump(include={"unit", "source"}) for _, record in new.rows] == [{"unit": "index", "source": "its authors"}] * 2


def test_the_newest_vintage_is_what_a_figure_is_compared_with() -> None:
    revised = [*HELD, indicator(START, 35.0, "2026-10-05")]
    assert new_vintage(INDICATORS, [TPU], figures([35.0, *SAME[1:]]), revised, DAY).rows == ()
    back = new_vintage(INDICATORS, [TPU], figures(SAME), revised, DAY).rows
    assert [cells["value"] for cells, _ in back] == ["30.0"]


def test_a_release_is_kept_whole_as_soon_as_one_of_its_totals_is_new() -> None:
    held = [release(START + i, str(70_000 + i)) for i in range(12)]
    same = [70_000 + i for i in range(12)]
    assert new_vintage(RELEASES, [DRUGS], totals(same), held, DAY).rows == ()
    assert len(new_vintage(RELEASES, [DRUGS], totals([*same, 71_000]), held, DAY).rows) == 13
    assert len(new_vintage(RELEASES, [DRUGS], totals([*same[:-1], 70_500]), held, DAY).rows) == 12


def test_a_release_is_compared_with_the_newest_one_alone() -> None:
    held = [release(START + i, "70000") for i in range(12)] + [release(START + i, "71000", "2026-10-20") for i in range(6, 12)]
    assert new_vintage(RELEASES, [DRUGS], totals([71_000] * 6, START + 6), held, DAY).rows == ()


def test_a_month_that_has_not_ended_is_left_out_and_so_is_what_lies_before_the_start() -> None:
    long = [PublishedFigure("tpu", month(m), ("5",)) for m in ("1999-12", "2000-01", "2026-10", "2026-11")]
    assert [cells["month"] for cells, _ in new_vintage(INDICATORS, [TPU], long, [], DAY).rows] == ["2000-01", "2026-10"]
    assert len(new_vintage(INDICATORS, [TPU], long, [], date(2026, 11, 30)).rows) == 3


def test_an_extremely_skewed_series_is_no_error() -> None:
    assert len(new_vintage(INDICATORS, [TPU], figures([*SAME, 5000.0, 40.0]), HELD, DAY).rows) == 2


def test_months_that_are_missing_stay_and_are_told() -> None:
    new = new_vintage(INDICATORS, [TPU], [f for f in figures([*SAME, 60.0]) if f.month != START + 3], HELD, DAY)
    assert [cells["month"] for cells, _ in new.rows] == ["2026-07"]
    assert new.note == "tpu lacks 1 months that are held (2025-04); they stay"


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ([], "no figure of tpu"),
        (figures([*SAME[:17], -0.5]), r"tpu of 2026-06 is -0\.5; possible are 0 to 100,000"),
        (figures([*SAME[:17], 100_001.0]), "possible are"),
        (figures(SAME[:17]), "ends with 2026-05, but 2026-06 is held: this copy is older"),
        (figures(SAME[10:], START + 10), "8 of the 18 months held"),
        (figures([100 * value for value in SAME]), "100 times what is held for the same months: has its unit changed"),
        (figures([value / 100 for value in SAME]), r"0\.01 times"),
        ([*figures(SAME), *figures(SAME[:1])], "tpu of 2025-01 is there twice"),
    ],
    ids=["nothing", "negative", "too large", "older copy", "more than half gone", "per cent", "share", "twice"],
)
def test_what_cannot_be_true_is_refused(given_: list[PublishedFigure], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        new_vintage(INDICATORS, [TPU], given_, HELD, DAY)


def test_half_of_the_months_are_just_enough() -> None:
    assert new_vintage(INDICATORS, [TPU], figures(SAME[9:], START + 9), HELD, DAY).note.startswith("tpu lacks 9 months")


def test_zero_deaths_are_not_believed() -> None:
    with pytest.raises(SourceError, match="all_drugs of 2025-12 is 0"):
        new_vintage(RELEASES, [DRUGS], totals([70_000] * 11 + [0]), [], DAY)


def test_a_cell_that_the_record_refuses_is_named() -> None:
    figure = PublishedFigure("all_drugs", START, ("70000", "", "101"))
    with pytest.raises(SourceError, match=r"column percent_pending: found '101'; expected a value ≤ 100"):
        new_vintage(RELEASES, [DRUGS], [figure], [], DAY)


def test_two_vintages_of_one_day_cannot_both_be_kept() -> None:
    today = [*HELD[:17], indicator(START + 17, 47.0, "2026-11-24")]
    assert new_vintage(INDICATORS, [TPU], figures(SAME), today, DAY).rows == ()
    with pytest.raises(SourceError, match="tpu of 2026-06 differs from a vintage published 2026-11-24"):
        new_vintage(INDICATORS, [TPU], figures([*SAME[:17], 50.0]), today, DAY)


@given(st.lists(st.floats(1, 1000).map(lambda x: round(x, 6)), min_size=1, max_size=20), st.lists(st.booleans(), min_size=20, max_size=20))
def test_pulling_again_what_was_just_added_adds_nothing(values: list[float], revised: list[bool]) -> None:
    """Whatever is held and whatever is new: held and new rows together leave nothing new."""
    held = [indicator(START + i, value) for i, value in enumerate(values)]
    newer = figures([round(value * (1.2 if change else 1), 6) for value, change in zip(values, revised, strict=False)] + [3.5])
    added = new_vintage(INDICATORS, [TPU], newer, held, DAY).rows
    moved = {f.month for f, old in zip(newer, values, strict=False) if abs(float(f.values[0]) - old) > 1.1e-6}
    assert {record.month for _, record in added} == moved | {START + len(values)}  # type: ignore[attr-defined]
    assert new_vintage(INDICATORS, [TPU], newer, [*held, *(record for _, record in added)], date(2026, 11, 25)).rows == ()
