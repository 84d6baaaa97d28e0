"""Every reader of a file that a person edits or hands over: what is no regular text is refused in words, what programs write is read."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from data_editing import BUNDLED, add, change, copied, problems_in, problems_of, rows_of, write_rows

from forecast.data.ask import LABELS
from forecast.data.given import read_given
from forecast.data.read import read_data, read_table
from forecast.data.records import Administration, Record
from forecast.data.sheet import MAX_COLUMNS, MAX_ROWS
from forecast.data.tables import RECORDS
from forecast.data.toml import read_settings
from forecast.errors import MAX_PROBLEMS, ForecastError, InputError, Problem, listed
from forecast.forecasting.statement import read_scenarios
from forecast.priors import change as priors_change
from forecast.priors.alternatives import FILE, read_alternatives
from forecast.priors.files import load_priors
from forecast.priors.history import read_history
from forecast.priors.opinions import read_opinions
from forecast.priors.parse import parse
from forecast.storage.text import decoded, handed_over
from forecast.workspace import Workspace, create

type Command = Callable[..., Result]

PRIORS = BUNDLED.parent / "priors"
CSV = b"start,level,published,stance,confidence,why\n2026-04,3,2026-06-30,documented,low,x\n"
JSON = b'[{"start": "2026-04",\n"why": "x"}]\n'
ASKED = b"name,q05,q50,q95\nAna,0.1,0.8,1.5\nBen,0.5,1.6,2.5\n"


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    """A reader that waits for a pipe fails the test in place of keeping it for ever."""

    def stop(*_: object) -> None:
        raise TimeoutError("a reader waited")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Reader:
    """A file in a copy of the workspace, its content if it is not bundled, and how it is read: a value to compare, or an error."""

    file: str
    read: Callable[[Path], Any]
    content: bytes | None = None
    code: int = 3


def table_of(root: Path, record: type[Record]) -> Any:
    table, problems = read_table(root / "data" / record.file, record)
    if problems:
        raise InputError.of(problems)
    return table


def settings_of(root: Path) -> Any:
    settings, problems = read_settings(root / "data")
    if problems:
        raise InputError.of(problems)
    return settings


def opinions_of(root: Path) -> Any:
    effect = "leverage.effect"
    return read_opinions(effect, handed_over(root / "asked.csv", "asked.csv"), load_priors(PRIORS).spec(effect), "asked.csv")


def given_of(root: Path, file: str) -> Any:
    return read_given(root / file, tuple(LABELS["claims"]), file)


READERS = (
    *(Reader(f"data/{record.file}", lambda root, record=record: table_of(root, record)) for record in RECORDS.values()),
    *(Reader(f"data/{name}.toml", settings_of) for name in ("coverage", "scales", "sources", "questions")),
    Reader("data/scenarios/refusal.toml", lambda root: read_scenarios(root / "data" / "scenarios")),
    *(Reader(f"priors/{path.name}", lambda root: load_priors(root / "priors")) for path in sorted(PRIORS.glob("*.toml"))),
    Reader(f"priors/{FILE}", lambda root: read_alternatives(root / "priors")),
    Reader("priors/history/start.toml", lambda root: read_history(root / "priors"), code=7),
    Reader("priors/history/2026.toml", lambda root: read_history(root / "priors"), code=7),
    Reader("new.csv", lambda root: given_of(root, "new.csv"), CSV),
    Reader("new.json", lambda root: given_of(root, "new.json"), JSON),
    Reader("asked.csv", opinions_of, ASKED),
)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def linked(path: Path, to: str) -> None:
    path.unlink()
    path.symlink_to(to)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def sparse(path: Path) -> None:
    os.truncate(path, 1 << 30)  # takes no room on the disk


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a named pipe": (fifo, "a named pipe"),
    "a device without end": (lambda path: linked(path, "/dev/zero"), "a device"),
    "a device that waits": (lambda path: linked(path, "/dev/tty"), ""),
    "a link to itself": (lambda path: linked(path, path.name), "symbolic links"),
    "a folder": (folder, "a folder"),
    "a gigabyte": (sparse, "1,073,741,824 bytes"),
    "UTF-16": (lambda path: path.write_bytes(path.read_bytes().decode().encode("utf-16")), "UTF-16"),
    "UTF-16 without a mark": (lambda path: path.write_bytes(path.read_bytes().decode().encode("utf-16-le")), "UTF-16"),
    "UTF-32": (lambda path: path.write_bytes(path.read_bytes().decode().encode("utf-32")), "UTF-32"),
    "Latin-1": (lambda path: path.write_bytes(path.read_bytes() + b"\xe9\n"), "0xe9"),
    "NUL": (lambda path: path.write_bytes(path.read_bytes() + b"\0\n"), "a NUL byte"),
    "nothing": (lambda path: path.write_bytes(b"\xef\xbb\xbf \r\n"), "an empty file"),
}

READ: dict[str, Callable[[bytes], bytes]] = {
    "a byte-order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "CR": lambda raw: raw.replace(b"\n", b"\r"),
    "a byte-order mark and CRLF": lambda raw: b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an edit in the history of its priors."""
    where = create(tmp_path_factory.mktemp("template") / "w")
    edit(where, datetime(2026, 11, 24, tzinfo=UTC))
    for reader in READERS:
        if reader.content is not None:
            (where.root / reader.file).write_bytes(reader.content)
    return where.root


