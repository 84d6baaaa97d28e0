"""As of a day, nothing that was published later is there, and nothing says what came later."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from forecast.data.as_of import as_of, as_of_now, newest_vintages
from forecast.data.fingerprint import data_digest
from forecast.data.read import read_data
from forecast.data.records import Indicator
from forecast.data.tables import RECORDS, Data, origin
from forecast.domain import month, month_text
from tests.support.data_editing import BUNDLED, Row, add, copied, rows_of, with_rows

DAY = date(2024, 5, 17)


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(BUNDLED)


ABSURD: dict[str, Row] = {
    "events": {"id": "Z1", "date": "2024-05", "intensity": "5"},
    "claims": {"claim_id": "ZZ", "start": "2006-01", "end": "", "level": "5", "supersedes": "", "basis_ids": "", "stance": "documented"},
    "readings": {"reading": "covert_true", "start": "2007-01", "end": "2009-01", "level": "5"},
    "administrations": {"country": "Mexico", "name": "Z", "start": "2030-10", "end": "2036-09"},
    "polls": {
        "poll_id": "zz",
        "field_start": "2024-01",
        "field_end": "2024-02",
        "opposed_pct": "0",
        "in_favour_pct": "100",
        "other_pct": "0",
    },
    "overdose_final": {"month": "2024-02", "deaths": "999999"},
    "overdose_releases": {"period_end": "2024-02", "reported": "999999"},
    "indicators": {"month": "2024-02", "value": "999999"},
    "calendar": {"id": "KZ", "date": "2026-09-01", "effect": "starts", "intensity": "5", "probability": "1", "channel": "economic"},
    "spells": {"country": "Zembla", "start": "2024-01", "end": "2024-03", "level": "5"},
    "states": {"country": "Zembla", "year_start": "2024", "year_end": "2024"},
    "pressure": {"country": "Zembla", "year_start": "2024", "year_end": "2024"},
}
"""A record for each file with a `published` column that would change much, were it seen."""


def test_every_dated_file_has_its_planted_record() -> None:
    assert set(ABSURD) == {name for name, record in RECORDS.items() if "published" in record.model_fields}


@pytest.mark.parametrize("name", ABSURD)
def test_a_record_published_a_day_later_changes_nothing(data: Data, name: str) -> None:
    planted = _planted(data, name, DAY + timedelta(days=1))
    assert as_of(planted, DAY) == as_of(data, DAY)
    seen = _planted(data, name, DAY)
    assert len(getattr(as_of(seen, DAY), name)) == len(getattr(as_of(data, DAY), name)) + 1
    assert data_digest(as_of(seen, DAY)) != data_digest(as_of(data, DAY))


@pytest.mark.parametrize("name", ABSURD)
def test_today_knows_what_is_published_and_cuts_nothing_else(data: Data, name: str) -> None:
    assert as_of_now(_planted(data, name, DAY + timedelta(days=1)), DAY) == as_of_now(data, DAY)
    assert len(getattr(as_of_now(_planted(data, name, DAY), DAY), name)) == len(getattr(as_of_now(data, DAY), name)) + 1
    last = max(row.published.last for table in ABSURD for row in getattr(data, table) if row.published)
    assert as_of_now(data, last) == data


def _planted(data: Data, name: str, published: date) -> Data:
    record = RECORDS[name]
    like = next(row for row in rows_of(BUNDLED / record.file) if row["published"])
    row = record.model_validate({**like, **ABSURD[name], "published": published.isoformat()})
    old = getattr(data, name)
    return with_rows(data, **{name: (old[0], row, *old[1:])})


def test_planted_in_the_files_themselves_nothing_changes(data: Data, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    later = (DAY + timedelta(days=1)).isoformat()
    add(folder, "events.csv", lambda r: r["id"] == "B037", id="B999", date="2024-05-18", published=later, until="")
    add(folder, "outcome_claims.csv", lambda r: r["claim_id"] == "OC33", claim_id="OC99", start="2006-01", published=later, level="5")
    add(folder, "polls.csv", lambda r: r["use"] == "yes", poll_id="zz", field_start="2024", field_end="2024-05", published=later)
    add(folder, "calendar.csv", lambda r: r["effect"] == "starts", id="K999", published=later, probability="1")
    planted = read_data(folder)
    assert len(planted.events) == len(data.events) + 1
    assert as_of(planted, DAY) == as_of(data, DAY)


def test_as_of_the_last_day_everything_published_is_there(data: Data) -> None:
    last = as_of(data, date(2036, 12, 31))
    for name in RECORDS:
        assert getattr(last, name) == getattr(data, name)
    assert last.coverage == data.coverage
    assert last.warnings == data.warnings


@pytest.mark.parametrize("day", [date(2006, 1, 1), date(2011, 3, 16), date(2018, 12, 31), DAY, date(2025, 2, 19), date(2026, 6, 30)])
def test_nothing_later_is_left(data: Data, day: date) -> None:
    then = as_of(data, day)
    for name in RECORDS:
        for row in getattr(then, name):
            published = getattr(row, "published", None)
            assert published is None or published.last <= day
    ids = {e.id for e in then.events}
    for event in then.events:
        assert event.until is None or event.until.last <= day
        assert {*event.ends, *event.caused_by, *event.same_act_as} <= ids
    for claim in then.claims:
        assert set(claim.basis_ids) <= ids
    assert {row.id for row in then.coding_second} <= ids
    assert all(row.event_id in ids | {""} for row in then.calendar)
    ended = date(day.year, day.month, 1) if (day + timedelta(days=1)).day != 1 else day + timedelta(days=1)
    for spell in then.spells:
        assert spell.start <= spell.end
        assert month_text(spell.end) < ended.strftime("%Y-%m")
    assert all(row.year_end <= day.year for rows in (then.states, then.pressure) for row in rows)
    assert max(then.coverage.values()) <= day


def test_selecting_twice_is_selecting_the_earlier(data: Data) -> None:
    early, late = date(2012, 7, 8), date(2019, 2, 3)
    assert as_of(as_of(data, late), early) == as_of(data, early)
    assert as_of(as_of(data, late), late) == as_of(data, late)


def test_a_measure_that_ends_later_is_still_in_force(data: Data) -> None:
    before = {e.id: e for e in as_of(data, date(2019, 5, 16)).events}
    after = {e.id: e for e in as_of(data, date(2019, 5, 17)).events}
    assert before["B009"].until is None
    assert "B015" not in before
    assert str(after["B009"].until) == "2019-05-17"


def test_the_origin_is_the_last_whole_month(data: Data) -> None:
    assert origin(as_of(data, date(2020, 2, 29))) == month("2020-02")
    assert origin(as_of(data, date(2020, 2, 28))) == month("2020-01")
    assert origin(as_of(data, date(2026, 12, 31))) == month("2026-06")


def test_the_newest_vintage_by_the_day_wins(data: Data) -> None:
    def row(value: str, published: str, when: str = "2020-01") -> Indicator:
        return Indicator.model_validate(
            {"month": when, "series": "x", "value": value, "unit": "u", "published": published, "source": "made up"}
        )

    rows = (row("3", "2020-04-01"), row("1", "2020-02-01"), row("2", "2020-03"), row("9", "2020-03-02", "2020-02"))
    assert [r.value for r in newest_vintages(rows)] == [3.0, 9.0]
    then = [r for r in rows if r.published.last <= date(2020, 3, 31)]
    assert [r.value for r in newest_vintages(then)] == [2.0, 9.0]
