"""Provisional overdose deaths: each oddity of the interface, and each way in which it may change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forecast.data.sources.connector import PublishedFigure, Request
from forecast.data.sources.overdose import CONNECTOR, INDICATOR_SERIES, explain, next_page, parse
from forecast.domain import month
from forecast.errors import SourceError
from tests.support.publishers import alphabetical, provisional

ALL, OPIOIDS = INDICATOR_SERIES

type Row = dict[str, Any]


def rows() -> list[Row]:
    return [
        provisional(label, f"2025-{m:02d}", str(70_000 + m), str(71_000 + m), f"0.{m:02d}")
        for label in INDICATOR_SERIES
        for m in range(1, 13)
    ]


def parsed(*pages: list[Row]) -> dict[tuple[str, str], tuple[str, ...]]:
    figures = parse(tuple(json.dumps(page).encode() for page in pages))
    return {(f.series, f"{f.month // 12}-{f.month % 12 + 1:02d}"): f.values for f in figures}


def test_all_values_are_texts() -> None:
    assert parsed(rows())["all_drugs", "2025-03"] == ("70003", "71003", "0.03")
    with pytest.raises(SourceError, match="Column 'data_value' holds '70001'"):
        parsed([{**rows()[0], "data_value": 70001}, *rows()[1:]])


def test_months_are_english_names() -> None:
    assert parse((json.dumps(rows()).encode(),))[0] == PublishedFigure("all_drugs", month("2025-01"), ("70001", "71001", "0.01"))
    with pytest.raises(SourceError, match="Column 'month' holds 'Enero'"):
        parsed([{**rows()[0], "month": "Enero"}, *rows()[1:]])


def test_months_that_come_in_alphabetical_order_are_put_in_theirs() -> None:
    figures = parse((json.dumps(alphabetical(rows())).encode(),))
    assert [f.month for f in figures if f.series == "all_drugs"] == list(range(month("2025-01"), month("2025-12") + 1))


def test_percent_complete_may_be_more_than_a_number() -> None:
    assert {row["percent_complete"] for row in rows()} == {"99.5+"}
    assert len(parsed(rows())) == 24


def test_null_keys_are_left_out_of_a_row() -> None:
    bare = provisional(ALL, "2025-01", "70001", None, None)
    assert {"predicted_value", "percent_pending_investigation"}.isdisjoint(bare)
    assert parsed([bare, *rows()[1:]])["all_drugs", "2025-01"] == ("70001", "", "")


def test_a_null_that_is_there_is_none_either() -> None:
    assert parsed([{**rows()[0], "predicted_value": None}, *rows()[1:]])["all_drugs", "2025-01"][1] == ""


def test_a_row_without_any_total_says_nothing() -> None:
    assert ("all_drugs", "2025-01") not in parsed([provisional(ALL, "2025-01", None, None, "0.2"), *rows()[1:]])


@pytest.mark.parametrize(
    "column", ["state", "year", "month", "period", "indicator", "data_value", "predicted_value", "percent_pending_investigation"]
)
def test_a_column_that_is_gone_is_named(column: str) -> None:
    with pytest.raises(SourceError, match=f"no column '{column}'"):
        parsed([{k: v for k, v in row.items() if k != column} for row in rows()])


def test_a_column_that_was_renamed_is_named_with_its_new_name() -> None:
    with pytest.raises(SourceError, match="no column 'data_value'; it has 'data_values'"):
        parsed([{("data_values" if k == "data_value" else k): v for k, v in row.items()} for row in rows()])


def test_a_row_that_does_not_say_what_it_is_is_refused() -> None:
    with pytest.raises(SourceError, match="a row without 'year'"):
        parsed([{k: v for k, v in rows()[0].items() if k != "year"}, *rows()[1:]])


@pytest.mark.parametrize(
    ("column", "value"),
    [("state", "AK"), ("period", "3 month-ending"), ("indicator", "Heroin (T40.1)"), ("year", "25"), ("data_value", "70,001"),
     ("predicted_value", "n/a"), ("percent_pending_investigation", "1e3")],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_with_its_column(column: str, value: str) -> None:
    with pytest.raises(SourceError, match=rf"(?i)column '{column}'"):
        parsed([{**rows()[0], column: value}, *rows()[1:]])


def test_an_indicator_that_was_renamed_is_missed() -> None:
    with pytest.raises(SourceError, match=r"no row whose column 'indicator' is 'Synthetic opioids, excl\. methadone"):
        parsed([row for row in rows() if row["indicator"] == ALL])


def test_a_month_twice_is_refused() -> None:
    with pytest.raises(SourceError, match="all_drugs of 2025-01 twice"):
        parsed([*rows(), rows()[0]])


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(SourceError, match="no row"):
        parsed([], [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><html>", "a web page; expected JSON"),
        (b"", "empty"),
        (b'[{"state": "US"', "cut short"),
        (b"[1]", "not a list of rows"),
        (b'{"message": "x"}', "not a list of rows"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_what_is_no_list_of_rows_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        parse((body,))


def test_pages_of_a_thousand_are_followed_to_the_last() -> None:
    first = CONNECTOR.requests[0]
    assert dict(first.query) == {"state": "US", "indicator": ALL, "$order": ":id", "$limit": "5000", "$offset": "0"}
    full = json.dumps([{}] * 1000).encode()
    second = next_page(first, full)
    assert isinstance(second, Request)
    assert dict(second.query) == {**dict(first.query), "$offset": "1000"}
    third = next_page(second, json.dumps([{}] * 5000).encode())
    assert third is not None
    assert dict(third.query)["$offset"] == "6000"
    assert next_page(third, json.dumps([{}] * 999).encode()) is None
    assert next_page(third, b"[]") is None


def test_both_kinds_of_error_envelopes_are_understood() -> None:
    bad = {"message": "Query coordinator error: no such column", "errorCode": "query.soql.no-such-column", "data": {"column": "stat"}}
    missing = {"code": "dataset.missing", "error": True, "message": "Not found", "data": {"id": "xkb8-kh2b"}}
    assert explain(json.dumps(bad).encode()) == "Query coordinator error: no such column"
    assert explain(json.dumps(missing).encode()) == "Not found"
    assert [explain(body) for body in (b"<html>", b"[]", b'{"message": 3}', b"\xff")] == [""] * 4
