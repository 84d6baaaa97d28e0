"""Every number and every date of every table, off by a factor or in the future, is odd or refused; the data as they are, are not."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from forecast.data import column_types
from forecast.data.checks.expected import source_of
from forecast.data.checks.jumps import MAX_TOTAL_CHANGE, jumps
from forecast.data.checks.registry import CLOCK_CHECKS, ODDITY_CHECKS, find_errors, find_oddities, run_checks
from forecast.data.read import read_all
from forecast.data.records import Record
from forecast.data.settings import ExpectedOddity
from forecast.data.tables import RECORDS, RecordTable
from forecast.data.toml_file import Settings
from forecast.errors import Problem
from tests.conftest import NOW
from tests.support.data_editing import BUNDLED, Row, rows_of

type Tables = Mapping[str, RecordTable[Any]]

TODAY = NOW.date()
FUTURE = {"day": "2062-01-15", "month": "2062-01", "year": "2062"}
NUMBERS = (
    column_types.Number,
    column_types.Percent,
    column_types.Deaths,
    column_types.Share,
    column_types.Count,
    column_types.Level,
    column_types.Intensity,
    column_types.Flag,
    column_types.Year,
)
CODES = {"level", "operation_level", "competitive_elections", "capable_army"}
"""Numbers that name a class: 0 is one of them."""

JUDGED = {"probability"}
"""A judgement between 0 and 1 that no other figure is near to: a tenth of it may be meant."""

BY_LAW_OR_PLAN = {("calendar", "date"), ("administrations", "start"), ("administrations", "end")}
"""Dates that lie ahead by their nature; a term that is too long is odd all the same."""

JUMPY = {"ofac_mexico_additions"}
"""Series that sources.toml declares to come in batches."""


@pytest.fixture(scope="module")
def read() -> tuple[Tables, Settings]:
    tables, settings, problems = read_all(BUNDLED)
    assert settings is not None
    assert problems == []
    return tables, settings


def inner(annotation: Any) -> Any:
    """The type of a cell that may be empty."""
    return get_args(annotation)[0] if getattr(annotation, "__origin__", None) is column_types.Opt else annotation


def columns(*kinds: Any) -> Iterator[tuple[str, str]]:
    for name, record in RECORDS.items():
        for column, field in record.model_fields.items():
            if inner(field.annotation) in kinds:
                yield name, column


@functools.cache
def written(name: str) -> list[Row]:
    return rows_of(BUNDLED / RECORDS[name].file)


def met(read: tuple[Tables, Settings], name: str, i: int, column: str, text: str) -> list[Problem]:
    """What is wrong or odd once row i says this: the cell alone, or else all that was not there before."""
    tables, settings = read
    record: type[Record] = RECORDS[name]
    try:
        row = record.model_validate({**written(name)[i], column: text})
    except ValidationError as e:
        return [Problem(record.file, str(e), "", "")]
    table = tables[name]
    edited = {**tables, name: RecordTable((*table.rows[:i], row, *table.rows[i + 1 :]), table.lines)}
    known = {str(p) for p in odd_in(tables, name, settings)}
    result = [p for p in find_errors(edited, (), settings) if p.file == record.file]
    return result or [p for p in odd_in(edited, name, settings) if str(p) not in known]


def odd_in(tables: Tables, name: str, settings: Settings) -> list[Problem]:
    """What is odd in one table: `find_oddities`, without the time that the others take."""
    odd, future = (tuple(check for check in checks if check[1] == (name,)) for checks in (ODDITY_CHECKS, CLOCK_CHECKS))
    warnings = run_checks(odd, tables, settings, severity="warning")
    return [*warnings, *run_checks(future, tables, settings, TODAY, severity="warning")]


def samples(name: str, column: str) -> list[int]:
    """Rows with something in the column: the newest, of a table of several series the newest of each.

    Of indicators, which are shown beside drivers only and may be noisy, a month near the middle of its year; of persons the most.
    """
    result: dict[str, list[int]] = {}
    for i, row in enumerate(written(name)):
        if row[column] and row.get("use") != "no":
            result.setdefault(row.get("series", row.get("indicator", row.get("instrument", ""))), []).append(i)
    if column == "value":
        return [sorted(at[-12:], key=lambda i: float(written(name)[i][column]))[6] for at in result.values()]
    return [max(at, key=lambda i: int(written(name)[i][column])) if column == "count" else at[-1] for at in result.values()]


NUMERIC = list(columns(*NUMBERS))


def test_the_numeric_columns_are_those_there_are() -> None:
    assert len(NUMERIC) > 20
    assert {("polls", "n"), ("overdose_final", "deaths"), ("indicators", "value"), ("calendar", "probability")} <= set(NUMERIC)


@pytest.mark.parametrize(("name", "column"), NUMERIC, ids=[f"{n}.{c}" for n, c in NUMERIC])
def test_a_number_off_by_a_factor_is_odd_or_refused(read: tuple[Tables, Settings], name: str, column: str) -> None:
    at = samples(name, column)
    assert at
    for i in at:
        row = written(name)[i]
        number = float(row[column])
        edits = {"ten times": f"{10 * number:.10g}", "a tenth": f"{number / 10:.10g}", "zero": "0", "negative": f"{-number:.10g}"}
        for what, text in edits.items():
            if (number == 0 and what != "negative") or text == "-0" or (what == "zero" and column in CODES):
                continue
            if (what == "a tenth" and column in JUDGED) or (what != "negative" and row.get("series") in JUMPY):
                continue
            assert met(read, name, i, column, text), (row, what, text)


@settings(max_examples=40)
@given(data=st.data())
def test_a_total_off_by_a_factor_is_odd_or_refused_wherever_it_stands(data: st.DataObject, read: tuple[Tables, Settings]) -> None:
    """Also on its own, in any release, of either kind."""
    rows = written("overdose_releases")
    column = data.draw(st.sampled_from(["reported", "predicted"]))
    i = data.draw(st.sampled_from([i for i, row in enumerate(rows) if row[column]]))
    factor = data.draw(st.sampled_from([0.1, 0.5, 2, 10]))
    result = met(read, "overdose_releases", i, column, f"{float(rows[i][column]) * factor:.10g}")
    assert any(p.row == read[0]["overdose_releases"].lines[i] for p in result) or any(p.severity == "error" for p in result)


@settings(max_examples=40)
@given(data=st.data())
def test_a_final_count_off_by_ten_is_odd_wherever_it_stands(data: st.DataObject, read: tuple[Tables, Settings]) -> None:
    rows = written("overdose_final")
    i = data.draw(st.integers(0, len(rows) - 1))
    factor = data.draw(st.sampled_from([0.1, 10]))
    assert met(read, "overdose_final", i, "deaths", f"{float(rows[i]['deaths']) * factor:.10g}")


DATES = list(columns(column_types.DateCell, column_types.MonthCell, column_types.Year))


@pytest.mark.parametrize(("name", "column"), DATES, ids=[f"{n}.{c}" for n, c in DATES])
def test_a_date_in_the_future_is_odd_or_refused(read: tuple[Tables, Settings], name: str, column: str) -> None:
    kind = {column_types.DateCell: "day", column_types.MonthCell: "month", column_types.Year: "year"}[
        inner(RECORDS[name].model_fields[column].annotation)
    ]
    for i in samples(name, column)[-2:]:
        if (name, column) not in BY_LAW_OR_PLAN or column == "end":
            assert met(read, name, i, column, FUTURE[kind]), written(name)[i]


def test_a_release_of_all_drugs_labelled_as_opioids_is_odd(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    table = tables["overdose_releases"]
    whole = [row for row in table.rows if str(row.published) == "2026-02-14" and row.indicator == "all_drugs"]
    wrong = [row.model_copy(update={"indicator": "synthetic_opioids", "published": row.published.parse("2026-06-26")}) for row in whole]
    edited = {**tables, "overdose_releases": RecordTable((*table.rows, *wrong))}
    result = [p for p in find_oddities(edited, settings) if "2026-06-26" in p.found]
    assert any("or do these rows count all drugs?" in p.expected for p in result)
    assert len(result) < 12, "one problem for the release, not one a row"


@pytest.mark.parametrize("unit", ["USD thousand", "usd million"])
def test_a_unit_that_changes_midway_is_odd(read: tuple[Tables, Settings], unit: str) -> None:
    tables, settings = read
    rows = [
        row.model_copy(update={"unit": unit}) if row.series == "us_imports_from_mexico" and row.month > 24300 else row
        for row in tables["indicators"].rows
    ]
    (result,) = find_oddities({**tables, "indicators": RecordTable(tuple(rows), tables["indicators"].lines)}, settings)
    assert result.column == "unit"
    assert "more rows" in result.found


def test_values_that_change_their_scale_midway_are_odd_where_they_do(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    rows = [
        row.model_copy(update={"value": row.value * 1000}) if row.series == "us_imports_from_mexico" and row.month >= 24300 else row
        for row in tables["indicators"].rows
    ]
    (result,) = find_oddities({**tables, "indicators": RecordTable(tuple(rows), tables["indicators"].lines)}, settings)
    assert "us_imports_from_mexico at 1" in result.found
    assert "times the month before in 2025-01" in result.found


def test_a_vintage_far_from_the_one_before_is_odd(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    row = next(r for r in tables["indicators"].rows if r.series == "gprc_mex" and r.month == 24300)
    newer = row.model_copy(update={"value": row.value * 2.5, "published": row.published.parse("2026-06-01")})
    result = find_oddities({**tables, "indicators": RecordTable((*tables["indicators"].rows, newer))}, settings)
    assert any("gprc_mex of 2025-01 at 2.5 times what was published on" in p.found for p in result)


@given(
    st.lists(st.floats(-0.02, 0.02), min_size=5, max_size=30),
    st.integers(0, 29),
    st.sampled_from([0.1, 0.4, 2.5, 10.0]),
)
def test_the_one_value_that_is_off_is_the_one_named(moves: list[float], at: int, factor: float) -> None:
    values = [math.exp(sum(moves[: n + 1])) for n in range(len(moves))]
    at %= len(values)
    values[at] *= factor
    result = jumps([(n, v, n) for n, v in enumerate(values)], lambda months: MAX_TOTAL_CHANGE * months)
    assert [i for i, _ in result] == [at]


@given(st.lists(st.floats(-0.14, 0.14), min_size=1, max_size=40))
def test_values_that_move_little_are_near(moves: list[float]) -> None:
    points = [(n, math.exp(sum(moves[: n + 1])), n) for n in range(len(moves))]
    assert jumps(points, lambda months: MAX_TOTAL_CHANGE * months) == []


def test_a_date_is_in_the_future_by_the_clock_alone(read: tuple[Tables, Settings]) -> None:
    assert find_oddities(*read) == find_oddities(*read, date(2026, 6, 30)) == find_oddities(*read, date(2199, 1, 1)) == []


DECLARABLE = [
    ("polls", "n", "9", "outlier"),
    ("polls", "in_favour_pct", "0.6", "outlier"),
    ("events", "count", "600000", "outlier"),
    ("overdose_final", "deaths", "9", "step"),
    ("overdose_releases", "reported", "9", "step"),
    ("overdose_releases", "predicted", "9", "step"),
    ("overdose_releases", "percent_pending", "90", "step"),
    ("indicators", "value", "9000000", "step"),
    ("indicators", "value", "-9", "outlier"),
]


@pytest.mark.parametrize(("name", "column", "text", "kind"), DECLARABLE, ids=[f"{d[0]}.{d[1]}-{d[2]}" for d in DECLARABLE])
def test_what_the_remedy_says_can_be_declared_can_be(read: tuple[Tables, Settings], name: str, column: str, text: str, kind: str) -> None:
    tables, settings = read
    i = samples(name, column)[-1]
    row = written(name)[i]
    series = row.get("series") or row.get("indicator") or row.get("topic") or row["instrument"]
    m = (row.get("month") or row.get("period_end") or row.get("field_end") or row["date"])[:7]

    def declared(**changes: str) -> Settings:
        entry = {"kind": kind, "what": "x", "why": "y", "series": series, "from": m, "to": m, **changes}
        return with_entry(settings, RECORDS[name].file, series, ExpectedOddity.model_validate(entry))

    output = met(read, name, i, column, text)
    assert any("declare it expected" in p.remedy for p in output)
    assert not [p for p in met((tables, declared()), name, i, column, text) if p.row == tables[name].lines[i]]
    assert met((tables, declared(series="another")), name, i, column, text)
    assert met((tables, declared(**{"from": "1990-01", "to": "1990-02"})), name, i, column, text)


@pytest.mark.parametrize("column", ["opposed_pct", "in_favour_pct"])
def test_a_declared_distance_between_polls_hides_no_fraction(read: tuple[Tables, Settings], column: str) -> None:
    """Every poll with two sides, those of the month whose distance is declared among them."""
    for i, row in enumerate(written("polls")):
        if row["opposed_pct"] and row["in_favour_pct"]:
            output = met(read, "polls", i, column, f"{float(row[column]) / 100:.4f}")
            small = float(row[column]) < 35  # what is left of 100 may have no side
            assert small or any(p.row == read[0]["polls"].lines[i] for p in output), row["poll_id"]


def with_entry(settings: Settings, file: str, series: str, entry: ExpectedOddity) -> Settings:
    """The settings with one more expected oddity of a file, or of its series."""
    source = source_of(settings, file, series)
    key = next(key for key, one in settings.sources.items() if one is source)
    assert source is not None
    more = source.model_copy(update={"expected": (*source.expected, entry)})
    return replace(settings, sources={**settings.sources, key: more})
