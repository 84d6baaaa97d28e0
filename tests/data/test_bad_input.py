"""Bad input, case by case, as the command meets it: exit 3, the file, the row, the column and what to do, and nothing changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.data_editing import BUNDLED, Row, copied, rows_of, shortened, write_rows

type Command = Callable[..., Result]
type Edit = Callable[[Path], int | None]
"""Damages a file and returns the line that must be named, None where it is about the whole file."""


def cell(which: Callable[[Row], bool], **cells: str) -> Edit:
    """Set cells of the first row that is like that."""

    def edit(path: Path) -> int:
        rows = rows_of(path)
        i = next(i for i, row in enumerate(rows) if which(row))
        rows[i].update(cells)
        write_rows(path, rows)
        return i + 2

    return edit


def by(**cells: str) -> Callable[[Row], bool]:
    return lambda row: all(row[column] == value for column, value in cells.items())


def again(which: Callable[[Row], bool], **cells: str) -> Edit:
    """Append a row like another one but for some cells."""

    def edit(path: Path) -> int:
        rows = rows_of(path)
        write_rows(path, [*rows, {**next(row for row in rows if which(row)), **cells}])
        return len(rows) + 2

    return edit


def raw(change: Callable[[bytes], bytes], line: int | None) -> Edit:
    def edit(path: Path) -> int | None:
        before = path.read_bytes()
        path.write_bytes(change(before))
        assert path.read_bytes() != before
        return line

    return edit


def large(path: Path) -> None:
    os.truncate(path, 200_000_000)  # sparse: takes no room on disk


def unended(path: Path) -> int:
    body = path.read_bytes().removesuffix(b"\n")
    path.write_bytes(body)
    return body.count(b"\n") + 1


OVERLAP = cell(by(country="Mexico", start="1990-02"), start="1990-01")
LATE = again(by(id="B009"), id="B999", date="2026-07-01", published="2026-07-01", until="")
TERMS, FINAL = "administrations.csv", "overdose_final.csv"

CASES: dict[str, tuple[str, Edit, str | None, str]] = {
    "missing column": (TERMS, raw(lambda b: b"\n".join(x.rsplit(b",", 1)[0] for x in b.splitlines()) + b"\n", 1), "published", "Add it"),
    "extra column": (TERMS, raw(lambda b: b"\n".join(x + b",x" for x in b.splitlines()) + b"\n", 1), "x", "Delete the column"),
    "unquoted comma": (TERMS, raw(lambda b: b.replace(b"Fox", b"Fox, Vicente"), 2), None, "Put double quotes"),
    "too few fields": (TERMS, raw(lambda b: b.replace(b",Fox", b""), 2), None, "Add the missing cells"),
    "semicolons": (TERMS, raw(lambda b: b.replace(b",", b";"), 1), None, "Save it again as CSV with commas"),
    "Latin-1": (TERMS, raw(lambda b: b.replace(b"Calderon", "Calderón".encode("latin-1")), 3), None, "Save the file again as UTF-8"),
    "a comma that is one of two things": (FINAL, cell(by(month="2016-01"), deaths="1,234"), "deaths", "Write 1234 if the comma is"),
    "thousands in blanks": (FINAL, cell(by(month="2016-01"), deaths="1\u202f234"), "deaths", "Leave out the thousands separator"),
    "NUL byte": (TERMS, raw(lambda b: b.replace(b"Fox", b"F\0x"), 2), None, "delete the byte"),
    "empty file": (TERMS, raw(lambda b: b"", None), None, "Restore the file"),
    "duplicate id": ("events.csv", again(by(id="B009"), date="2026-06-30", published="2026-06-30", until=""), "id", "Delete one"),
    "duplicate row": (TERMS, again(by(name="Fox")), None, "Delete one of the two"),
    "duplicate row without a key": ("stakes.csv", again(by(side="US")), None, "Delete one of the two"),
    "overlapping spells": ("reference_spells.csv", OVERLAP, "start", "End the earlier row"),
    "overlapping terms": (TERMS, cell(by(name="Calderon"), start="2006-11"), "start", "End the earlier row"),
    "month 13": (TERMS, cell(by(name="Fox"), start="2000-13"), "start", "Write a month from 01 to 12"),
    "31 February": ("events.csv", cell(by(id="B009"), published="2017-02-31"), "published", "Write a day that the calendar has"),
    "published too early": ("events.csv", cell(by(id="B009"), published="2000"), "published", "Correct one of the two"),
    "after the coverage": ("events.csv", LATE, "date", "raise covered_through"),
    "share above 100": ("polls.csv", cell(by(use="yes"), opposed_pct="101"), "opposed_pct", "Check the figure"),
    "share below 0": ("polls.csv", cell(by(use="yes"), opposed_pct="-1"), "opposed_pct", "Check the figure"),
    "n of 0": ("polls.csv", cell(by(use="yes"), n="0"), "n", "Check the figure"),
    "level 7 of an act": ("events.csv", cell(by(role="decision"), operation_level="7"), "operation_level", "Check the figure"),
    "level 7 of a month": ("outcome_claims.csv", cell(by(claim_id="OC07"), level="7"), "level", "Check the figure"),
    "negative deaths": (FINAL, cell(by(month="2016-01"), deaths="-1"), "deaths", "Check the figure"),
    "unknown word": ("events.csv", cell(by(id="B009"), role="presure"), "role", "Did you mean 'pressure'?"),
    "unknown instrument": ("events.csv", cell(by(id="B009"), instrument="tarif"), "instrument", "Did you mean 'tariff'?"),
    "unknown key": ("scales.toml", raw(lambda b: b.replace(b"frozen", b"frosen", 1), 6), "leverage.frosen", "Did you mean 'frozen'?"),
    "200 MB": ("polls.csv", large, None, "put the right one in its place"),
    "last line without its end": ("events.csv", unended, None, "end the last line"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """data/ of a workspace, some of its files cut short, and its priors: the check sees all that a run would refuse."""
    shutil.copytree(BUNDLED.parent / "priors", tmp_path / "priors")
    return shortened(copied(tmp_path))


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused(command: Command, folder: Path, case: str) -> None:
    file, edit, column, remedy = CASES[case]
    line = edit(folder / file)
    if file == "scales.toml":
        line = next(i for i, text in enumerate((folder / file).read_text(encoding="utf-8").splitlines(), 1) if "frosen" in text)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()}
    result = command("--workspace", folder.parent, "data", "check", "--json")
    assert result.exit_code == 3
    errors = json.loads(result.stdout)["errors"]
    outcome = [e for e in errors if (e["file"], e["row"], e["column"]) == (file, line, column) and remedy in e["remedy"]]
    assert outcome, errors
    assert all(e["found"] and e["expected"] and e["remedy"] for e in errors)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()} == before


def test_the_message_in_words_has_place_and_remedy(command: Command, folder: Path) -> None:
    line = cell(by(id="B009"), role="presure")(folder / "events.csv")
    result = command("--workspace", folder.parent, "data", "check")
    assert result.exit_code == 3
    assert f"events.csv, line {line}, column role" in result.stdout
    assert "Did you mean 'pressure'?" in " ".join(result.stdout.split())
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.usefixtures("bundled_drivers")
def test_claims_and_the_calendar_may_be_published_before_what_they_speak_of(command: Command, folder: Path) -> None:
    cell(by(claim_id="OC33"), published="2006-01-01", supersedes="")(folder / "outcome_claims.csv")
    cell(by(id="K001"), published="2001-01-01")(folder / "calendar.csv")
    result = command("--workspace", folder.parent, "data", "check")
    assert result.exit_code == 0, result.stdout


def test_what_spreadsheets_write_is_read_in_every_file(command: Command, tmp_path: Path) -> None:
    shutil.copytree(BUNDLED.parent / "priors", tmp_path / "priors")
    folder = copied(tmp_path)
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n\r\n")
    result = command("--workspace", folder.parent, "data", "check", "--json")
    assert result.exit_code == 0, result.stdout
    bundled = command("--workspace", BUNDLED.parent, "data", "check", "--json")
    assert json.loads(result.stdout)["data_digest"] == json.loads(bundled.stdout)["data_digest"]


@pytest.mark.usefixtures("bundled_drivers")
def test_a_formula_and_markup_are_shown_as_the_text_they_are(command: Command, folder: Path) -> None:
    text = '=HYPERLINK("http://x.test","<script>alert(1)</script>")'
    cell(by(id="A001"), description=text)(folder / "events.csv")
    assert command("--workspace", folder.parent, "data", "check").exit_code == 0
    shown = command("--workspace", folder.parent, "data", "show", "events", "--where", "id=A001")
    assert text in shown.stdout
    document = command("--workspace", folder.parent, "data", "show", "events", "--where", "id=A001", "--json")
    assert json.loads(document.stdout)[0]["description"] == text
