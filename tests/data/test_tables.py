"""CSV and JSON: every reader says the same of the same, in time that grows with the rows; and what rows may say of each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.data.csv_file import MAX_COLUMNS, MAX_ROWS
from forecast.data.entry.form import LABELS
from forecast.data.entry.row_input import read_rows
from forecast.data.read import read_data, read_table
from forecast.data.records import Administration, Record
from forecast.data.tables import RECORDS
from forecast.errors import MAX_PROBLEMS, InputError, Problem, listed
from forecast.priors.expert_pooling import read_opinions
from forecast.priors.load import load_priors
from tests.support.data_editing import BUNDLED, add, change, copied, problems_in, problems_of, rows_of, write_rows

PRIORS = BUNDLED.parent / "priors"
CLAIMS = "start,level,published,stance,confidence,why\n2026-04,3,2026-06-30,documented,low,x\n"
ASKED = "name,q05,q50,q95\nAna,0.1,0.8,1.5\nBen,0.5,1.6,2.5\n"


FULL = pytest.mark.slow
"""Of cases that fill a bound with a million cells."""


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text.replace(",", ";"), "columns separated by semicolons"),
        (lambda text: text.replace(",", "\t"), "columns separated by tabs"),
        (lambda text: "sep=,\n" + text, "the line 'sep=,'"),
        (lambda text: '"sep=;"\n' + text.replace(",", ";"), "the line 'sep=;'"),
        (lambda text: "SEP=\t\n" + text.replace(",", "\t"), "the line 'SEP='"),
        (lambda text: "\n" + text, "an empty first line"),
        (lambda text: text + text.splitlines()[1] + "\n", "the row of line 2 again"),
        (lambda text: text + '"open\n', "a row that can't be split"),
        (lambda text: ",".join(f"c{i}" for i in range(1_000)) + "\n" + text, "1,000 columns"),
        (lambda text: text + "a" + "," * 1_000 + "\n", "1001 fields"),
        pytest.param(lambda text: ",".join(f"c{i}" for i in range(1_000_000)) + "\n" + text, "1,000,000 columns", marks=FULL),
        pytest.param(lambda text: text + "a" + "," * 1_000_000 + "\n", "1000001 fields", marks=FULL),
        pytest.param(lambda text: text + ",,\n" * 1_000_000 + "a\n", f"more than {MAX_ROWS:,} rows", marks=FULL),
    ],
    ids=range(13),
)
def test_every_reader_of_csv_says_the_same_of_the_same(tmp_path: Path, change: Callable[[str], str], found: str) -> None:
    terms = change((BUNDLED / "administrations.csv").read_text(encoding="utf-8"))
    (tmp_path / "administrations.csv").write_text(terms, encoding="utf-8", newline="")
    begun = time.process_time()
    every = [read_table(tmp_path / "administrations.csv", Administration)[1]]
    effect = load_priors(PRIORS).spec("leverage.effect")
    for read in (
        lambda: read_rows(change(CLAIMS).encode(), tuple(LABELS["claims"]), "new.csv"),
        lambda: read_opinions("leverage.effect", change(ASKED), effect, "asked.csv"),
    ):
        try:
            read()
        except InputError as e:
            every.append(list(e.problems))
    assert time.process_time() - begun < 15
    assert len(every) == (2 if found == "an empty first line" else 3)  # people's opinions may have blank lines
    for problems in every:
        assert any(found in p.found for p in problems), [str(p)[:200] for p in problems[:3]]
        assert all(p.row is not None and len(str(p)) < 1500 for p in problems)


def test_a_cell_longer_than_any_that_a_person_writes_is_refused(tmp_path: Path) -> None:
    rows = rows_of(BUNDLED / "events.csv")[:2]
    write_rows(tmp_path / "events.csv", [rows[0], {**rows[1], "description": "x" * 30_000}])
    assert [(p.column, p.found) for p in problems_of(tmp_path / "events.csv")] == [("description", "30,000 characters")]
    with pytest.raises(InputError, match="30,000 characters"):
        read_opinions("leverage.effect", ASKED.replace("Ana", "A" * 30_000), load_priors(PRIORS).spec("leverage.effect"), "asked.csv")


@pytest.mark.slow
def test_a_table_at_its_bounds_is_read_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "indicators.csv"
    row = "{:04}-{:02},s{},1.5,index,2020-01-01,somewhere\n"
    rows = "".join(row.format(1900 + i // 12 % 100, i % 12 + 1, i // 1200) for i in range(MAX_ROWS - 1))
    path.write_text("month,series,value,unit,published,source\n" + rows, encoding="utf-8")
    begun = time.process_time()
    table, problems = read_table(path, RECORDS["indicators"])
    assert time.process_time() - begun < 20
    assert problems == []
    assert len(table.rows) == MAX_ROWS - 1


def test_a_hundred_problems_of_a_file_are_listed_and_the_rest_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "indicators.csv"
    rows = "".join(f"2020-13,s{i},x,index,2020-01-01,somewhere\n" for i in range(50_000))
    path.write_text("month,series,value,unit,published,source\n" + rows, encoding="utf-8")
    begun = time.process_time()
    problems = read_table(path, RECORDS["indicators"])[1]
    assert time.process_time() - begun < 10
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].found == f"more than {MAX_PROBLEMS} problems"


def test_problems_are_counted_all_and_listed_by_file() -> None:
    many = [Problem("a.csv", str(i), "x", "y.", i) for i in range(1000)]
    few = [Problem("b.csv", str(i), "x", "y.", i) for i in range(MAX_PROBLEMS + 1)]
    error = InputError.of([*many, *few])
    assert error.message.startswith("1,101 problems")
    assert [p for p in error.problems if p.file == "b.csv"] == few
    mine = [p for p in error.problems if p.file == "a.csv"]
    assert mine[:-1] == many[:MAX_PROBLEMS]
    assert mine[-1].found == "900 more problems"
    assert listed(error.problems) == list(error.problems)


def test_columns_up_to_the_bound_are_each_named(tmp_path: Path) -> None:
    (tmp_path / "administrations.csv").write_text(",".join(f"c{i}" for i in range(MAX_COLUMNS)) + "\n", encoding="utf-8")
    problems = read_table(tmp_path / "administrations.csv", Administration)[1]
    assert len({p.column for p in problems}) == MAX_COLUMNS + len(Administration.model_fields)


@pytest.mark.parametrize("record", RECORDS.values(), ids=lambda record: record.file)
def test_an_exact_duplicate_of_a_row_is_an_error_of_every_table(tmp_path: Path, record: type[Record]) -> None:
    rows = rows_of(BUNDLED / record.file)[:3]
    write_rows(tmp_path / record.file, [*rows, rows[1]])
    first = 2 + (BUNDLED / record.file).read_text(encoding="utf-8").startswith("\ufeff")
    assert [(p.row, p.found) for p in read_table(tmp_path / record.file, record)[1]] == [(5, f"the row of line {first + 1} again")]


# ---- JSON that is handed over


@pytest.mark.parametrize(
    ("raw", "row", "words"),
    [
        (b'{"start": "2026-04", "start": "2026-05"}', 1, "the key 'start' twice"),
        (b'[{"why": "x"}, {"why": "x"}]', 2, "the row 1 again"),
        (b'{"why": {}}', 1, "an object"),
        (b'{"why": [[]]}', 1, "a list"),
        (b'{"why": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}", None, "brackets nested too deep"),
        (b"[1,1]", 1, "'1'"),
        (b'{"k0": 1}', 1, "the column 'k0'"),
        pytest.param(b"[" + b"1," * 1_000_000 + b"1]", 1, "'1'", marks=FULL),
        pytest.param(b"{" + b",".join(b'"k%d": 1' % i for i in range(300_000)) + b"}", 1, "the column 'k0'", marks=FULL),
        (b"[" + b",".join(b'{"why": "%d"}' % i for i in range(2000)) + b"]", None, "2,000 rows"),
    ],
    ids=range(10),
)
def test_json_is_bounded_and_no_key_counts_twice(raw: bytes, row: int | None, words: str) -> None:
    begun = time.process_time()
    with pytest.raises(InputError) as refused:
        read_rows(raw, tuple(LABELS["claims"]), "new.json")
    assert time.process_time() - begun < 10
    first = refused.value.problems[0]
    assert (first.row, words in first.found) == (row, True), str(first)[:300]
    assert len(refused.value.problems) <= MAX_PROBLEMS + 2


# ---- causes


def test_a_cause_is_no_later_row_and_no_circle(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    line = {"B901": 0, "B902": 0, "B903": 0}
    for name, day, cause in (("B901", "2026-06-20", "B902"), ("B902", "2026-06-20", "B903"), ("B903", "2026-06-20", "B901")):
        add(folder, "events.csv", lambda r: r["id"] == "B009", id=name, date=day, published=day, until="", kind="threat", caused_by=cause)
        line[name] = len(rows_of(folder / "events.csv")) + 1
    [circle] = [p for p in problems_in(folder) if p.column == "caused_by"]
    assert "a circle of" in circle.found
    assert circle.row in line.values()
    change(folder, "events.csv", lambda r: r["id"] == "B903", caused_by="")
    assert [p for p in problems_in(folder) if p.column == "caused_by"] == []
    change(folder, "events.csv", lambda r: r["id"] == "B902", date="2026-05-01", published="2026-06-20")
    [late] = [p for p in problems_in(folder) if p.column == "caused_by"]
    assert late.found.startswith("B903 of 2026-06-20")


def test_claims_that_supersede_each_other_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    first, second = (claim.claim_id for claim in read_data(folder).claims[:2])
    change(folder, "outcome_claims.csv", lambda r: r["claim_id"] == first, supersedes=second)
    change(folder, "outcome_claims.csv", lambda r: r["claim_id"] == second, supersedes=first)
    assert [p.column for p in problems_in(folder) if "a circle of" in p.found] == ["supersedes"]
