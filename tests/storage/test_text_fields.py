"""No text field of any file, row or argument takes a character that no text may hold; each is refused where it stands."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import Result

from forecast.cli import main
from forecast.data.entry.add_rows import plan_addition
from forecast.data.entry.form import LABELS, cell_problem
from forecast.data.entry.row_input import RowInput, read_rows
from forecast.data.read import read_table
from forecast.data.records import Record
from forecast.data.tables import RECORDS
from forecast.data.toml_file import read_settings
from forecast.errors import ForecastError, InputError, Problem, StoreError
from forecast.forecasting.scenarios.specification import read_scenarios
from forecast.priors.apply_edits import write_edits
from forecast.priors.edit_log import read_history
from forecast.priors.expert_pooling import read_opinions
from forecast.priors.load import load_priors
from forecast.priors.outside_view import ALTERNATIVES_FILE, read_alternatives
from forecast.priors.parsing import parse, read_edits
from forecast.storage.text import refused_character
from tests.support.data_editing import BUNDLED, rows_of, write_rows

type Command = Callable[..., Result]

CHARACTERS = (
    *("\x00", "\x07", "\x0b", "\x1b", "\x7f", "\x85", "\x9b"),
    *("\u200e", "\u202e", "\u2028", "\u2066", "\ufdd0", "\ufffe", "\U0010ffff"),
)
"""One of each kind; tests/storage/test_reading.py holds the set against the tables of Unicode."""

PRIORS = BUNDLED.parent / "priors"


def text_columns() -> Iterator[tuple[type[Record], str]]:
    """Columns that take a text of any words: those that take one word that is in no list."""
    for record in RECORDS.values():
        cells = dict(zip(record.model_fields, next(iter(rows_of(BUNDLED / record.file))).values(), strict=False))
        for column in record.model_fields:
            probe = read_cells(record, {**cells, column: "zq"})
            if not any(p.column == column for p in probe):
                yield record, column


def read_cells(record: type[Record], cells: dict[str, str]) -> list[Problem]:
    from pydantic import ValidationError

    try:
        record.model_validate(cells)
    except ValidationError as e:
        return [Problem(record.file, "", "", "", column=str(error["loc"][0])) for error in e.errors()]
    return []


COLUMNS = tuple(text_columns())


def test_the_columns_that_take_any_text_are_found() -> None:
    names = {(record.file, column) for record, column in COLUMNS}
    assert {("events.csv", "description"), ("events.csv", "ends"), ("stakes.csv", "figure"), ("polls.csv", "question")} <= names
    assert len(names) > 50


@pytest.mark.parametrize(("record", "column"), COLUMNS, ids=[f"{record.file}-{column}" for record, column in COLUMNS])
def test_no_cell_of_a_table_takes_a_refused_character(tmp_path: Path, record: type[Record], column: str) -> None:
    path = tmp_path / record.file
    rows = rows_of(BUNDLED / record.file)[:2]
    for character in CHARACTERS:
        write_rows(path, [rows[0], {**rows[1], column: f"a{character}b"}])
        problems = [p for p in read_table(path, record)[1] if p.row == 3]
        assert [p.column for p in problems] == ([None] if character == "\0" else [column]), ascii(character)
        assert all(str(p).isprintable() for p in problems)


@pytest.mark.parametrize("name", LABELS)
def test_no_prompt_flag_or_row_of_json_takes_a_refused_character(tmp_path: Path, name: str) -> None:
    columns = [column for record, column in COLUMNS if record is RECORDS[name] and column in LABELS[name]]
    assert columns
    for column in columns:
        texts = [f"a{character}b" for character in (*CHARACTERS, "\ud800", "\udcff")]
        assert all(cell_problem(name, column, text) is not None for text in texts)
        rows = read_rows(json.dumps([{column: text} for text in texts]).encode(), columns, "new.json")
        with pytest.raises(InputError) as refused:
            plan_addition(BUNDLED, name, rows)
        assert [(p.file, p.row, p.column) for p in refused.value.problems] == [("new.json", i, column) for i in range(1, len(texts) + 1)]


STRING = re.compile(r'(?<!")"(?:[^"\\\n]|\\.)+"(?!")')
SETTINGS = ("coverage.toml", "scales.toml", "sources.toml", "questions.toml")


def escaped(character: str) -> str:
    return f"\\U{ord(character):08x}"


def strings(path: Path, most: int) -> Iterator[tuple[int, int]]:
    """The end of some strings of a TOML file, spread over it, as line number and place in the line."""
    outcome = [
        (number, hit.end() - 1)
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        if not line.lstrip().startswith("#")
        for hit in STRING.finditer(line)
    ]
    yield from outcome[:: max(1, len(outcome) // most)]


def damaged(path: Path, line: int, place: int, inserted: str) -> str:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[line - 1] = lines[line - 1][:place] + inserted + lines[line - 1][place:]
    return "\n".join(lines)


def settings_read(folder: Path) -> tuple[Problem, ...]:
    return tuple(read_settings(folder)[1])


def raised(read: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        read()
    except InputError as e:
        return e.problems
    return ()


TOML: dict[str, tuple[Path, Callable[[Path], tuple[Problem, ...]]]] = {
    **{name: (BUNDLED / name, settings_read) for name in SETTINGS},
    **{path.name: (path, lambda folder: raised(lambda: load_priors(folder))) for path in sorted(PRIORS.glob("*.toml"))},
    "alternatives.toml": (PRIORS / ALTERNATIVES_FILE, lambda folder: raised(lambda: read_alternatives(folder))),
    **{
        path.name: (path, lambda folder: raised(lambda: read_scenarios(folder)))
        for path in sorted((BUNDLED / "scenarios").glob("*.toml"))[:2]
    },
}


@pytest.mark.parametrize("name", TOML)
def test_no_string_or_key_of_a_file_takes_a_refused_character(tmp_path: Path, name: str) -> None:
    source, read = TOML[name]
    folder = tmp_path / "x"
    shutil.copytree(source.parent.parent if name == "alternatives.toml" else source.parent, folder, ignore=shutil.ignore_patterns("*.csv"))
    path = folder / ALTERNATIVES_FILE if name == "alternatives.toml" else folder / name
    assert read(folder) == ()
    raw = path.read_bytes()
    for i, (line, place) in enumerate(strings(path, 8)):
        character = CHARACTERS[i % len(CHARACTERS)]
        for inserted in (character, escaped(character)):
            path.write_text(damaged(path, line, place, inserted), encoding="utf-8", newline="")
            problems = [p for p in read(folder) if Path(p.file).name == name and p.row is not None]
            assert problems, (line, ascii(inserted))
            assert "U+" in problems[0].found or "NUL" in problems[0].found
            assert problems[0].row is not None
            assert problems[0].row <= line
            assert all(str(p).isprintable() for p in problems)
            path.write_bytes(raw)


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_no_opinion_prior_or_reason_takes_a_refused_character(tmp_path: Path, character: str) -> None:
    priors = load_priors(PRIORS)
    effect = "leverage.effect"
    if character != "\0":  # of which the reader of bytes speaks
        with pytest.raises(InputError) as refused:
            read_opinions(effect, f"name,q05,q50,q95\nA{character}na,1,2,3\n", priors.spec(effect), "asked.csv")
        assert [(p.file, p.row, p.column) for p in refused.value.problems] == [("asked.csv", 2, "name")]
        with pytest.raises(InputError) as refused:
            read_edits(f"# {character}\n{effect} = Normal(1, 1)\n{effect}{character} = Normal(1, 1)\n", "edits.txt")
        assert [(p.file, p.row) for p in refused.value.problems] == [("edits.txt", 1), ("edits.txt", 3)]
    folder = tmp_path / "priors"
    shutil.copytree(PRIORS, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.toml")}
    for words in ({"why": f"a{character}b", "by": "b"}, {"why": "a", "by": f"a{character}b"}):
        with pytest.raises(ForecastError) as messages:
            write_edits(folder, priors, {effect: parse("Normal(1, 1)")}, **words, source="s", now=datetime(2026, 11, 24, tzinfo=UTC))
        assert messages.value.exit_code == 3
    assert {path: path.read_bytes() for path in folder.rglob("*.toml") if path in before} == before
    (folder / "history" / "2026.toml").write_text(f'[[edit]]\nnumber = 1\nwhy = "a{character}b"\n', encoding="utf-8", newline="")
    with pytest.raises(StoreError, match=r"2026\.toml, line 3"):
        read_history(folder)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield *path, name


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_no_command_takes_an_argument_with_a_refused_character(command: Command, words: tuple[str, ...]) -> None:
    for character in (*CHARACTERS[1:], "\udcff"):
        for given in ((f"a{character}b",), ("--workspace", f"a{character}b"), (f"--workspace=a{character}b",)):
            result = command(*words, *given)
            assert result.exit_code == 2, result.output
            assert "is not a valid argument" in result.stderr
            assert "Unexpected" not in result.stderr
            assert refused_character(result.output) is None


def test_a_tab_a_line_break_and_any_letter_are_arguments(command: Command) -> None:
    result = command("priors", "show", "naïve\t\n 日本 👩‍💻")
    assert "is not a valid argument" not in result.stderr


def test_what_a_row_may_hold_is_held(tmp_path: Path) -> None:
    text = "naïve, “quoted” 日本 العربية 👩‍💻\tand\na second line"
    for name in LABELS:
        assert RowInput({"why": text}).cells["why"] == text
        rows = rows_of(BUNDLED / RECORDS[name].file)[:1]
        column = {"events": "description", "claims": "why", "polls": "question"}[name]
        write_rows(tmp_path / RECORDS[name].file, [{**rows[0], column: text}])
        table, problems = read_table(tmp_path / RECORDS[name].file, RECORDS[name])
        assert problems == []
        assert getattr(table.rows[0], column) == text
