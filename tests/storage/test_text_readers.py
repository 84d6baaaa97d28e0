"""Every reader of a file that a person edits or hands over: what is no regular text is refused in words, what programs write is read."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.data.entry.form import LABELS
from forecast.data.entry.row_input import read_rows
from forecast.data.read import read_table
from forecast.data.records import Record
from forecast.data.tables import RECORDS
from forecast.data.toml_file import read_settings
from forecast.errors import ForecastError, InputError
from forecast.forecasting.scenarios.specification import read_scenarios
from forecast.priors import apply_edits as priors_change
from forecast.priors.edit_log import read_history
from forecast.priors.expert_pooling import read_opinions
from forecast.priors.load import load_priors
from forecast.priors.outside_view import ALTERNATIVES_FILE, read_alternatives
from forecast.priors.parsing import parse, read_edits
from forecast.runs import ledger, manifest
from forecast.storage.text import decode_text, read_input_text
from forecast.workspace import Workspace, create_workspace
from tests.support.data_editing import BUNDLED

type Command = Callable[..., Result]

PRIORS = BUNDLED.parent / "priors"
CSV = b"start,level,published,stance,confidence,why\n2026-04,3,2026-06-30,documented,low,x\n"
JSON = b'[{"start": "2026-04",\n"why": "x"}]\n'
EDITS = b"# what if\nleverage.effect = Normal(1, 1)  # less\n\nladder.just_risen = Normal(2, 1)\n"
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
    return read_opinions(effect, read_input_text(root / "asked.csv", "asked.csv"), load_priors(PRIORS).spec(effect), "asked.csv")


def given_of(root: Path, file: str) -> Any:
    return read_rows(root / file, tuple(LABELS["claims"]), file)


READERS = (
    *(Reader(f"data/{record.file}", lambda root, record=record: table_of(root, record)) for record in RECORDS.values()),
    *(Reader(f"data/{name}.toml", settings_of) for name in ("coverage", "scales", "sources", "questions")),
    Reader("data/scenarios/refusal.toml", lambda root: read_scenarios(root / "data" / "scenarios")),
    *(Reader(f"priors/{path.name}", lambda root: load_priors(root / "priors")) for path in sorted(PRIORS.glob("*.toml"))),
    Reader(f"priors/{ALTERNATIVES_FILE}", lambda root: read_alternatives(root / "priors")),
    Reader("priors/history/start.toml", lambda root: read_history(root / "priors"), code=7),
    Reader("priors/history/2026.toml", lambda root: read_history(root / "priors"), code=7),
    Reader("new.csv", lambda root: given_of(root, "new.csv"), CSV),
    Reader("new.json", lambda root: given_of(root, "new.json"), JSON),
    Reader("asked.csv", opinions_of, ASKED),
    Reader("edits.txt", lambda root: read_edits(read_input_text(root / "edits.txt", "edits.txt"), "edits.txt"), EDITS),
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
    where = create_workspace(tmp_path_factory.mktemp("template") / "w")
    edit(where, datetime(2026, 11, 24, tzinfo=UTC))
    for reader in READERS:
        if reader.content is not None:
            (where.root / reader.file).write_bytes(reader.content)
    return where.root


def edit(where: Workspace, now: datetime, why: str = "Because.") -> None:
    priors = load_priors(where.priors)
    new = parse("Normal(1, 1)" if str(priors.spec("leverage.effect")) != "Normal(1, 1)" else "Normal(2, 1)")
    priors_change.write_edits(where.priors, priors, {"leverage.effect": new}, why=why, by="a test", source="judgement", now=now)


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
        messages = str(refused.value)
        assert refused.value.exit_code == reader.code, messages
        assert path.name in messages
        assert words in messages
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
        (("priors", "try", "--file", "edits.txt"), "edits.txt", 3),
        (("scenario", "list"), "data/scenarios/refusal.toml", 3),
    ],
)
def test_no_command_waits_for_a_pipe(command: Command, root: Path, words: tuple[str, ...], file: str, code: int) -> None:
    fifo(root / file)
    result = command(*words, cwd=root)
    assert (result.exit_code, "Unexpected" in result.stderr) == (code, False), result.output
    assert "a named pipe" in " ".join(result.output.split())


def test_every_way_of_handing_over_take_a_file_that_is_missing_as_a_mistake_in_the_command(command: Command, root: Path) -> None:
    for words in (
        ("data", "add", "claim", "--dry-run", "--from"),
        ("priors", "pool", "leverage.effect", "--file"),
        ("priors", "try", "--file"),
    ):
        result = command(*words, "nowhere", cwd=root)
        assert result.exit_code == 2
        assert "There is no file" in result.stderr


# ---- bytes


@pytest.mark.parametrize(
    ("raw", "row"),
    [(b"a\rb\rc\xe9", 3), (b"a\r\nb\r\nc\xe9", 3), (b"\xef\xbb\xbfa\nb\xe9", 2), (b"a\r\nb\rc\n\0", 4), (b"\xe9", 1)],
)
def test_lines_are_counted_whatever_ends_them(raw: bytes, row: int) -> None:
    [problem] = decode_text(raw, "x")[1]
    assert problem.row == row


def test_text_in_two_bytes_is_told_from_text_with_a_nul() -> None:
    assert "UTF-16" in decode_text("name,q05\nAna,1\n".encode("utf-16-be"), "x")[1][0].found
    assert "NUL" in decode_text(b"name,q05\n\0Ana,1\n", "x")[1][0].found


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


def test_line_ends_that_git_changed_in_the_ledger_are_told_from_tampering(command: Command, root: Path, now: datetime) -> None:
    with ledger.writing(root / "reports") as writer:
        writer.append("note", {"says": "x"}, now)
    [entry] = (root / "reports" / "ledger").glob("0*.json")
    raw = entry.read_bytes()
    changed = raw.replace(b"\n", b"\r\n")
    for body, words in ((changed, "line ends were changed"), (changed.replace(b'"x"', b'"y"'), "altered"), (raw[:-9], "altered")):
        entry.write_bytes(body)
        result = command("questions", "verify", cwd=root)
        assert result.exit_code == 7
        assert words in result.stderr
        assert ("autocrlf" in result.stderr) == (words != "altered")


def test_line_ends_that_git_changed_in_a_manifest_are_told_from_tampering(tmp_path: Path) -> None:
    run = tmp_path / "20260101T000000Z-aaaaaa"
    run.mkdir()
    manifest.seal(run, run.name, {})
    raw = (run / manifest.NAME).read_bytes()
    assert manifest.verify(run) == ()
    (run / manifest.NAME).write_bytes(raw.replace(b"\n", b"\r\n"))
    assert "autocrlf" in manifest.verify(run)[0]
    (run / manifest.NAME).write_bytes(raw.replace(b"\n", b"\r\n").replace(b"aaaaaa", b"bbbbbb"))
    assert "altered" in manifest.verify(run)[0]


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
