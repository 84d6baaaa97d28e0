"""Each combination that the codebook or the calendar makes impossible is found in its row and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from forecast.data.checks.registry import find_errors
from forecast.data.read import read_all
from forecast.data.tables import RECORDS, RecordTable
from forecast.data.toml_file import Settings
from forecast.errors import Problem
from tests.support.data_editing import BUNDLED, Row, rows_of

type Tables = Mapping[str, RecordTable[Any]]
type Which = Callable[[Row], bool]


@pytest.fixture(scope="module")
def read() -> tuple[Tables, Settings]:
    tables, settings, problems = read_all(BUNDLED)
    assert settings is not None
    assert problems == []
    return tables, settings


def changed(tables: Tables, name: str, which: Which, cells: Row) -> tuple[Tables, int]:
    """The tables with some cells of one row set, and the line of that row."""
    record = RECORDS[name]
    rows = rows_of(BUNDLED / record.file)
    i = next(i for i, row in enumerate(rows) if which(row))
    table = tables[name]
    new = RecordTable((*table.rows[:i], record.model_validate({**rows[i], **cells}), *table.rows[i + 1 :]), table.lines)
    return {**tables, name: new}, table.lines[i]


def added(tables: Tables, name: str, which: Which, cells: Row) -> tuple[Tables, int]:
    record = RECORDS[name]
    like = next(row for row in rows_of(BUNDLED / record.file) if which(row))
    table = tables[name]
    line = table.lines[-1] + 1
    return {**tables, name: RecordTable((*table.rows, record.model_validate({**like, **cells})), (*table.lines, line))}, line


def by(**cells: str) -> Which:
    return lambda row: all(row[column] == value for column, value in cells.items())


IMPOSSIBLE: list[tuple[str, Which, Row, str, str]] = [
    ("events", by(id="B009"), {"kind": ""}, "kind", "pressure has one"),
    ("events", by(id="B009"), {"intensity": ""}, "intensity", "pressure has one"),
    ("events", by(id="B009"), {"direction": ""}, "direction", "pressure has one"),
    ("events", by(id="B009"), {"channel": "econmic"}, "channel", "Did you mean 'economic'?"),
    ("events", by(id="B009"), {"instrument": "tarif"}, "instrument", "Did you mean 'tariff'?"),
    ("events", by(kind="relaxation"), {"direction": "+"}, "direction", "- for a relaxation"),
    ("events", by(kind="threat"), {"direction": "-"}, "direction", "+ for all other pressure"),
    ("events", by(kind="threat", family="B"), {"until": "2026-01-01"}, "until", "only a measure"),
    ("events", by(id="B009"), {"until": "2000"}, "until", "not before the date"),
    ("events", by(kind="threat"), {"ends": "B005"}, "ends", "only a relaxation"),
    ("events", by(family="C"), {"intensity": ""}, "intensity", "opposition has one"),
    ("events", by(family="C"), {"direction": ""}, "direction", "opposition has one"),
    ("events", by(family="C"), {"kind": "threat"}, "kind", "only family B"),
    ("events", by(family="C"), {"answers": "sufficient"}, "answers", "only family B"),
    ("events", by(family="C"), {"role": "context"}, "role", "opposition in family C"),
    ("events", by(family="D"), {"role": "decision"}, "role", "context in family D"),
    ("events", by(role="decision"), {"direction": ""}, "direction", "decision has one"),
    ("events", by(role="decision"), {"operation_level": ""}, "operation_level", "decision has one"),
    ("events", by(role="claim"), {"direction": "+"}, "direction", "claim has none"),
    ("events", by(role="context", family="A"), {"operation_level": "2"}, "operation_level", "context has none"),
    ("events", by(role="decision"), {"instrument": "senate_vote"}, "instrument", "Did you mean 'senate_vote_in'?"),
    ("events", by(id="B015"), {"ends": "B00Q"}, "ends", "Did you mean"),
    ("events", by(id="B015"), {"ends": "B016"}, "ends", "expected a measure"),
    ("events", by(id="B015"), {"ends": "B037"}, "ends", "which has no `until`"),
    ("events", by(id="C001"), {"caused_by": "Z999"}, "caused_by", "'Z999'"),
    ("events", by(id="C001"), {"caused_by": "C001"}, "caused_by", "its own id"),
    ("events", by(id="C001"), {"caused_by": "B103"}, "caused_by", "a cause comes before its effect"),
    ("overdose_releases", by(indicator="synthetic_opioids"), {"reported": "60000"}, "reported", "for all drugs in this release"),
    ("calendar", by(effect="ends"), {"probability": "0"}, "probability", "more than 0 where effect is ends"),
    ("events", by(id="A001"), {"same_act_as": "A002"}, "same_act_as", "the later row"),
    ("events", by(id="B009"), {"published": "2000-01-01"}, "published", "not before its date"),
    ("events", by(id="B009"), {"date": "2026-07-01", "published": "2026-07-01", "until": ""}, "date", "after 2026-06-30"),
    ("events", by(id="B009"), {"date": "2026", "published": "2026", "until": ""}, "date", "after 2026-06-30"),
    ("claims", by(claim_id="OC07"), {"end": "2011-06"}, "end", "not before its start"),
    ("claims", by(claim_id="OC07"), {"supersedes": "OC99"}, "supersedes", "outcome_claims.csv"),
    ("claims", by(claim_id="OC07"), {"basis_ids": "A011;A999"}, "basis_ids", "events.csv"),
    ("claims", by(claim_id="OC33"), {"published": "2026-07-01"}, "published", "after 2026-06-30"),
    ("readings", by(reading="main"), {"level": "3"}, "level", "main is what the claims give"),
    ("readings", by(reading="advisers_stayed"), {"level": ""}, "level", "an override has one"),
    ("readings", by(reading="advisers_stayed"), {"published": ""}, "published", "an override has one"),
    ("readings", by(reading="advisers_stayed"), {"start": "2005-12"}, "start", "where the record begins"),
    ("readings", by(reading="advisers_stayed"), {"start": "2026-07"}, "start", "claims are complete"),
    ("readings", by(reading="denials_true", start="2014-03"), {"start": "2013-12"}, "start", "rows that do not overlap"),
    ("administrations", by(name="Fox"), {"end": "2000-11"}, "end", "not before its start"),
    ("administrations", by(name="Calderon"), {"start": "2006-11"}, "start", "rows that do not overlap"),
    ("administrations", by(name="Calderon"), {"start": "2007-01"}, "start", "2006-12, the month after"),
    ("polls", by(use="yes"), {"field_start": "2001"}, "field_end", "not before"),
    ("polls", lambda r: r["use"] == "yes", {"opposed_pct": "", "in_favour_pct": ""}, "opposed_pct", "at least one in a row that is used"),
    ("polls", lambda r: r["use"] == "yes", {"opposed_pct": "60", "in_favour_pct": "41"}, "opposed_pct", "sum to 101"),
    ("polls", lambda r: r["use"] == "no", {"why_not": ""}, "why_not", "the reason why"),
    ("polls", lambda r: r["use"] == "yes", {"published": "1999"}, "published", "not before its field_end"),
    ("polls", lambda r: r["use"] == "yes", {"field_end": "2026-07", "published": "2026-08"}, "field_end", "after 2026-06-30"),
    ("overdose_final", by(month="2024-12"), {"month": "2025-01"}, "month", "after 2024-12-31"),
    ("overdose_final", by(month="2024-12"), {"published": "2024-11-30"}, "published", "not before its month"),
    ("overdose_final", by(month="2024-12"), {"series": "deaths_synthetic_opiods"}, "series", "Did you mean 'deaths_synthetic_opioids'?"),
    ("overdose_releases", lambda r: True, {"reported": "", "predicted": ""}, "reported", "at least one"),
    ("overdose_releases", lambda r: True, {"published": "2010-01-01"}, "published", "not before its period_end"),
    ("overdose_releases", lambda r: True, {"published": "2026-06-28"}, "published", "after 2026-06-27"),
    ("indicators", lambda r: True, {"series": "nobody_knows"}, "series", "sources.toml"),
    ("calendar", by(effect="ends"), {"event_id": ""}, "event_id", "where effect is ends"),
    ("calendar", by(effect="ends"), {"event_id": "B999"}, "event_id", "events.csv"),
    ("calendar", by(effect="ends"), {"event_id": "B003"}, "event_id", "the measure that ends"),
    ("calendar", by(effect="starts"), {"probability": ""}, "probability", "where effect is starts"),
    ("calendar", by(effect="starts"), {"channel": "political"}, "channel", "where effect is starts"),
    ("spells", by(country="Mexico"), {"end": "1985-12"}, "end", "not before its start"),
    ("spells", by(country="Mexico"), {"end": "1990-02"}, "start", "rows that do not overlap"),
    ("spells", by(country="Mexico"), {"country": "Mexicoo"}, "country", "Did you mean 'Mexico'?"),
    ("spells", by(country="Mexico"), {"published": "1985"}, "published", "not before its start"),
    ("states", by(country="Mexico"), {"year_end": "1985"}, "year_end", "not before its start"),
    ("states", by(country="Mexico"), {"year_end": "1997"}, "year_start", "rows that do not overlap"),
    ("pressure", by(country="Mexico"), {"year_end": "1980"}, "year_end", "not before its start"),
    ("pressure", by(country="Mexico"), {"published": "1985"}, "published", "not before its year_start"),
    ("stakes", lambda r: True, {"applies_to_levels": "2;6"}, "applies_to_levels", "levels from 0 to 5"),
    ("coding_second", by(id="A001"), {"id": "A0001"}, "id", "Did you mean 'A001'?"),
]


@pytest.mark.parametrize(
    ("name", "which", "cells", "column", "words"), IMPOSSIBLE, ids=[f"{c[0]}-{'-'.join(c[2])}-{i}" for i, c in enumerate(IMPOSSIBLE)]
)
def test_the_impossible_is_found(read: tuple[Tables, Settings], name: str, which: Which, cells: Row, column: str, words: str) -> None:
    tables, line = changed(read[0], name, which, cells)
    result = find_errors(tables, (), read[1])
    assert any(p.file == RECORDS[name].file and p.column == column and words in str(p) for p in result), list(map(str, result))
    overlap = "do not overlap" in words  # the later of the two rows is named, which may be the next one
    assert any(p.column == column and p.row is not None and (p.row == line or overlap) for p in result)
    assert all(p.severity == "error" for p in result)


def test_a_month_without_a_documented_claim_is_an_error(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    claims = tables["claims"]
    late = RecordTable(tuple(c for c in claims.rows if c.claim_id != "OC01"), ())
    [problem] = [
        p for p in find_errors({**tables, "claims": late}, (), settings) if p.file == "outcome_claims.csv" and "documented" in p.found
    ]
    assert "2006-01 to 2007-09" in problem.found


def test_without_a_main_reading_the_data_are_refused(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    rows = tuple(row for row in tables["readings"].rows if row.reading != "main")
    assert [p.file for p in find_errors({**tables, "readings": RecordTable(rows)}, (), settings)] == ["readings.csv"]


def test_what_may_be_missing_is_not_called_dangling(read: tuple[Tables, Settings]) -> None:
    """Where rows of the ledger could not be read, names of them are no second error; what stands in one row still is."""
    tables, line = changed(read[0], "events", by(id="C001"), {"intensity": ""})
    kept = [i for i, event in enumerate(tables["events"].rows) if event.id != "A010"]
    part = RecordTable(tuple(tables["events"].rows[i] for i in kept), tuple(tables["events"].lines[i] for i in kept))
    result = find_errors({**tables, "events": part}, {"events"}, read[1])
    assert [(p.row, p.column) for p in result] == [(line, "intensity")]
    assert any(p.column == "basis_ids" for p in find_errors({**tables, "events": part}, (), read[1]))


@pytest.mark.parametrize(
    ("name", "which", "cells"),
    [
        ("events", by(id="B037"), {"until": "2026-06-30"}),
        ("events", by(id="B009"), {"published": "2017-01"}),
        ("events", by(id="A001"), {"date": "2007", "published": "2007-01-01"}),
        ("claims", by(claim_id="OC33"), {"published": "2006-01-01"}),
        ("calendar", by(id="K001"), {"published": "2030"}),
        ("polls", by(use="yes"), {"opposed_pct": "31.9", "in_favour_pct": "68", "other_pct": "0.5"}),
    ],
)
def test_the_possible_is_let_be(read: tuple[Tables, Settings], name: str, which: Which, cells: Row) -> None:
    if name == "events" and cells.get("published") == "2017-01":
        cells = {**cells, "date": "2017-01-30"}
    tables, _ = changed(read[0], name, which, cells)
    assert [p for p in find_errors(tables, (), read[1]) if p.column not in ("ends",)] == []


def test_readable_rows_beyond_the_coverage_need_the_coverage_raised(read: tuple[Tables, Settings]) -> None:
    tables, line = added(read[0], "events", by(id="B009"), {"id": "B999", "date": "2026-07-04", "published": "2026-07-04", "until": ""})
    result: list[Problem] = find_errors(tables, (), read[1])
    assert [(p.row, p.column) for p in result] == [(line, "date")]
    assert "covered_through" in result[0].remedy
    raised = replace(read[1], coverage={**read[1].coverage, "events.csv": date(2026, 7, 31)})
    assert [p for p in find_errors(tables, (), raised) if p.file == "events.csv"] == []


@pytest.mark.parametrize("length", [2, 3, 5])
def test_causes_that_lead_in_a_circle_are_named(read: tuple[Tables, Settings], length: int) -> None:
    """Of one day, so that none is later than another."""
    table = read[0]["events"]
    like = next(event for event in table.rows if event.id == "C042")
    names = [f"C{900 + n}" for n in range(length)]
    pairs = zip(names, [*names[1:], names[0]], strict=True)
    ring = [like.model_copy(update={"id": a, "caused_by": (b,), "same_act_as": ()}) for a, b in pairs]
    lines = (*table.lines, *range(table.lines[-1] + 1, table.lines[-1] + 1 + length))
    result = [
        p for p in find_errors({**read[0], "events": RecordTable((*table.rows, *ring), lines)}, (), read[1]) if p.column == "caused_by"
    ]
    [problem] = result  # one of the circle, not one of each of its rows
    assert problem.row in lines[-length:]
    assert problem.found.startswith("a circle of ")
    assert all(name in problem.found for name in names)
    chain = [ring[0].model_copy(update={"caused_by": ()}), *(r.model_copy(update={"caused_by": (ring[0].id,)}) for r in ring[1:])]
    assert find_errors({**read[0], "events": RecordTable((*table.rows, *chain), lines)}, (), read[1]) == []
