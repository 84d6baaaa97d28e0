"""Adding rows: one line more and no byte else; what the data would refuse is refused before anything is written; two adders take turns."""

from __future__ import annotations

import csv
import difflib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.data.entry import add_rows
from forecast.data.entry.add_rows import Addition, complete_cells, missing_columns, plan_addition, possible_duplicates, write_addition
from forecast.data.entry.defaults import next_id
from forecast.data.entry.file_edits import SORT_KEYS, insert_rows
from forecast.data.entry.form import LABELS, cell_problem, choices, codebook_passages, column_applies, required_columns
from forecast.data.entry.row_input import RowInput, read_rows
from forecast.data.read import read_data, read_table
from forecast.data.tables import RECORDS, Data
from forecast.errors import ForecastError, InputError, LockedError, UsageError
from forecast.storage import atomic
from forecast.storage.locks import folder_lock
from forecast.storage.text import refused_character
from tests.support.data_editing import BUNDLED, copied, rows_of, shortened, write_rows

TARIFF = {
    "family": "B", "role": "pressure", "date": "2026-06-20", "published": "2026-06-20", "instrument": "tariff", "kind": "measure",
    "intensity": "4", "evidence": "source_read", "confidence": "high", "source": "White House", "description": "All goods, 25 %",
}  # fmt: skip
CLAIM = {"start": "2026-04", "level": "3", "published": "2026-06-30", "stance": "documented", "confidence": "low", "why": "Seen"}
POLL = {
    "pollster": "Reforma", "topic": "mx_us_troops", "wording": "force_unqualified", "field_start": "2026-05", "field_end": "2026-05",
    "opposed_pct": "61", "in_favour_pct": "31", "use": "yes", "source": "Reforma", "confidence": "high", "question": "Troops?",
}  # fmt: skip
NEW: Mapping[str, Mapping[str, str]] = {"events": TARIFF, "claims": CLAIM, "polls": POLL}


