"""Whatever a person can do to a file, the reader either takes it as it stands or says where, what and how to mend it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.data.checks.dates import check_coverage
from forecast.data.read import read_data, read_table
from forecast.data.records import Administration, Event
from forecast.data.tables import RECORDS
from forecast.data.toml_file import read_settings
from forecast.errors import Problem
from forecast.storage.files import MAX_BYTES
from tests.support.data_editing import BUNDLED, change, copied, problems_in, problems_of, rows_of, write_rows

type Edit = Callable[[bytes], bytes]


def line(n: int, new: bytes) -> Edit:
    """Replace line `n`, counted from 1."""

    def edit(raw: bytes) -> bytes:
        lines = raw.splitlines(keepends=True)
        lines[n - 1] = new
        return b"".join(lines)

    return edit


def swap(old: bytes, new: bytes) -> Edit:
    def edit(raw: bytes) -> bytes:
        assert old in raw
        return raw.replace(old, new, 1)

    return edit


TERMS = "administrations.csv"
FINAL = "overdose_final.csv"

REFUSED: list[tuple[str, str, Edit, int | None, str | None, str]] = [
    ("empty file", TERMS, lambda raw: b"", None, None, "an empty file"),
    ("blank file", TERMS, lambda raw: b"\xef\xbb\xbf\r\n\r\n", None, None, "an empty file"),
    ("header only", TERMS, lambda raw: raw.splitlines(keepends=True)[0], None, None, "at least one row"),
    ("missing column", TERMS, lambda raw: b"\n".join(x.rsplit(b",", 1)[0] for x in raw.splitlines()) + b"\n", 1, "published", "Add it"),
    ("misspelt column", TERMS, swap(b"published", b"publisched"), 1, "publisched", "Did you mean 'published'?"),
    ("extra column", TERMS, lambda raw: b"\n".join(x + b",x" for x in raw.splitlines()) + b"\n", 1, "x", "Delete the column"),
    ("column twice", TERMS, swap(b"published", b"published,published"), 1, "published", "twice"),
    ("unquoted comma", TERMS, line(2, b"Mexico,Fox, Vicente,2000-12,2006-11,2000-08-02\n"), 2, None, "Put double quotes"),
    ("too few fields", TERMS, line(3, b"Mexico,Calderon,2006-12,2012-11\n"), 3, None, "4 fields; expected 5"),
    ("empty line inside", TERMS, line(3, b"\n"), 3, None, "an empty line between rows"),
    ("semicolons", TERMS, lambda raw: raw.replace(b",", b";"), 1, None, "semicolons"),
    ("tabs", TERMS, lambda raw: raw.replace(b",", b"\t"), 1, None, "tabs"),
    ("Latin-1", TERMS, line(3, "Mexico,Calderón,2006-12,2012-11,2006-09-05\n".encode("latin-1")), 3, None, "Save the file again as UTF-8"),
    ("UTF-16", TERMS, lambda raw: raw.decode().encode("utf-16"), 1, None, "UTF-16"),
    ("NUL byte", TERMS, line(4, b"Mexico,Pena\0Nieto,2012-12,2018-11,2012-08-31\n"), 4, None, "a NUL byte"),
    ("no newline at the end", TERMS, lambda raw: raw.rstrip(b"\n"), 11, None, "cut short"),
    ("open quote", TERMS, line(5, b'Mexico,"AMLO,2018-12,2024-09,2018-08-08\n'), 5, None, "Close the quote"),
    ("text after a quote", TERMS, line(5, b'Mexico,"Lopez" Obrador,2018-12,2024-09,2018-08-08\n'), 5, None, "split into cells"),
    ("month 13", TERMS, line(2, b"Mexico,Fox,2000-13,2006-11,2000-08-02\n"), 2, "start", "Write a month from 01 to 12"),
    ("day 31 of February", TERMS, line(2, b"Mexico,Fox,2000-12,2006-11,2000-02-31\n"), 2, "published", "a day that the calendar has"),
    ("other date order", TERMS, line(2, b"Mexico,Fox,2000-12,2006-11,02/08/2000\n"), 2, "published", "YYYY-MM-DD"),
    ("year 0", TERMS, line(2, b"Mexico,Fox,0000-12,2006-11,2000-08-02\n"), 2, "start", "YYYY-MM"),
    ("digits of another script", TERMS, line(2, "Mexico,Fox,2000-1٢,2006-11,2000-08-02\n".encode()), 2, "start", "YYYY-MM"),
    ("unknown word", TERMS, line(2, b"mexico,Fox,2000-12,2006-11,2000-08-02\n"), 2, "country", "Did you mean 'Mexico'?"),
    ("empty name", TERMS, line(2, b"Mexico,,2000-12,2006-11,2000-08-02\n"), 2, "name", "Fill it in"),
    ("blanks around a name", TERMS, line(2, b"Mexico, Fox,2000-12,2006-11,2000-08-02\n"), 2, "name", "Delete the blanks"),
    ("repeated row", TERMS, lambda raw: raw + raw.splitlines(keepends=True)[1], 12, None, "of line 2 again"),
    ("thousands separator", FINAL, line(2, b'1999-01,deaths_synthetic_opioids,"1,056",2000-12-31\n'), 2, "deaths", "thousands separator"),
    ("thousands unquoted", FINAL, line(2, b"1999-01,deaths_synthetic_opioids,1,056,2000-12-31\n"), 2, None, "thousands separator"),
    ("negative deaths", FINAL, line(2, b"1999-01,deaths_synthetic_opioids,-56,2000-12-31\n"), 2, "deaths", "a value > 0"),
    ("not a number", FINAL, line(2, b"1999-01,deaths_synthetic_opioids,nan,2000-12-31\n"), 2, "deaths", "plain digits"),
    ("infinite", FINAL, line(2, b"1999-01,deaths_synthetic_opioids,inf,2000-12-31\n"), 2, "deaths", "plain digits"),
    ("underscores", FINAL, line(2, b"1999-01,deaths_synthetic_opioids,1_056,2000-12-31\n"), 2, "deaths", "plain digits"),
    ("blank before a number", FINAL, line(2, b"1999-01,deaths_synthetic_opioids, 56,2000-12-31\n"), 2, "deaths", "plain digits"),
    ("decimal comma", FINAL, line(2, b'1999-01,deaths_synthetic_opioids,"56,5",2000-12-31\n'), 2, "deaths", "plain digits"),
    ("huge exponent", FINAL, line(2, b"1999-01,deaths_synthetic_opioids,1e999,2000-12-31\n"), 2, "deaths", "plain digits"),
]


@pytest.mark.parametrize(("file", "edit", "row", "column", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_bad_input_is_refused_where_it_stands(
    tmp_path: Path, file: str, edit: Edit, row: int | None, column: str | None, words: str
) -> None:
    path = tmp_path / file
    path.write_bytes(edit((BUNDLED / file).read_bytes()))
    before = path.read_bytes()
    problems = problems_of(path)
    result = [p for p in problems if p.file == file and p.row == row and words in str(p)]
    assert result, problems
    assert column is None or column in {p.column for p in result}
    assert all(p.remedy and p.expected and p.found for p in result)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("intensity", "6", "a value ≤ 5"),
        ("intensity", "0", "a value ≥ 1"),
        ("intensity", "3.0", "a whole number"),
        ("intensity", " 3 ", "a whole number"),
        ("intensity", "03", "a whole number"),
        ("intensity", "+3", "a whole number"),
        ("operation_level", "7", "a value ≤ 5"),
        ("family", "E", "one of A, B, C, D"),
        ("role", "presure", "Did you mean 'pressure'?"),
        ("direction", "−", "one of +, -"),
        ("count", "0", "a value ≥ 1"),
        ("ends", "B005; B008", "no blanks"),
        ("ends", "B005;;B008", "one ';' between"),
        ("same_act_as", "B005;B005", "nothing twice"),
        ("description", "  ", "Fill it in"),
    ],
)
def test_a_bad_cell_of_the_ledger_is_named(tmp_path: Path, column: str, cell: str, words: str) -> None:
    shutil.copy(BUNDLED / "events.csv", tmp_path)
    row = change(tmp_path, "events.csv", lambda r: r["id"] == "B024", **{column: cell})
    assert [(p.row, p.column) for p in problems_of(tmp_path / "events.csv") if words in str(p)] == [(row, column)]


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    change(folder, "polls.csv", lambda r: True, n="0", confidence="hihg")
    change(folder, "events.csv", lambda r: r["id"] == "C001", intensity="9")
    change(folder, "events.csv", lambda r: r["id"] == "B003", channel="securty")
    (folder / "stakes.csv").unlink()
    (folder / "scales.toml").write_text("[leverage]\nscal = 1.0\n", encoding="utf-8")
    result = {(p.file, p.column) for p in problems_in(folder)}
    assert {
        ("polls.csv", "n"),
        ("polls.csv", "confidence"),
        ("events.csv", "intensity"),
        ("events.csv", "channel"),
        ("stakes.csv", None),
        ("scales.toml", "leverage.scal"),
        ("scales.toml", "mobilisation"),
    } <= result


def test_a_missing_file_and_a_folder_in_its_place_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "events.csv").unlink()
    (folder / "polls.csv").unlink()
    (folder / "polls.csv").mkdir()
    result = {p.file: p.found for p in problems_in(folder) if p.row is None}
    assert result["events.csv"] == "no such file"
    assert "polls.csv" in result


def test_a_file_of_200_megabytes_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(tmp_path)
    with (folder / "polls.csv").open("r+b") as f:
        f.truncate(200_000_000)  # sparse: takes no room on disk
    read = Path.read_bytes

    def unread(path: Path) -> bytes:
        assert path.name != "polls.csv"
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", unread)
    assert [p.found for p in problems_in(folder) if p.file == "polls.csv"] == ["200,000,000 bytes"]
    assert MAX_BYTES < 200_000_000


def accepted(raw: bytes) -> list[bytes]:
    return [
        b"\xef\xbb\xbf" + raw,
        raw.replace(b"\n", b"\r\n"),
        raw + b"\n\n\r\n",
        raw + b",,,,\n,,,,\n",
        b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n") + b"\r\n",
    ]


@pytest.mark.parametrize("way", range(5), ids=["byte-order mark", "CRLF", "empty lines at the end", "empty cells at the end", "all"])
def test_what_spreadsheets_write_is_read_without_complaint(tmp_path: Path, way: int) -> None:
    raw = (BUNDLED / TERMS).read_bytes()
    path = tmp_path / TERMS
    path.write_bytes(accepted(raw)[way])
    assert path.read_bytes() != raw
    assert read_table(path, Administration) == read_table(BUNDLED / TERMS, Administration)


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / TERMS
    write_rows(path, [dict(reversed(row.items())) for row in rows_of(BUNDLED / TERMS)])
    assert path.read_bytes() != (BUNDLED / TERMS).read_bytes()
    assert read_table(path, Administration) == read_table(BUNDLED / TERMS, Administration)


def test_a_formula_or_markup_in_a_text_stays_text(tmp_path: Path) -> None:
    shutil.copy(BUNDLED / "events.csv", tmp_path)
    text = '=HYPERLINK("http://x.test";"<script>alert(1)</script>")\nsecond line, with "quotes"'
    change(tmp_path, "events.csv", lambda r: r["id"] == "A001", description=text)
    table, problems = read_table(tmp_path / "events.csv", Event)
    assert problems == []
    assert next(e for e in table.rows if e.id == "A001").description == text


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    shutil.copy(BUNDLED / "events.csv", tmp_path)
    change(tmp_path, "events.csv", lambda r: r["id"] == "A001", description="one\ntwo\r\nthree")
    change(tmp_path, "events.csv", lambda r: r["id"] == "B001", intensity="9")
    lines = (tmp_path / "events.csv").read_bytes().decode().split("\n")
    [problem] = problems_of(tmp_path / "events.csv")
    assert problem.row is not None
    assert lines[problem.row - 1].startswith("B001,")


def settings_copied(folder: Path) -> Path:
    for path in BUNDLED.glob("*.toml"):
        shutil.copy(path, folder)
    return folder


def setting_problems(folder: Path) -> list[Problem]:
    settings, problems = read_settings(folder)
    return problems + (list(check_coverage(settings)) if settings else [])


TOML: list[tuple[str, str, Callable[[str], str], str, str]] = [
    ("unknown key", "scales.toml", lambda s: s.replace("frozen", "frosen", 1), "leverage.frosen", "Did you mean 'frozen'?"),
    ("unknown key below", "questions.toml", lambda s: s.replace("min_count", "mincount"), "counts.mincount", "Did you mean 'min_count'?"),
    ("instrument of no family", "questions.toml", lambda s: s.replace('"hand_over"', '"hand_ovr"'), "counts.instrument", "'hand_over'?"),
    ("instrument of another family", "questions.toml", lambda s: s.replace('"tariff"', '"flight"'), "counts.instrument", "in family B"),
    ("role", "questions.toml", lambda s: s.replace('role = "decision"', 'role = "decisoin"'), "counts.role", "Did you mean 'decision'?"),
    (
        "role of another family",
        "questions.toml",
        lambda s: s.replace('role = "decision"', 'role = "pressure"'),
        "counts.role",
        "in family A",
    ),
    ("kind", "questions.toml", lambda s: s.replace('kind = "measure"', 'kind = "mesure"'), "counts.kind", "Did you mean 'measure'?"),
    (
        "unknown table",
        "scales.toml",
        lambda s: s.replace("[mobilisation]", "[mobilization]"),
        "mobilization",
        "Did you mean 'mobilisation'?",
    ),
    ("unknown file", "coverage.toml", lambda s: s.replace('"polls.csv"', '"poll.csv"'), "poll.csv", "Did you mean 'polls.csv'?"),
    ("file without coverage", "coverage.toml", lambda s: s.replace('"polls.csv"', '"poll.csv"'), "polls.csv", "covered_through"),
    ("date as text", "coverage.toml", lambda s: s.replace("2026-06-30", '"2026-06-30"', 1), "covered_through", "without quotes"),
    ("number as text", "scales.toml", lambda s: s.replace("scale = ", 'scale = "1" #', 1), "leverage.scale", "number"),
    ("scale of zero", "scales.toml", lambda s: s.replace("scale = ", "scale = 0.0 #", 1), "leverage.scale", "> 0"),
    ("unknown use", "sources.toml", lambda s: s.replace('"driver"', '"diver"', 1), "used_for", "Did you mean 'driver'?"),
    ("source of no file", "sources.toml", lambda s: s.replace('"polls.csv"', '"poles.csv"', 1), "polls.file", "Did you mean 'polls.csv'?"),
]


@pytest.mark.parametrize(("file", "edit", "column", "words"), [case[1:] for case in TOML], ids=[case[0] for case in TOML])
def test_a_bad_setting_is_named_with_the_right_word(tmp_path: Path, file: str, edit: Callable[[str], str], column: str, words: str) -> None:
    path = settings_copied(tmp_path) / file
    before = path.read_text(encoding="utf-8")
    path.write_text(edit(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before
    problems = setting_problems(tmp_path)
    assert any(p.file == file and column in (p.column or "") and words in str(p) for p in problems), problems


def test_the_line_of_a_bad_setting_is_told(tmp_path: Path) -> None:
    path = settings_copied(tmp_path) / "questions.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("min_count", "mincount"), encoding="utf-8")
    lines = path.read_text(encoding="utf-8").splitlines()
    [problem] = setting_problems(tmp_path)
    assert problem.row is not None
    assert "mincount" in lines[problem.row - 1]


def test_a_misspelt_key_is_one_problem_not_two(tmp_path: Path) -> None:
    path = settings_copied(tmp_path) / "scales.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("scale =", "scael =", 1), encoding="utf-8")
    assert [(p.column, p.remedy) for p in setting_problems(tmp_path)] == [("leverage.scael", "Did you mean 'scale'?")]


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    path = settings_copied(tmp_path) / "scales.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("scale =", "# scale =", 1), encoding="utf-8")
    assert [(p.column, p.found) for p in setting_problems(tmp_path)] == [("leverage.scale", "no key 'scale'")]


def test_broken_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = settings_copied(tmp_path) / "scales.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    n = next(i for i, text in enumerate(lines) if text.startswith("window_end"))
    lines[n] = "window_end = 2025-12-xx"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    [problem] = setting_problems(tmp_path)
    assert (problem.file, problem.row) == ("scales.toml", n + 1)


def test_the_bundled_data_are_read(tmp_path: Path) -> None:
    data = read_data(BUNDLED)
    assert set(data.coverage) == {record.file for record in RECORDS.values()}
    for name, record in RECORDS.items():
        assert len(getattr(data, name)) == len(rows_of(BUNDLED / record.file))


def test_reading_needs_nothing_heavy() -> None:
    heavy = "pandas", "xarray", "pymc", "scipy", "click", "rich"
    code = f"import sys, forecast.data.read, forecast.data.as_of; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=BUNDLED.parent)
    assert out.stdout.strip() == "[]"
