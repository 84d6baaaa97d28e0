"""Whatever becomes of a file, it is refused with sentences or read as an independent parser reads it; nothing else ever happens.

FORECAST_FUZZ sets the number of mutations a file.
"""

from __future__ import annotations

import csv
import io
import os
import tomllib
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from forecast.data.checks.registry import find_errors
from forecast.data.read import read_all, read_table
from forecast.data.tables import RECORDS, RecordTable
from forecast.data.toml_file import Settings, read_settings
from forecast.domain import PartialDate, month_text
from forecast.errors import InputError, Problem
from tests.support.data_editing import BUNDLED

TABLES = tuple(RECORDS)
SETTINGS = ("coverage.toml", "scales.toml", "sources.toml", "questions.toml")
QUICK = 4
PER_FILE = int(os.environ.get("FORECAST_FUZZ", QUICK))

BYTES = (
    *tuple(
        text.encode()
        for text in (
            '"',
            ",",
            ";",
            "\n",
            "\r",
            "\r\n",
            "\t",
            " ",
            "=",
            "[",
            "]",
            "#",
            "'",
            "0",
            "-",
            "\x00",
            "\ufeff",
            "\u2028",
            "\x1b[31m",
        )
    ),
    b"\xff",
    b"\xe9",
)
NUMBERS = ("0", "1", "3.0", " 3 ", "-1", "7", "1e5", "1e400", "nan", "inf", "1,234", "1.234", "1_000", "١")
DATES = ("2026-13", "2026-02-30", "2026", "2026-06", "2099-01-01", "0000-01")
TEXTS = ("", " ", "yes", "A", "B005;B008", "B005; B008", ";", "=1+1", "<b>x</b>", "\n", '"', "é", "x" * 200_000, "\u202e")
CELLS = NUMBERS + DATES + TEXTS


def mutated(raw: bytes, random: Random) -> bytes:
    """One or two mutations of a table: of bytes, of lines, of cells or of a column."""
    for _ in range(random.choice((1, 1, 1, 2))):
        of_cells = random.choice((_cell, _cell, _cell, _column))
        raw = random.choice((of_cells, of_lines))(raw, random)
    return raw


def of_lines(raw: bytes, random: Random) -> bytes:
    return random.choice((_insert, _delete, _flip, _cut, _line_twice, _line_gone, _lines_swapped))(raw, random)


def _insert(raw: bytes, random: Random) -> bytes:
    at = random.randrange(len(raw) + 1)
    return raw[:at] + random.choice(BYTES) + raw[at:]


def _delete(raw: bytes, random: Random) -> bytes:
    at = random.randrange(len(raw) + 1)
    return raw[:at] + raw[at + random.choice((1, 1, 2, 30)) :]


def _flip(raw: bytes, random: Random) -> bytes:
    if not raw:
        return raw
    at = random.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << random.randrange(8)]) + raw[at + 1 :]


def _cut(raw: bytes, random: Random) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]


def _line_twice(raw: bytes, random: Random) -> bytes:
    lines = raw.splitlines(keepends=True) or [b""]
    i = random.randrange(len(lines))
    return b"".join([*lines[: i + 1], lines[i], *lines[i + 1 :]])


def _line_gone(raw: bytes, random: Random) -> bytes:
    lines = raw.splitlines(keepends=True) or [b""]
    del lines[random.randrange(len(lines))]
    return b"".join(lines)


def _lines_swapped(raw: bytes, random: Random) -> bytes:
    lines = raw.splitlines(keepends=True) or [b""]
    i, j = random.randrange(len(lines)), random.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def _cell(raw: bytes, random: Random) -> bytes:
    """Another text in one cell, well quoted; of a file that is no table any more, a byte."""
    rows = _parsed(raw)
    if not rows or not rows[0]:
        return _insert(raw, random)
    i = random.randrange(len(rows))
    if not rows[i]:
        return raw
    j = random.randrange(len(rows[i]))
    column = [row[j] for row in rows if len(row) > j]
    rows[i][j] = random.choice((random.choice(CELLS), random.choice(column)))
    return _written(rows)


def _column(raw: bytes, random: Random) -> bytes:
    rows = _parsed(raw)
    if not rows or not rows[0]:
        return _insert(raw, random)
    j, k = random.randrange(len(rows[0])), random.randrange(len(rows[0]))
    if random.random() < 0.5:
        for row in rows:
            if max(j, k) < len(row):
                row[j], row[k] = row[k], row[j]
    else:
        rows = [row[:j] + row[j + 1 :] for row in rows]
    return _written(rows)


def _parsed(raw: bytes) -> list[list[str]] | None:
    try:
        return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return None