def edit(where: Workspace, now: datetime, why: str = "Because.") -> None:
    priors = load_priors(where.priors)
    new = parse("Normal(1, 1)" if str(priors.spec("leverage.effect")) != "Normal(1, 1)" else "Normal(2, 1)")
    priors_change.change(where.priors, priors, {"leverage.effect": new}, why=why, by="a test", source="judgement", now=now)


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "w"))


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.file)
def test_what_is_no_regular_text_is_refused_in_words_and_at_once(root: Path, reader: Reader) -> None:
    path = root / reader.file
    raw = path.read_bytes()
    for make, words in REFUSED.values():
        make(path)
        with pytest.raises(ForecastError) as refused:
            reader.read(root)
        told = str(refused.value)
        assert refused.value.exit_code == reader.code, told
        assert path.name in told
        assert words in told
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
        path.write_bytes(raw)
    reader.read(root)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.file)
def test_what_programs_write_is_read_as_if_it_were_plain(root: Path, reader: Reader) -> None:
    path = root / reader.file
    raw = path.read_bytes()
    plain = reader.read(root)
    for make in READ.values():
        path.write_bytes(make(raw))
        assert path.read_bytes() != raw
        assert reader.read(root) == plain


@pytest.mark.parametrize(
    ("words", "file", "code"),
    [
        (("data", "check"), "data/polls.csv", 3),
        (("data", "check"), "data/scales.toml", 3),
        (("data", "show"), "data/events.csv", 3),
        (("data", "add", "claim", "--from", "new.csv", "--dry-run"), "data/stakes.csv", 3),
        (("data", "add", "claim", "--from", "new.csv", "--dry-run"), "new.csv", 3),
        (("priors", "check"), "priors/drift.toml", 3),
        (("priors", "log"), "priors/history/2026.toml", 7),
        (("priors", "set", "leverage.effect = Normal(3, 1)", "--why", "w", "--by", "b"), "priors/leverage.toml", 3),
        (("priors", "pool", "leverage.effect", "--file", "asked.csv"), "asked.csv", 3),
        (("scenario", "list"), "data/scenarios/refusal.toml", 3),
    ],
)
def test_no_command_waits_for_a_pipe(command: Command, root: Path, words: tuple[str, ...], file: str, code: int) -> None:
    fifo(root / file)
    result = command(*words, cwd=root)
    assert (result.exit_code, "Unexpected" in result.stderr) == (code, False), result.output
    assert "a named pipe" in " ".join(result.output.split())


def test_both_ways_of_handing_over_take_a_file_that_is_missing_as_a_mistake_in_the_command(command: Command, root: Path) -> None:
    for words in (("data", "add", "claim", "--dry-run", "--from", "nowhere"), ("priors", "pool", "leverage.effect", "--file", "nowhere")):
        result = command(*words, cwd=root)
        assert result.exit_code == 2
        assert "There is no file" in result.stderr