FOLLOW = {"channel", "published", "published_basis"}
"""Columns that follow from others in some rows, and so are missing with them."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shortened(copied(tmp_path))


@pytest.fixture(scope="module")
def data() -> Data:
    return read_data(BUNDLED)


def plan(folder: Path, name: str, *rows: Mapping[str, str], through: date | None = None) -> Addition:
    return plan_addition(folder, name, [RowInput(row) for row in rows], through)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def added_lines(before: bytes, after: bytes) -> list[bytes]:
    """The lines that a diff shows as added; nothing may be shown as taken away."""
    diff = list(difflib.diff_bytes(difflib.unified_diff, before.split(b"\n"), after.split(b"\n"), n=0))[2:]
    assert not [d for d in diff if d.startswith(b"-")]
    return [d[1:] for d in diff if d.startswith(b"+")]


@pytest.mark.parametrize("name", NEW)
def test_one_line_is_added_in_the_order_of_the_file(folder: Path, name: str) -> None:
    before = bytes_of(folder)
    created = plan(folder, name, NEW[name])
    assert bytes_of(folder) == before
    assert write_addition(folder, created)
    after = bytes_of(folder)
    file = RECORDS[name].file
    assert {f for f in after if after[f] != before.get(f)} == {file}
    [new] = created.rows
    assert added_lines(before[file], after[file]) == [new.text.encode()]
    assert after[file].split(b"\n")[new.line - 1].decode() == new.text
    data = read_data(folder)
    keys = [SORT_KEYS[name](row) for row in getattr(data, name)]
    assert keys == sorted(keys)
    assert data == created.after


def test_ids_are_the_next_free_ones(folder: Path, data: Data) -> None:
    assert [getattr(plan(folder, name, NEW[name]).rows[0].record, RECORDS[name].key[0]) for name in NEW] == [
        "B104",
        "OC34",
        "reforma-2026-05:troops",
    ]
    for family, free in {"A": "A086", "B": "B104", "C": "C044", "D": "D018"}.items():
        assert complete_cells(data, "events", {"family": family})["id"] == free
    assert next_id(["OC9", "OC10", "X"], "OC") == "OC11"
    assert next_id([], "A") == "A001"
    second = plan(folder, "polls", POLL, {**POLL, "question": "Troops, again?"})
    assert [row.record.poll_id for row in second.rows] == ["reforma-2026-05:troops", "reforma-2026-05b:troops"]  # type: ignore[attr-defined]
    assert (
        complete_cells(data, "polls", {**POLL, "pollster": "El Financiero", "topic": "mx_own_army"})["poll_id"]
        == "elfinanciero-2026-05:own_army"
    )
    assert (
        complete_cells(data, "polls", {**POLL, "pollster": "New House, Inc.", "topic": "novel"})["poll_id"] == "newhouseinc-2026-05:novel"
    )


def test_what_follows_by_rule_is_filled_in_and_what_was_written_stays(data: Data) -> None:
    full = complete_cells(data, "events", TARIFF)
    assert (full["channel"], full["direction"], full["disputed"]) == ("economic", "+", "no")
    assert complete_cells(data, "events", {**TARIFF, "kind": "relaxation"})["direction"] == "-"
    assert complete_cells(data, "events", {**TARIFF, "channel": "security", "disputed": ""})["channel"] == "security"
    assert complete_cells(data, "events", {**TARIFF, "disputed": ""})["disputed"] == ""
    poll = complete_cells(data, "polls", POLL)
    assert (poll["published"], poll["published_basis"]) == ("2026-06-10", "rule: field end + 10 days")
    assert complete_cells(data, "polls", {**POLL, "published": "2026-06-02"})["published_basis"] == "stated by the source"
    slow = complete_cells(data, "polls", {**POLL, "pollster": "Pew", "field_end": "2026-02-10"})
    assert (slow["published"], slow["published_basis"]) == ("2026-06-10", "rule: field end + 120 days")
    assert complete_cells(data, "polls", {**POLL, "field_end": "2025"})["published"] == "2025-12-31"


@pytest.mark.parametrize(
    "style",
    [
        lambda raw: raw,
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n") + b"\r\n\r\n",
        lambda raw: raw + b",,,,,,,,,\n\n",
        lambda raw: raw.replace(b"\n", b"\r\n", 20),
    ],
    ids=["as it is", "byte-order mark", "CRLF", "all that a spreadsheet does", "empty lines at the end", "mixed line ends"],
)
def test_the_file_keeps_its_own_style(folder: Path, style: object) -> None:
    path = folder / "outcome_claims.csv"
    path.write_bytes(style(path.read_bytes()))  # type: ignore[operator]
    before = path.read_bytes()
    created = plan(folder, "claims", CLAIM)
    assert write_addition(folder, created)
    after = path.read_bytes()
    ends = b"\r\n" if before.count(b"\r\n") > 30 else b"\n"
    line = created.rows[0].text.encode() + ends
    assert len(after) == len(before) + len(line)
    at = after.index(line)
    assert after[:at] + after[at + len(line) :] == before
    assert read_data(folder) == created.after


def test_columns_in_another_order_and_rows_out_of_order_are_left_so(folder: Path) -> None:
    path = folder / "outcome_claims.csv"
    rows = rows_of(path)
    header = list(reversed(rows[0]))
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.DictWriter(f, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows[5:], *rows[:5]])
    before = path.read_bytes()
    created = plan(folder, "claims", {**CLAIM, "claim_id": "OC07b"})
    assert write_addition(folder, created)
    assert added_lines(before, path.read_bytes()) == [created.rows[0].text.encode()]
    assert created.rows[0].text.startswith("Seen,low,")
    assert created.after == read_data(folder)


def test_a_row_that_spans_lines_is_not_cut(folder: Path) -> None:
    path = folder / "events.csv"
    rows = rows_of(path)
    write_rows(path, [*rows[:-1], {**rows[-1], "description": "one\ntwo,\n three"}])
    before = path.read_bytes()
    created = plan(folder, "events", {**TARIFF, "date": "2026-06-30", "published": "2026-06-30", "id": "Z1"})
    assert write_addition(folder, created)
    assert path.read_bytes() == before + created.rows[0].text.encode() + b"\n"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\r\n"), min_size=1).filter(lambda text: text.strip() and not refused_character(text)))
def test_any_text_is_written_and_read_back_as_it_is(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:

    record = RECORDS["claims"]
    path = tmp_path_factory.mktemp("text") / record.file
    path.write_bytes((BUNDLED / record.file).read_bytes())
    table, _ = read_table(path, record)
    cells = {**CLAIM, "claim_id": "OC05b", "why": text}
    row = record.model_validate({c: cells.get(c, "") for c in record.model_fields})
    path.write_bytes(insert_rows(path.read_bytes(), "claims", table, [(cells, row)]).raw)
    again, problems = read_table(path, record)
    assert problems == []
    assert again.rows[5] == row
    assert [r for r in again.rows if r != row] == list(table.rows)


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x.test","y")', "<script>alert(1)</script>", "+1", "@SUM(A1)", "-2+3"])
def test_a_formula_or_markup_stays_text(folder: Path, text: str) -> None:
    created = plan(folder, "events", {**TARIFF, "description": text})
    assert write_addition(folder, created)
    assert [e.description for e in read_data(folder).events if e.id == "B104"] == [text]


@pytest.mark.parametrize(
    ("name", "cells", "column", "words"),
    [
        ("events", {"intensity": "9"}, "intensity", "a value ≤ 5"),
        ("events", {"date": "2026-13"}, "date", "calendar"),
        ("events", {"kind": "treat"}, "kind", "Did you mean 'threat'?"),
        ("events", {"channel": "security"}, "channel", "economic, the channel of tariff"),
        ("events", {"id": "B009"}, "id", "Delete one of the two"),
        ("events", {"published": "2020-01-01"}, "published", "Correct one of the two"),
        ("events", {"caused_by": "Z999"}, "caused_by", "Add that row first"),
        ("events", {"description": "two\nlines"}, "description", "Write it without"),
        ("events", {"description": "a\0b"}, "description", "Delete it"),
        ("events", {"source": "\udcff"}, "source", "not UTF-8"),
        ("claims", {"end": "2026-03"}, "end", "Correct one of the two"),
        ("claims", {"level": "7"}, "level", "a value ≤ 5"),
        ("polls", {"opposed_pct": "90"}, "opposed_pct", "sum to 121"),
        ("polls", {"n": "0"}, "n", "a value ≥ 1"),
    ],
)
def test_what_the_data_would_refuse_is_refused_and_nothing_written(
    folder: Path, name: str, cells: Mapping[str, str], column: str, words: str
) -> None:
    before = bytes_of(folder)
    with pytest.raises(InputError) as refused:
        plan(folder, name, {**NEW[name], **cells})
    assert any(p.file == RECORDS[name].file and p.column == column and words in str(p) for p in refused.value.problems)
    assert bytes_of(folder) == before


def test_data_that_are_refused_already_are_not_added_to(folder: Path) -> None:
    (folder / "stakes.csv").write_bytes(b"")
    with pytest.raises(InputError) as refused:
        plan(folder, "claims", CLAIM)
    assert [p.file for p in refused.value.problems] == ["stakes.csv"]


def test_the_coverage_moves_only_when_told_and_its_comments_stay(folder: Path) -> None:
    late = {**TARIFF, "date": "2026-07-04", "published": "2026-07-05"}
    with pytest.raises(InputError, match="add --covered-through 2026-07-04"):
        plan(folder, "events", late)
    before = bytes_of(folder)
    created = plan(folder, "events", late, through=date(2026, 7, 31))
    assert write_addition(folder, created)
    after = bytes_of(folder)
    assert {f for f in after if after[f] != before[f]} == {"events.csv", "coverage.toml"}
    old, new = (b["coverage.toml"].decode().splitlines() for b in (before, after))
    assert [(a, b) for a, b in zip(old, new, strict=True) if a != b] == [("covered_through = 2026-06-30", "covered_through = 2026-07-31")]
    assert new.index("covered_through = 2026-07-31") == new.index('["events.csv"]') + 1
    assert read_data(folder).coverage["events.csv"] == date(2026, 7, 31)
    with pytest.raises(UsageError, match="has already been read through 2026-07-31"):
        plan(folder, "events", TARIFF, through=date(2026, 7, 31))


def test_coverage_keeps_mark_and_line_ends(folder: Path) -> None:
    path = folder / "coverage.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()
    assert write_addition(folder, plan(folder, "claims", CLAIM, through=date(2026, 7, 31)))
    after = path.read_bytes()
    at = before.index(b'"outcome_claims.csv"')
    assert after == before[:at] + before[at:].replace(b"2026-06-30", b"2026-07-31", 1)


def test_several_rows_come_in_whole_or_not_at_all(folder: Path) -> None:
    note = {
        "family": "C", "date": "2026-06-21", "published": "2026-06-21", "channel": "diplomatic", "intensity": "3", "direction": "+",
        "caused_by": "B104", "evidence": "source_read", "confidence": "high", "source": "x", "description": "An answer",
    }  # fmt: skip
    path = folder / "events.csv"
    before = path.read_bytes()
    created = plan(folder, "events", TARIFF, note, {**TARIFF, "date": "2026-01-02", "published": "2026-01-02", "description": "Earlier"})
    assert write_addition(folder, created)
    assert sorted(added_lines(before, path.read_bytes())) == sorted(row.text.encode() for row in created.rows)
    lines = path.read_text(encoding="utf-8").split("\n")
    assert all(lines[row.line - 1] == row.text for row in created.rows)
    assert [row.record.id for row in created.rows] == ["B104", "C044", "B105"]  # type: ignore[attr-defined]
    with pytest.raises(InputError):
        plan(folder, "events", TARIFF, {**note, "intensity": "7"})


def test_problems_of_a_file_name_its_own_lines(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text(
        "start,level,published,stance,confidence,why\n2026-04,3,2026-06-30,documented,low,x\n2026-04,7,2026-06-30,documented,low,y\n",
        encoding="utf-8",
    )
    rows = read_rows(path, tuple(LABELS["claims"]), "new.csv")
    with pytest.raises(InputError) as refused:
        plan_addition(folder, "claims", rows)
    assert [(p.file, p.row, p.column) for p in refused.value.problems] == [("new.csv", 3, "level")]


def test_rows_are_read_from_csv_and_json_alike() -> None:
    columns = tuple(LABELS["claims"])
    table = b'\xef\xbb\xbfstart,level,basis_ids,why\r\n2026-04,3,A071;A072,"a, ""b"""\r\n2026-05,2,,c\r\n\r\n'
    text = b"""[{"start": "2026-04", "level": 3, "basis_ids": ["A071", "A072"], "why": "a, \\"b\\""},
        {"start": "2026-05", "level": 2, "basis_ids": null, "why": "c"}]"""
    assert [row.cells for row in read_rows(table, columns, "-")] == [row.cells for row in read_rows(text, columns, "-")]
    assert read_rows(b'{"opposed_pct": 7.10}', tuple(LABELS["polls"]), "-")[0].cells == {"opposed_pct": "7.10"}


