"""What differs between two sets of data: nothing where only order differs, all of it otherwise, and whether it has a meaning."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from forecast.data.as_of import as_of
from forecast.data.diff import RowChange, cell_text, diff_data
from forecast.data.fingerprint import data_digest
from forecast.data.read import read_data
from forecast.data.tables import RECORDS, Data, table_rows
from forecast.domain import PartialDate
from tests.support.data_editing import BUNDLED, with_rows


@pytest.fixture
def data() -> Data:
    return read_data(BUNDLED)


def edited(data: Data, table: str, i: int = 0, **cells: Any) -> Data:
    result = list(table_rows(data, table))
    result[i] = result[i].model_copy(update=cells)
    return with_rows(data, **{table: tuple(result)})


def applied(old: Data, changes: tuple[RowChange, ...]) -> dict[str, Counter[str]]:
    """The old rows with the changes made, by table."""
    out = {name: Counter(map(repr, table_rows(old, name))) for name in RECORDS}
    for c in changes:
        out[c.table] -= Counter([repr(c.old)] if c.old else [])
        out[c.table] += Counter([repr(c.new)] if c.new else [])
    return out


def test_the_same_data_in_another_order_do_not_differ(data: Data) -> None:
    turned = with_rows(data, **{name: table_rows(data, name)[::-1] for name in RECORDS})
    assert not diff_data(data, turned)


@pytest.mark.parametrize("days", [("2026-05-31", "2026-06-30"), ("2014-10-31", "2015-02-28"), ("2026-06-30", "2019-12-31")])
def test_the_changes_made_to_the_old_rows_give_the_new(data: Data, days: tuple[str, str]) -> None:
    old, new = (as_of(data, date.fromisoformat(day)) for day in days)
    result = diff_data(old, new)
    assert result.rows
    assert applied(old, result.rows) == {name: Counter(map(repr, table_rows(new, name))) for name in RECORDS}
    assert result.coverage["events.csv"] == (date.fromisoformat(days[0]), date.fromisoformat(days[1]))
    back = diff_data(new, old)
    assert Counter(c.what for c in back.rows)["removed"] == Counter(c.what for c in result.rows)["added"]


def test_a_changed_row_is_named_with_its_cells(data: Data) -> None:
    new = edited(data, "events", 1, intensity=5, description="other words")
    (change,) = diff_data(data, new).rows
    assert (change.what, change.file, change.key) == ("changed", "events.csv", (data.events[1].id,))
    assert change.cells == ("intensity", "description")
    assert change.meaning
    assert (cell_text(data.events[1], "intensity"), cell_text(change.row, "intensity")) == (str(data.events[1].intensity), "5")


def test_added_and_removed_rows(data: Data) -> None:
    new = replace(data, claims=data.claims[1:], polls=(*data.polls, data.polls[0].model_copy(update={"poll_id": "another"})))
    result = diff_data(data, new)
    assert [(c.what, c.key) for c in result.rows] == [("removed", (data.claims[0].claim_id,)), ("added", ("another",))]
    assert result.of("claims")[0].row is data.claims[0]


def test_rows_without_a_key_are_matched_where_they_are_alike(data: Data) -> None:
    """readings.csv may say two things of one reading from one month on."""
    twice = data.readings[1].model_copy(update={"level": 4})
    both = replace(data, readings=(*data.readings, twice))
    (change,) = diff_data(data, both).rows
    assert (change.what, change.new) == ("added", twice)
    (change,) = diff_data(both, replace(data, readings=(*data.readings, twice.model_copy(update={"level": 5})))).rows
    assert (change.what, change.cells) == ("changed", ("level",))


def test_settings_that_are_wording_have_no_meaning(data: Data) -> None:
    result = diff_data(data, replace(data, scales=replace(data.scales, leverage=data.scales.leverage * 2)))
    assert list(result.settings) == ["scales.toml: leverage"]
    assert result.meant == {"scales.toml: leverage"}
    resolution = data.questions.resolution.model_copy(update={"text": "other words", "lag_days": 90})
    result = diff_data(data, replace(data, questions=data.questions.model_copy(update={"resolution": resolution})))
    assert set(result.settings) == {"questions.toml: resolution.text", "questions.toml: resolution.lag_days"}
    assert result.meant == {"questions.toml: resolution.lag_days"}


EDITS: dict[str, Any] = {
    "text of an event": ("events", 0, {"description": "other words", "url": "https://example.org"}),
    "intensity of an event": ("events", 1, {"intensity": 4}),
    "why of a claim": ("claims", 2, {"why": "other words"}),
    "level of a claim": ("claims", 2, {"level": 4}),
    "order of basis_ids": ("claims", 1, {"basis_ids": ("A002", "A001")}),
    "why of a reading": ("readings", 1, {"why": "other words"}),
    "evidence of a stake": ("stakes", 0, {"evidence": "other words"}),
    "driver of a stake": ("stakes", 0, {"driver": "opposition"}),
    "published of a poll, spelt otherwise": ("polls", 0, {}),
    "deaths": ("overdose_final", 3, {"deaths": 1.0}),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_change_has_a_meaning_where_the_digest_says_so(data: Data, name: str) -> None:
    table, i, cells = EDITS[name]
    if "spelt" in name:
        was = data.polls[0].published
        cells = {"published": PartialDate(was.last, was.first, f"{was.text} ")}
    new = edited(data, table, i, **cells)
    assert any(c.meaning for c in diff_data(data, new).rows) == (data_digest(data) != data_digest(new))
