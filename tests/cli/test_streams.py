"""The standard streams: whatever they are, a command ends with the same exit code, and no text steers the terminal."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import workspace as places
from forecast.cli._streams import SafeStream, as_json
from forecast.report.files import write_report_files
from forecast.runs import store
from forecast.storage.text import refused_character
from tests.cli.test_commands import ALL, examples, fits
from tests.fixtures.report_example import as_report, report_example

RUN = "20261124T141500Z-abcdef"
STEERING = "\x00\x07\x08\x0c\x0d\x1b\x7f\x85\x9b\u061c\u200e\u2028\u202e\u2066\ud800\udcff\ufdd0\ufffe\U0010ffff"
META = {key: report_example()[key] for key in ("data_digest", "priors_digest", "model_version", "seed", "origin")}
LATIN_1 = "es_MX.ISO-8859-1"

DRIVER = """
import json, os, sys
from datetime import UTC, datetime
from forecast.cli import main
from forecast.cli._context import Environment
import forecast.data.read, forecast.jobs.status, forecast.jobs.priors.edits, forecast.priors.descriptions, rich.table

commands, codes = json.load(open(sys.argv[1])), []
said = os.open(sys.argv[2], os.O_WRONLY)
for words in commands:
    child = os.fork()
    if child == 0:
        break
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
else:
    os.write(said, json.dumps(codes).encode())
    os._exit(0)
main(words, prog_name="forecast", obj=Environment(clock=lambda: datetime(2026, 11, 24, 14, 15, tzinfo=UTC), environ={}))
"""
"""Each command in a process of its own, forked from one that has imported what they need. They end as the interpreter does."""


def quick(example: str) -> bool:
    return not fits(example) and not example.startswith(("forecast explain", "forecast priors sensitivity", "forecast schedule"))


COMMANDS = [
    ["--help"],
    ["--version"],
    ["nonsense \u2265 \udcff"],
    ["data", "check", "--json"],
    ["report", "--json"],
    ["data", "show", "polls", "--log-json"],
    ["report", "nothing-of-this-name \u2265 \u202e"],
    *(
        shlex.split(next(filter(quick, examples(command))))[1:]
        for path, command in ALL.items()
        if path != ("init",) and any(map(quick, examples(command)))
    ),
    ["init", "mine"],
]
FEW = 12
"""So many of them are tried with streams that are rarer."""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a published run of which only the report is real. To be copied."""
    where = places.create_workspace(tmp_path_factory.mktemp("streams") / "workspace")
    report = as_report(run_id=RUN)
    store.write_run(where.reports, RUN, lambda folder: write_report_files(report, folder) and None, META)
    store.publish(where.reports, RUN)
    return where.root