@pytest.mark.parametrize(
    ("raw", "row", "column", "words"),
    [
        (b"", None, None, "an empty file"),
        (b"start,lvel\n2026-04,3\n", 1, "lvel", "Did you mean 'level'?"),
        (b"start,start\n2026-04,3\n", 1, "start", "twice"),
        (b"start,why\n2026-04,a, b\n", 2, None, "Put double quotes"),
        (b"start,why\n", None, None, "no row"),
        (b'start,why\n2026-04,"a\n', 2, None, "Close the quote"),
        (b"start,why\n2026-04,\xe9\n", 2, None, "UTF-8"),
        (b'{"start": "2026-04",}', 1, None, "isn't JSON"),
        (b'["2026-04"]', 1, None, "an object"),
        (b'{"start": {"a": 1}}', 1, "start", "Write a text"),
        (b'[{"start": "2026-04"}, {"level": true}]', 2, "level", "Write a text"),
        (b"[" * 100_000, None, None, "brackets"),
        (b"x" * 32_000_001, None, None, "more than 32,000,000 bytes"),
    ],
    ids=range(13),
)
def test_rows_that_can_not_be_read_are_refused(raw: bytes, row: int | None, column: str | None, words: str) -> None:
    with pytest.raises(InputError) as refused:
        read_rows(raw, tuple(LABELS["claims"]), "-")
    assert [(p.row, p.column) for p in refused.value.problems if words in str(p)] == [(row, column)]


