"""What is fresh, late or stopped, by cadence, lag and the day one asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from forecast.data.freshness import Freshness, freshness
from forecast.data.read import read_data
from forecast.data.tables import Data
from tests.support.data_editing import BUNDLED


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(BUNDLED)


def of(data: Data, series: str, today: date) -> Freshness:
    return next(row for row in freshness(data, today) if row.series == series)


def test_every_source_has_its_row(data: Data) -> None:
    assert [row.series for row in freshness(data, date(2026, 6, 30))] == list(data.sources)


def test_a_monthly_series_is_due_its_lag_after_the_next_month(data: Data) -> None:
    row = of(data, "usdmxn_avg", date(2026, 6, 30))
    assert (row.newest, row.expected_next, row.status) == ("2026-05", date(2026, 6, 30) + timedelta(days=7), "fresh")
    assert row.used_for == "context"


def test_past_its_day_a_series_is_late_unless_it_is_known_to_have_stopped(data: Data) -> None:
    assert of(data, "usdmxn_avg", date(2026, 7, 7)).status == "fresh"
    assert of(data, "usdmxn_avg", date(2026, 7, 8)).status == "stopped (expected)"
    source = data.sources["usdmxn_avg"].model_copy(update={"expected_stop": None})
    running = replace(data, sources={**data.sources, "usdmxn_avg": source})
    assert of(running, "usdmxn_avg", date(2026, 7, 8)).status == "late"


def test_a_series_that_stops_before_its_expected_stop_is_late(data: Data) -> None:
    short = tuple(row for row in data.indicators if row.series != "usdmxn_avg" or row.month < 12 * 2026)
    assert of(replace(data, indicators=short), "usdmxn_avg", date(2026, 7, 8)).status == "late"


def test_a_yearly_series_is_due_a_year_later(data: Data) -> None:
    row = of(data, "overdose_final", date(2026, 11, 24))
    assert (row.newest, row.expected_next, row.status) == ("2024-12", date(2026, 12, 31), "fresh")


def test_a_file_without_a_timetable_is_late_when_nobody_has_looked(data: Data) -> None:
    through = data.coverage["events.csv"]
    assert of(data, "events", through + timedelta(days=45)).status == "fresh"
    row = of(data, "events", through + timedelta(days=46))
    assert (row.status, row.expected_next, row.newest) == ("late", None, str(max(data.events, key=lambda e: e.date.last).date))


def test_what_is_not_dated_has_no_newest(data: Data) -> None:
    row = of(data, "stakes", date(2026, 6, 30))
    assert (row.newest, row.published, row.expected_next) == (None, None, None)
