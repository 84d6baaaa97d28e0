"""What is odd is told as a warning, unless sources.toml declares it expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from forecast.data.checks.registry import find_oddities
from forecast.data.read import read_all
from forecast.data.records import Event, Indicator
from forecast.data.settings import ExpectedOddity
from forecast.data.tables import RecordTable
from forecast.data.toml_file import Settings
from forecast.domain import PartialDate, month, month_text
from tests.support.data_editing import BUNDLED

type Tables = Mapping[str, RecordTable[Any]]

SERIES = "usdmxn_avg"


@pytest.fixture(scope="module")
def read() -> tuple[Tables, Settings]:
    tables, settings, problems = read_all(BUNDLED)
    assert settings is not None
    assert problems == []
    return tables, settings


def expecting(settings: Settings, key: str, *expected: ExpectedOddity) -> Settings:
    source = settings.sources[key].model_copy(update={"expected": expected, "expected_stop": None})
    return replace(settings, sources={**settings.sources, key: source})


def with_values(tables: Tables, values: Mapping[str, float | None]) -> Tables:
    """The tables with the given months of the exchange rate set, or left out where None."""
    rows: list[Indicator] = []
    for row in tables["indicators"].rows:
        text = month_text(row.month)
        if row.series != SERIES or text not in values:
            rows.append(row)
        elif (value := values[text]) is not None:
            rows.append(row.model_copy(update={"value": value}))
    return {**tables, "indicators": RecordTable(tuple(rows))}


def told(tables: Tables, settings: Settings, before: Tables) -> list[str]:
    """The warnings that an edit adds."""
    known = {str(p) for p in find_oddities({k: RecordTable(t.rows) for k, t in before.items()}, settings)}
    new = [p for p in find_oddities({k: RecordTable(t.rows) for k, t in tables.items()}, settings) if str(p) not in known]
    assert all(p.severity == "warning" for p in new)
    return [p.found for p in new]


EDITS: list[tuple[str, dict[str, float | None], str]] = [
    ("gap", {"2020-03": None, "2020-04": None}, "no usdmxn_avg for 2020-03 to 2020-04"),
    ("gap", {"2020-03": None}, "no usdmxn_avg for 2020-03"),
    ("repeat", dict.fromkeys(("2020-03", "2020-04", "2020-05", "2020-06"), 23.5), "equal in 4 consecutive rows from 2020-03"),
    ("step", {"2020-03": 2200.0}, "times the month before in 2020-03"),
]


@pytest.mark.parametrize(("kind", "values", "words"), EDITS, ids=[f"{e[0]}-{i}" for i, e in enumerate(EDITS)])
def test_an_odd_series_is_told_unless_expected(
    read: tuple[Tables, Settings], kind: Any, values: dict[str, float | None], words: str
) -> None:
    tables, settings = read
    edited = with_values(tables, values)
    assert any(words in result for result in told(edited, settings, tables))
    inside = ExpectedOddity.model_validate({"kind": kind, "what": "x", "why": "y", "from": "2020-03", "to": "2020-06"})
    assert not told(edited, expecting(settings, SERIES, inside), tables)
    outside = ExpectedOddity.model_validate({"kind": kind, "what": "x", "why": "y", "from": "2020-07", "to": "2020-08"})
    assert any(words in result for result in told(edited, expecting(settings, SERIES, outside), tables))


def test_three_equal_months_are_no_repeat(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    assert not told(with_values(tables, dict.fromkeys(("2020-03", "2020-04", "2020-05"), 23.5)), settings, tables)


def test_a_series_that_stops_is_told_unless_expected(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    last = max(row.month for row in tables["indicators"].rows if row.series == SERIES)
    short = with_values(tables, {month_text(m): None for m in (last, last - 1)})
    assert any(f"{SERIES} stops at {month_text(last - 2)}" in result for result in told(short, settings, tables))
    assert not any("stops" in result for result in told(tables, expecting(settings, SERIES), tables))  # the lag excuses the month after


def test_a_newer_vintage_is_no_repeat_and_no_gap(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    rows = tables["indicators"].rows
    newer = tuple(row.model_copy(update={"published": PartialDate.parse("2026-06-30")}) for row in rows if row.series == SERIES)
    assert not told({**tables, "indicators": RecordTable((*rows, *newer))}, settings, tables)


def test_polls_far_apart_are_told_unless_expected(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    undeclared = expecting(settings, "polls")
    result = [p for p in find_oddities(tables, undeclared) if p.file == "polls.csv"]
    assert {p.column for p in result} == {"opposed_pct"}
    assert "47 points from pew-2015:president" in result[0].found  # 93/98 against 1 − .49/.94
    assert "50 points from elfinanciero-2025-12:troops" in result[1].found  # 1 − .6103/.94 against .80/.94
    assert "44 points from cripeso-2026-01:troops" in result[2].found  # 78/99 against 1 − .6103/.94
    assert len(result) == 3
    assert not [p for p in find_oddities(tables, settings) if p.file == "polls.csv"]


def test_a_release_with_holes_is_told_unless_expected(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    rows = tables["overdose_releases"].rows
    hole = [row for row in rows if (str(row.published), row.indicator) == ("2017-12-16", "all_drugs")][3]
    holed = {**tables, "overdose_releases": RecordTable(tuple(row for row in rows if row is not hole))}
    words = f"no all_drugs from {month_text(hole.period_end)} to {month_text(hole.period_end)} in the release of 2017-12-16"
    assert any(words in result for result in told(holed, settings, tables))
    declared = {"kind": "gap", "what": "x", "why": "y", "series": "all_drugs", "release": "2017-12-16", "from": "2015-01", "to": "2017-12"}
    known = settings.sources["overdose_releases"].expected

    def silent(**changes: str) -> bool:
        entry = ExpectedOddity.model_validate({**declared, **changes})
        return not told(holed, expecting(settings, "overdose_releases", *known, entry), tables)

    assert silent()
    assert not silent(release="2018-10-15")
    assert not silent(series="synthetic_opioids")
    assert not silent(to="2015-03")


def test_the_one_hole_of_the_bundled_releases_is_the_one_declared(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    result = [p.found for p in find_oddities(tables, expecting(settings, "overdose_releases")) if p.file == "overdose_releases.csv"]
    (hole,) = result
    assert hole.startswith("no all_drugs from 2016-06 to 2018-10 in the release of 2026-02-14")


def twin(tables: Tables, **changes: Any) -> Tables:
    events = tables["events"].rows
    first = next(e for e in events if e.id == "B037")
    return {**tables, "events": RecordTable((*events, first.model_copy(update={"id": "B999", **changes})))}


def test_two_like_records_of_a_fortnight_are_told(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    assert any("B999" in result and "B037" in result for result in told(twin(tables), settings, tables))


@pytest.mark.parametrize(
    "changes", [{"same_act_as": ("B037",)}, {"caused_by": ("B037",)}, {"channel": "economic"}, {"intensity": 1}, {"kind": "threat"}]
)
def test_linked_or_unlike_records_are_not_told(read: tuple[Tables, Settings], changes: dict[str, Any]) -> None:
    tables, settings = read
    assert not any("B037" in result for result in told(twin(tables, **changes), settings, tables))


def test_a_shared_episode_and_a_later_date_are_not_told(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    events: tuple[Event, ...] = tables["events"].rows
    first = next(e for e in events if e.role == "decision" and e.episode)
    same = first.model_copy(update={"id": "A999"})
    assert not any(first.id in f for f in told({**tables, "events": RecordTable((*events, same))}, settings, tables))
    parted = [same.model_copy(update={"episode": "another", "date": PartialDate.parse(day)}) for day in _days(first)]
    result = [told({**tables, "events": RecordTable((*events, e))}, settings, tables) for e in parted]
    assert any(first.id in f and "A999" in f for f in result[0])
    assert not any(first.id in f and "A999" in f for f in result[1])


def _days(event: Event) -> list[str]:
    return [(event.date.last + timedelta(days=n)).isoformat() for n in (14, 15)]


def test_an_expected_duplicate_excuses_only_the_two_it_names(read: tuple[Tables, Settings]) -> None:
    tables, settings = read
    named = ExpectedOddity.model_validate({"kind": "duplicate", "what": "B037 and B999", "why": "x"})
    other = ExpectedOddity.model_validate({"kind": "duplicate", "what": "B037 and B998", "why": "x"})
    base = expecting(settings, "events", *settings.sources["events"].expected, other)
    assert told(twin(tables), base, tables)
    assert not told(twin(tables), expecting(settings, "events", *settings.sources["events"].expected, named), tables)


def test_the_bundled_data_have_no_undeclared_oddity(read: tuple[Tables, Settings]) -> None:
    assert [str(p) for p in find_oddities(*read)] == []
    assert month("2026-06") == max(row.month for row in read[0]["indicators"].rows)