def test_what_was_planned_on_other_data_is_not_written(folder: Path) -> None:
    first, second = plan(folder, "claims", CLAIM), plan(folder, "claims", CLAIM)
    assert write_addition(folder, first)
    assert not write_addition(folder, second)
    assert [c.claim_id for c in read_data(folder).claims][-1] == "OC34"
    assert len(read_data(folder).claims) == len(rows_of(BUNDLED / "outcome_claims.csv")) + 1


def test_an_adder_waits_for_the_other_and_gives_up_in_words(folder: Path) -> None:
    created = plan(folder, "claims", CLAIM)
    with folder_lock(folder), pytest.raises(LockedError, match="Another command"), folder_lock(folder, patience=0.05):
        pass
    with folder_lock(folder):
        done: list[bool] = []
        waiting = threading.Thread(target=lambda: done.append(write_addition(folder, created)))
        waiting.start()
        waiting.join(0.1)
        assert done == []
    waiting.join(5)
    assert done == [True]


def test_the_lock_holds_between_processes(folder: Path) -> None:
    code = f"from pathlib import Path; from forecast.storage.locks import folder_lock\nwith folder_lock(Path({str(folder)!r}), 0.05): pass"
    with folder_lock(folder):
        held = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=BUNDLED.parent)
    assert "LockedError" in held.stderr
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_failing_disk_leaves_every_file_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = bytes_of(folder)
    created = plan(folder, "events", TARIFF, through=date(2026, 7, 31))
    real = os.replace

    def full(source: str, target: Path) -> None:
        if Path(target).name == "coverage.toml":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(atomic.os, "replace", full)
    with pytest.raises(ForecastError, match=r"coverage\.toml could not be written: No space left"):
        write_addition(folder, created)
    assert bytes_of(folder) == before


