"""The levels rebuilt from the claims equal a record of them kept apart."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from forecast.data import outcome
from forecast.data.as_of import as_of
from forecast.data.read import read_data
from forecast.data.records import Claim
from forecast.data.tables import Data, history_months, origin
from forecast.domain import last_day, month, month_text
from forecast.errors import InputError

ROOT = Path(__file__).parents[2]
TAU = date(2026, 6, 30)


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(ROOT / "data")


@pytest.fixture(scope="module")
def record() -> list[dict[str, str]]:
    with (ROOT / "tests/fixtures/ladder_monthly.csv").open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def test_the_origin_is_the_last_covered_month(data: Data, record: list[dict[str, str]]) -> None:
    assert month_text(origin(data)) == "2026-06" == record[-1]["month"]
    assert [month_text(m) for m in history_months(data)] == [row["month"] for row in record]
    assert len(history_months(data)) == 246


def test_main_equals_the_record(data: Data, record: list[dict[str, str]]) -> None:
    months = history_months(data)
    assert outcome.main_levels(data.claims, TAU, months).tolist() == [int(row["level_main"]) for row in record]


def test_known_then_equals_the_record(data: Data, record: list[dict[str, str]]) -> None:
    months = history_months(data)
    assert outcome.real_time_levels(data.claims, months).tolist() == [int(row["level_known_then"]) for row in record]


@pytest.mark.parametrize("reading", ["advisers_stayed", "denials_true", "covert_true"])
def test_the_other_readings_equal_the_record(data: Data, record: list[dict[str, str]], reading: str) -> None:
    assert outcome.reading_levels(data, reading, TAU, history_months(data)).tolist() == [int(row[reading]) for row in record]


def test_known_then_is_what_a_selection_by_date_gives(data: Data) -> None:
    months = history_months(data)
    then = outcome.real_time_levels(data.claims, months)
    for m in months[::7]:
        assert outcome.main_levels(as_of(data, last_day(m)).claims, last_day(m), [m])[0] == then[m - months[0]]


def test_each_change_has_the_claim_that_makes_it(data: Data) -> None:
    months = history_months(data)
    levels = outcome.main_levels(data.claims, TAU, months)
    result = outcome.level_changes(levels, months, outcome.claims_in_force(data.claims, TAU, months))
    assert len(result) == int(np.count_nonzero(np.diff(levels))) > 0
    for change in result:
        assert (levels[change.month - months[0]], levels[change.month - months[0] - 1]) == (change.after, change.before)
        assert change.claim.level == change.after
        assert change.claim.start <= change.month


def test_readings_that_coincide_merge(data: Data) -> None:
    months = history_months(data)
    assert list(outcome.distinct_readings(data, TAU, months)) == ["main", "advisers_stayed", "denials_true", "covert_true"]
    early = range(months[0], month("2013-01"))
    assert outcome.distinct_readings(data, date(2013, 1, 31), early) == {"main": ("main", "advisers_stayed", "denials_true", "covert_true")}


def claim(claim_id: str, level: int, published: str, start: str = "2006-01", end: str = "", stance: str = "documented") -> Claim:
    return Claim.model_validate(
        {
            "claim_id": claim_id,
            "start": start,
            "end": end,
            "level": str(level),
            "published": published,
            "supersedes": "",
            "stance": stance,
            "basis_ids": "",
            "confidence": "low",
            "why": "made up",
        }
    )


def test_the_claim_published_last_wins_whatever_its_place() -> None:
    m = [month("2006-05")]
    old, new = claim("X1", 1, "2006-01-01"), claim("X2", 3, "2006-02")
    assert outcome.main_levels([new, old], date(2006, 2, 28), m)[0] == 3
    assert outcome.main_levels([new, old], date(2006, 2, 27), m)[0] == 1


def test_of_two_of_one_day_the_later_id_wins() -> None:
    assert outcome.main_levels([claim("X2", 2, "2006-01-01"), claim("X1", 3, "2006-01-01")], TAU, [month("2006-05")])[0] == 2


def test_disputed_and_denied_claims_never_count() -> None:
    claims = [claim("X1", 1, "2006-01-01"), claim("X2", 4, "2007", stance="disputed"), claim("X3", 5, "2008", stance="denied")]
    assert outcome.main_levels(claims, TAU, [month("2010-01")])[0] == 1


def test_a_month_without_a_claim_is_refused() -> None:
    with pytest.raises(InputError, match="2006-01"):
        outcome.main_levels([claim("X1", 1, "2006-01-01", start="2006-02")], TAU, [month("2006-01")])


def test_an_unknown_reading_is_refused_with_the_known_ones(data: Data) -> None:
    with pytest.raises(InputError, match="covert_true"):
        outcome.reading_levels(data, "covert", TAU, history_months(data))