# ---- CSV


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
        (lambda text: ",".join(f"c{i}" for i in range(1_000_000)) + "\n" + text, "1,000,000 columns"),
        (lambda text: text + "a" + "," * 1_000_000 + "\n", "1000001 fields"),
        (lambda text: text + ",,\n" * 1_000_000 + "a\n", f"more than {MAX_ROWS:,} rows"),
    ],
    ids=range(11),
)
def test_every_reader_of_csv_says_the_same_of_the_same(tmp_path: Path, change: Callable[[str], str], found: str) -> None:
    terms = change((BUNDLED / "administrations.csv").read_text(encoding="utf-8"))
    (tmp_path / "administrations.csv").write_text(terms, encoding="utf-8", newline="")
    begun = time.process_time()
    every = [read_table(tmp_path / "administrations.csv", Administration)[1]]
    effect = load_priors(PRIORS).spec("leverage.effect")
    for read in (
        lambda: read_given(change(CSV.decode()).encode(), tuple(LABELS["claims"]), "new.csv"),
        lambda: read_opinions("leverage.effect", change(ASKED.decode()), effect, "asked.csv"),
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
        read_opinions(
            "leverage.effect", ASKED.decode().replace("Ana", "A" * 30_000), load_priors(PRIORS).spec("leverage.effect"), "asked.csv"
        )


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
    path.write_text("month,series,value,unit,published,source\n" + "2020-13,s,x,,2020-01-01,\n" * 2, encoding="utf-8")
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
        (b'{"why": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}", None, "brackets in brackets"),
        (b"[" + b"1," * 1_000_000 + b"1]", 1, "'1'"),
        (b"{" + b",".join(b'"k%d": 1' % i for i in range(300_000)) + b"}", 1, "the column 'k0'"),
        (b"[" + b",".join(b'{"why": "%d"}' % i for i in range(2000)) + b"]", None, "2,000 rows"),
    ],
    ids=range(8),
)
def test_json_is_bounded_and_no_key_counts_twice(raw: bytes, row: int | None, words: str) -> None:
    begun = time.process_time()
    with pytest.raises(InputError) as refused:
        read_given(raw, tuple(LABELS["claims"]), "new.json")
    assert time.process_time() - begun < 10
    first = refused.value.problems[0]
    assert (first.row, words in first.found) == (row, True), str(first)[:300]
    assert len(refused.value.problems) <= MAX_PROBLEMS + 2


# ---- bytes


@pytest.mark.parametrize(
    ("raw", "row"),
    [(b"a\rb\rc\xe9", 3), (b"a\r\nb\r\nc\xe9", 3), (b"\xef\xbb\xbfa\nb\xe9", 2), (b"a\r\nb\rc\n\0", 4), (b"\xe9", 1)],
)
def test_lines_are_counted_whatever_ends_them(raw: bytes, row: int) -> None:
    [problem] = decoded(raw, "x")[1]
    assert problem.row == row


def test_text_in_two_bytes_is_told_from_text_with_a_nul() -> None:
    assert "UTF-16" in decoded("name,q05\nAna,1\n".encode("utf-16-be"), "x")[1][0].found
    assert "NUL" in decoded(b"name,q05\n\0Ana,1\n", "x")[1][0].found


# ---- what the history of the priors and git do with line ends


def test_line_ends_that_git_changed_are_no_damage_to_the_history(root: Path) -> None:
    where = Workspace(root / "data", root / "priors", root / "reports", "a test")
    edit(where, datetime(2027, 1, 2, tzinfo=UTC), "Two\nlines.")
    plain = read_history(where.priors)
    assert len(plain.edits) == 2
    for path in where.priors.rglob("*.toml"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_history(where.priors) == plain
    edit(where, datetime(2027, 2, 3, tzinfo=UTC))
    assert [e.number for e in read_history(where.priors).edits] == [1, 2, 3]


def test_git_keeps_every_byte_of_a_workspace(command: Command, tmp_path: Path) -> None:
    assert command("init", "mine").exit_code == 0
    mine = tmp_path / "mine"
    (mine / "reports" / "x.json").write_bytes(b"{\n}\r\n")
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def git(*words: str) -> None:
        names = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=true")
        subprocess.run(["git", *names, *words], cwd=mine, check=True, capture_output=True, env=environ)

    before = {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()}
    git("init")
    git("add", "--all")
    git("commit", "-m", "x")
    for path in before:
        path.unlink()
    git("checkout", "--", ".")
    assert {path: path.read_bytes() for path in before} == before


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
    assert "B903 of 2026-06-20, a later row" in late.found


def test_claims_that_supersede_each_other_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    first, second = (claim.claim_id for claim in read_data(folder).claims[:2])
    change(folder, "outcome_claims.csv", lambda r: r["claim_id"] == first, supersedes=second)
    change(folder, "outcome_claims.csv", lambda r: r["claim_id"] == second, supersedes=first)
    assert [p.column for p in problems_in(folder) if "a circle of" in p.found] == ["supersedes"]