def test_permissions_stay_and_a_link_is_followed(folder: Path, tmp_path: Path) -> None:
    path = folder / "outcome_claims.csv"
    elsewhere = tmp_path / "elsewhere.csv"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    elsewhere.chmod(0o640)
    assert write_addition(folder, plan(folder, "claims", CLAIM))
    assert path.is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o640
    assert b"OC34" in elsewhere.read_bytes()


def test_near_rows_are_of_the_same_fortnight_and_channel(folder: Path, data: Data) -> None:
    created = plan(folder, "events", {**TARIFF, "date": "2026-06-05", "published": "2026-06-05"})
    new = created.rows[0].record
    near = possible_duplicates(created.after, "events", new)
    expected = {e.id for e in data.events if e.channel == "economic" and abs((e.date.last - date(2026, 6, 5)).days) <= 14}
    assert {e.id for e in near} == expected != set()
    assert new not in near
    twin = {**POLL, "pollster": "El Financiero", "field_start": "2026-01-20", "field_end": "2026-01-25", "topic": "mx_us_troops"}
    poll = plan(folder, "polls", twin)
    ids = [p.poll_id for p in possible_duplicates(poll.after, "polls", poll.rows[0].record)]
    assert ids[0] == "elfinanciero-2026-01:troops"
    assert all(p.startswith("elfinanciero") or ":troops" in p for p in ids)


