"""The digest follows meaning: order and wording leave it, every other change alters it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.data.fingerprint import TEXT_ONLY, TEXT_ONLY_OF, data_digest
from forecast.data.read import read_data
from forecast.data.tables import RECORDS, Data
from forecast.domain import PartialDate
from tests.support.data_editing import BUNDLED, change, copied, rows_of, with_rows, write_rows

WHOLE = read_data(BUNDLED)
SMALL = with_rows(WHOLE, **{name: getattr(WHOLE, name)[:12] for name in RECORDS})
DIGEST = data_digest(SMALL)

MEANING = [(n, c) for n, r in RECORDS.items() for c in r.model_fields if c not in TEXT_ONLY | TEXT_ONLY_OF.get(n, frozenset())]
WORDING = [(n, c) for n, r in RECORDS.items() for c in r.model_fields if c in TEXT_ONLY | TEXT_ONLY_OF.get(n, frozenset())]


def edited(data: Data, table: str, i: int, column: str, value: Any) -> Data:
    rows = getattr(data, table)
    return with_rows(data, **{table: (*rows[:i], rows[i].model_copy(update={column: value}), *rows[i + 1 :])})


def other(value: Any) -> Any:
    """A value of the same kind that means something else."""
    if value is None:
        return 1
    if isinstance(value, PartialDate):
        return PartialDate.parse((value.last + timedelta(days=1)).isoformat())
    if isinstance(value, tuple):
        return (*value, "Z1")
    return value + "x" if isinstance(value, str) else value + 1


@given(st.data())
def test_order_of_rows_and_of_lists_leaves_it(draw: st.DataObject) -> None:
    name = draw.draw(st.sampled_from(list(RECORDS)))
    rows = draw.draw(st.permutations(getattr(SMALL, name)))
    shuffled = [row.model_copy(update={c: v[::-1] for c, v in row if isinstance(v, tuple)}) for row in rows]
    assert data_digest(with_rows(SMALL, **{name: tuple(shuffled)})) == DIGEST


@given(st.sampled_from(WORDING), st.integers(0, 6), st.text(min_size=1, max_size=20))
def test_wording_leaves_it(where: tuple[str, str], i: int, text: str) -> None:
    assert data_digest(edited(SMALL, where[0], i, where[1], text)) == DIGEST


@pytest.mark.parametrize(("name", "column"), MEANING)
def test_every_other_cell_alters_it(name: str, column: str) -> None:
    for i in (0, len(getattr(SMALL, name)) - 1):
        value = getattr(getattr(SMALL, name)[i], column)
        assert data_digest(edited(SMALL, name, i, column, other(value))) != DIGEST


@given(st.sampled_from(list(RECORDS)), st.integers(0, 6))
def test_a_row_less_or_twice_alters_it(name: str, i: int) -> None:
    rows = getattr(SMALL, name)
    assert data_digest(with_rows(SMALL, **{name: (*rows[:i], *rows[i + 1 :])})) != DIGEST
    assert data_digest(with_rows(SMALL, **{name: (*rows, rows[i])})) != DIGEST


def test_a_date_known_better_alters_it() -> None:
    day = SMALL.events[1].date
    assert day.text == "2007-06"
    assert data_digest(edited(SMALL, "events", 1, "date", PartialDate.parse("2007-06-30"))) != DIGEST


def test_settings_count_where_they_mean_something() -> None:
    coverage = {**SMALL.coverage, "events.csv": date(2026, 5, 31)}
    assert data_digest(with_rows(SMALL, coverage=coverage)) != DIGEST
    assert data_digest(with_rows(SMALL, scales=replace(SMALL.scales, leverage=SMALL.scales.leverage * 1.01))) != DIGEST
    questions = SMALL.questions
    longer = questions.model_copy(update={"resolution": questions.resolution.model_copy(update={"lag_days": 61})})
    assert data_digest(with_rows(SMALL, questions=longer)) != DIGEST
    reworded = questions.model_copy(update={"resolution": questions.resolution.model_copy(update={"text": "other words"})})
    assert data_digest(with_rows(SMALL, questions=reworded, sources={}, warnings=())) == DIGEST


def test_files_shuffled_commented_and_respelt_have_one_digest(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    random = Random(1)
    for path in folder.glob("*.csv"):
        rows = rows_of(path)
        random.shuffle(rows)
        write_rows(path, rows)
    coverage = folder / "coverage.toml"
    coverage.write_text("# a comment\n" + coverage.read_text(encoding="utf-8"), encoding="utf-8")
    first = WHOLE.overdose_final[0]
    change(folder, "overdose_final.csv", lambda row: row["deaths"] == f"{first.deaths:g}", deaths=f"{first.deaths:.1f}")
    again = read_data(folder)
    assert again != WHOLE
    assert data_digest(again) == data_digest(WHOLE)