def codes(published: Path, folder: Path, environ: Mapping[str, str], redirection: str = ">said.txt 2>&1", few: bool = False) -> list[int]:
    """The exit code of every command, or of the first few, in a fresh copy of the workspace, with streams as a shell redirects them."""
    root = folder / "workspace"
    shutil.copytree(published, root, symlinks=True)
    (folder / "commands.json").write_text(json.dumps(COMMANDS[:FEW] if few else COMMANDS))
    (folder / "driver.py").write_text(DRIVER)
    (folder / "codes.json").touch()
    line = f'exec "$@" {redirection}'
    words = ["sh", "-c", line, "sh", sys.executable, str(folder / "driver.py"), str(folder / "commands.json"), str(folder / "codes.json")]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    environ = inherited | {"OPENBLAS_NUM_THREADS": "1", "FORECAST_CACHE": str(folder / "cache")} | environ  # one command clears the cache
    done = subprocess.run(words, cwd=root, env=environ, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    said = root / "said.txt"
    if said.exists():
        assert b"Traceback" not in said.read_bytes()
        assert b"Unexpected" not in said.read_bytes()
    found: list[int] = json.loads((folder / "codes.json").read_text())
    return found


@pytest.fixture(scope="module")
def expected(published: Path, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """The exit codes under UTF-8, with all streams in order."""
    found = codes(published, tmp_path_factory.mktemp("utf-8"), {"LC_ALL": "C.UTF-8"})
    assert len(found) == len(COMMANDS)
    assert found.count(0) > 25
    return found


def latin_1() -> dict[str, str]:
    known = subprocess.run(
        [sys.executable, "-c", f"import locale; locale.setlocale(locale.LC_ALL, {LATIN_1!r})"], check=False, capture_output=True
    )
    if known.returncode != 0 and not os.environ.get("CI"):
        pytest.skip(f"this system has no locale {LATIN_1}; CI makes it")
    return {"LC_ALL": LATIN_1, "PYTHONUTF8": "0"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["latin-1", "ascii", "utf-16", "closed", "full", "gone", "all closed", "read only"])
def test_no_stream_decides_the_exit_code(published: Path, expected: list[int], tmp_path: Path, how: str) -> None:
    utf8 = {"LC_ALL": "C.UTF-8"}
    environ, redirection = {
        "latin-1": (None, ">said.txt 2>&1"),
        "ascii": ({"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, ">said.txt 2>&1"),
        "utf-16": (utf8 | {"PYTHONIOENCODING": "utf-16"}, ">said.txt 2>&1"),
        "closed": (utf8, ">&- 2>said.txt"),
        "full": (utf8, ">/dev/full 2>said.txt"),
        "gone": (utf8, "2>said.txt | true"),
        "all closed": (utf8, "<&- >&- 2>&-"),
        "read only": (utf8, "1</dev/null 2>said.txt"),
    }[how]
    few = how in ("utf-16", "gone", "all closed", "read only")
    found = codes(published, tmp_path, latin_1() if environ is None else environ, redirection, few)
    assert len(found) == (FEW if few else len(COMMANDS))
    wrong = {" ".join(words): (code, now) for words, code, now in zip(COMMANDS, expected, found, strict=False) if code != now}
    assert wrong == {}


def test_a_result_that_could_not_be_printed_is_told(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "forecast", "--json", "runs", "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 0
    assert done.stderr == "The output could not be printed: No space left on device. The exit code is that of the work itself.\n"


@pytest.mark.slow
def test_a_folder_that_was_deleted_is_no_place_and_no_crash(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    places.create_workspace(tmp_path / "workspace")
    for words, code in (
        (["data", "show"], 0),
        (["--workspace", str(tmp_path / "workspace"), "data", "show"], 0),
        (["--workspace", "workspace", "data", "show"], 2),
        (["init", "mine"], 1),
        (["report", "--output", "mine.html"], 2),
    ):
        gone.mkdir()
        line = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
        done = subprocess.run(
            ["sh", "-c", line, "sh", str(gone), Path(sys.executable).with_name("forecast"), *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Unexpected" not in done.stderr
        assert "Traceback" not in done.stderr


# What a stream shows.


def shown(text: str, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    under = io.TextIOWrapper(raw, encoding=encoding, newline="")
    stream = SafeStream(under)
    assert stream.write(text) == len(text)
    stream.flush()
    assert stream.failure is None
    return raw.getvalue().decode(encoding)


@settings(max_examples=30)
@given(
    st.text(st.characters() | st.sampled_from(STEERING)),
    st.sampled_from(["utf-8", "utf-16", "ascii", "latin-1", "cp1252", "cp437", "shift-jis"]),
)
def test_every_text_can_be_printed_and_none_steers_the_terminal(text: str, encoding: str) -> None:
    out = shown(text, encoding)
    assert refused_character(out) is None
    assert "\r" not in out
    assert out.count("\n") == text.count("\n")


@pytest.mark.parametrize("character", STEERING)
def test_what_steers_is_shown_as_an_escape(character: str) -> None:
    escape = character.encode("unicode_escape", "surrogatepass").decode()
    assert shown(f"a{character}b") == f"a{escape}b"


@settings(max_examples=30)
@given(st.text())
def test_what_utf_8_can_show_is_not_touched(text: str) -> None:
    if refused_character(text) is None and "\r" not in text:
        assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "encoding", "out"),
    [
        ("a ≥ b − c → d", "latin-1", "a >= b - c -> d"),
        ("Peña Nieto: 5–6 %", "latin-1", "Peña Nieto: 5-6 %"),
        ("Peña Nieto: 5–6 %", "ascii", "Pena Nieto: 5-6 %"),
        ("λ²", "ascii", "\\u03bb2"),
        ("你好", "latin-1", "\\u4f60\\u597d"),
    ],
)
def test_what_an_encoding_lacks_becomes_something_similar(text: str, encoding: str, out: str) -> None:
    assert shown(text, encoding) == out


def test_every_character_that_the_program_prints_by_itself_has_something_similar() -> None:
    """Greek letters of the model and superscripts apart, no escape spoils a table."""
    written = {c for path in places.PACKAGE.rglob("*.py") for c in path.read_text(encoding="utf-8") if ord(c) > 127}
    spoilt = {c for c in written if "\\" in shown(c, "ascii")}
    assert all(unicodedata.category(c)[0] == "L" or unicodedata.name(c) in KEPT for c in spoilt), spoilt


KEPT = {"INTEGRAL", "PROPORTIONAL TO"}
"""Signs of formulas, in comments and docstrings only."""


@settings(max_examples=30)
@given(
    st.recursive(st.text(st.characters() | st.sampled_from(STEERING)) | st.integers() | st.none(), st.lists),
    st.sampled_from(["utf-8", "ascii", "latin-1"]),
)
def test_json_says_the_same_through_every_stream(document: Any, encoding: str) -> None:
    text = as_json(document, encoding)
    assert shown(text, encoding) == text
    assert json.loads(text) == document


def test_a_drawing_steers_the_terminal_and_never_fails() -> None:
    raw = io.BytesIO()
    stream = SafeStream(io.TextIOWrapper(raw, encoding="latin-1", newline="")).drawing()
    stream.write("\x1b[1m≥\r")
    stream.flush()
    assert raw.getvalue() == b"\x1b[1m>=\r"


class Failing(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_stream_that_fails_once_is_left_alone() -> None:
    stream = SafeStream(Failing())
    stream.write("a")
    stream.write("b")
    stream.flush()
    assert isinstance(stream.failure, OSError)
    nobody = SafeStream(None)
    nobody.write("a")
    nobody.flush()
    assert not nobody.isatty()