@pytest.mark.parametrize("name", NEW)
def test_every_column_is_asked_once_and_the_needed_are_those_the_reader_needs(data: Data, name: str) -> None:
    assert set(LABELS[name]) == set(RECORDS[name].model_fields)
    assert missing_columns(data, name, NEW[name]) == ()
    for column in required_columns(name, complete_cells(data, name, NEW[name])):
        if column in NEW[name] and column not in ("kind", "instrument"):  # from which others follow
            missing = set(missing_columns(data, name, {**NEW[name], column: ""}))
            assert column in missing
            assert missing - FOLLOW <= {column}
    assert not set(missing_columns(data, name, {})) & set(RECORDS[name].key)


def test_what_is_asked_depends_on_the_row() -> None:
    assert not column_applies("events", "kind", {"family": "A", "role": "decision"})
    assert column_applies("events", "until", {"family": "B", "kind": "measure"})
    assert not column_applies("events", "until", {"family": "B", "kind": "threat"})
    assert not column_applies("polls", "why_not", {"use": "yes"})
    assert "why_not" in required_columns("polls", {"use": "no"})
    assert {"direction", "operation_level"} <= set(required_columns("events", {"family": "A", "role": "decision"}))
    assert choices("events", "role", {"family": "A"}) == ("decision", "claim", "request", "context")
    assert choices("events", "channel", {"family": "B", "instrument": "visa"}) == ("diplomatic",)
    assert "force_unqualified" in choices("polls", "wording", {})
    problem = cell_problem("events", "instrument", "tarif", {"family": "B"})
    assert problem is not None
    assert problem.remedy == "Did you mean 'tariff'?"


@pytest.mark.parametrize("family", "ABCD")
def test_a_row_with_all_that_is_asked_and_needed_passes_the_checks(folder: Path, data: Data, family: str) -> None:
    """What applies never is what the codebook forbids: the newest row of each role, with only the columns that are asked, is taken."""
    for role in {e.role for e in data.events if e.family == family}:
        like = [r for r in rows_of(BUNDLED / "events.csv") if r["family"] == family and r["role"] == role][-1]
        asked = {c: v for c, v in like.items() if c != "id" and v and column_applies("events", c, like)}
        assert plan(folder, "events", asked).rows[0].record.model_dump(exclude={"id"}) == next(
            e for e in data.events if e.id == like["id"]
        ).model_dump(exclude={"id"})


def test_the_rules_are_the_codebook_itself(tmp_path: Path) -> None:
    for column in ("date", "published", "role", "channel", "instrument", "kind", "intensity", "direction", "operation_level", "level",
                   "stance", "ends", "answers", "episode", "caused_by", "same_act_as", "published_basis", "evidence", "start"):  # fmt: skip
        assert codebook_passages(BUNDLED, column), column
    messages = codebook_passages(BUNDLED, "level")
    assert messages[0].startswith("Codebook, section 1")
    assert any(line.startswith("  4: covert action") for line in messages)
    assert codebook_passages(tmp_path, "level") == []
    text = (BUNDLED / "CODEBOOK.md").read_text(encoding="utf-8")
    (tmp_path / "CODEBOOK.md").write_text(text.replace("over once done", "over and done with"), encoding="utf-8")
    assert any("over and done with" in line for line in codebook_passages(tmp_path, "kind"))


def test_the_files_of_a_snapshot_are_all_that_is_read(folder: Path) -> None:
    before = add_rows.folder_digest(folder)
    for path in folder.iterdir():
        old = path.read_bytes()
        path.write_bytes(old + b"#")
        assert add_rows.folder_digest(folder) != before
        path.write_bytes(old)
    assert add_rows.folder_digest(folder) == before