def _written(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def same(cell: str, value: Any) -> bool:
    """Whether a text and the value read from it say the same, by rules of their own."""
    if value is None:
        return cell == ""
    if isinstance(value, PartialDate):
        return value.text == cell
    if isinstance(value, tuple):
        return ";".join(value) == cell
    if isinstance(value, str):
        return value == cell
    if isinstance(value, int):
        return cell in (str(value), month_text(value))
    return float(cell) == float(value)


@pytest.fixture(scope="module")
def read() -> tuple[dict[str, RecordTable[Any]], Settings]:
    tables, settings, problems = read_all(BUNDLED)
    assert settings is not None
    assert problems == []
    long = {name: RecordTable(table.rows[:20], table.lines[:20]) for name, table in tables.items() if len(table.rows) > 250}
    return {**tables, **long}, settings  # the other files only stand beside the one that is mutated


def check_problems(problems: list[Problem], file: str) -> None:
    text = str(InputError.of(problems))
    assert file in text
    for problem in problems:
        assert problem.found
        assert problem.expected
        assert problem.remedy
        assert all(c.isprintable() for c in str(problem)), problem
        assert len(str(problem)) < 1200


def fuzz_table(name: str, n: int, folder: Path, read: tuple[dict[str, RecordTable[Any]], Settings]) -> Counter[str]:
    record = RECORDS[name]
    raw = (BUNDLED / record.file).read_bytes()
    path = folder / record.file
    came_of: Counter[str] = Counter()
    for i in range(n):
        new = mutated(raw, Random(f"{name} {i}"))
        path.write_bytes(new)
        table, problems = read_table(path, record)
        damaged = {name} if problems else set()
        problems = problems + find_errors({**read[0], name: table}, damaged, read[1])
        if problems:
            check_problems(problems, "")
            came_of["refused"] += 1
            continue
        rows = _parsed(new)
        assert rows is not None
        while not any(rows[-1]):
            rows.pop()
        assert len(table.rows) == len(rows) - 1
        for cells, row in zip(rows[1:], table.rows, strict=True):
            assert all(same(cell, getattr(row, column)) for column, cell in zip(rows[0], cells, strict=True))
        came_of["read"] += 1
    return came_of


def fuzz_setting(file: str, n: int, folder: Path) -> Counter[str]:
    raws = {name: (BUNDLED / name).read_bytes() for name in SETTINGS}
    came_of: Counter[str] = Counter()
    for name, raw in raws.items():
        (folder / name).write_bytes(raw)
    for i in range(n):
        random = Random(f"{file} {i}")
        new = of_lines(raws[file], random)
        (folder / file).write_bytes(new)
        settings, problems = read_settings(folder)
        if problems:
            check_problems(problems, file)
            came_of["refused"] += 1
            continue
        assert settings is not None
        written = tomllib.loads(new.decode("utf-8-sig").replace("\r\n", "\n"))
        if file == "coverage.toml":
            assert settings.coverage == {key: table["covered_through"] for key, table in written.items()}
        elif file == "scales.toml":
            assert settings.scales.leverage == written["leverage"]["scale"]
        elif file == "sources.toml":
            assert {key: source.known_flaws for key, source in settings.sources.items()} == {
                key: tuple(table.get("known_flaws", ())) for key, table in written.items()
            }
        else:
            assert list(settings.questions.companion) == list(written["companion"])
            assert settings.questions.resolution.horizons == tuple(written["resolution"]["horizons"])
        came_of["read"] += 1
    return came_of


def test_mutated_files_are_refused_or_read_as_they_stand(tmp_path: Path, read: tuple[dict[str, RecordTable[Any]], Settings]) -> None:
    came_of = sum((fuzz_table(name, PER_FILE, tmp_path, read) for name in TABLES), Counter())
    came_of += sum((fuzz_setting(file, PER_FILE, tmp_path) for file in SETTINGS), Counter())
    assert came_of.total() == PER_FILE * (len(TABLES) + len(SETTINGS))
    assert min(came_of["refused"], came_of["read"]) > came_of.total() / 10, "the mutations are all harmless or all fatal"


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_each_table_mutated_125_times(tmp_path: Path, read: tuple[dict[str, RecordTable[Any]], Settings], name: str) -> None:
    assert fuzz_table(name, 125, tmp_path, read)["refused"]


@pytest.mark.slow
@pytest.mark.parametrize("file", SETTINGS)
def test_each_setting_mutated_65_times(tmp_path: Path, file: str) -> None:
    assert fuzz_setting(file, 65, tmp_path)["refused"]


@pytest.mark.soak
@pytest.mark.parametrize("name", TABLES)
def test_each_table_mutated_2000_times(tmp_path: Path, read: tuple[dict[str, RecordTable[Any]], Settings], name: str) -> None:
    assert fuzz_table(name, 2000, tmp_path, read)["refused"]


@pytest.mark.soak
@pytest.mark.parametrize("file", SETTINGS)
def test_each_setting_mutated_2000_times(tmp_path: Path, file: str) -> None:
    assert fuzz_setting(file, 2000, tmp_path)["refused"]
