"""The frame of the command line: shared options before and after a name, exit codes, streams, and nothing heavy imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import IO

import click
import pytest
from click.testing import CliRunner, Result

from forecast import errors
from forecast.cli._context import Context, Environment
from forecast.cli._options import common
from forecast.cli._root import Group, Root


@pytest.fixture
def root() -> Root:
    """A small command line in the same frame: `top noun show` prints what it was given, `top noun fail KIND` fails."""

    @click.group("noun", cls=Group)
    def noun() -> None:
        """A noun."""

    @noun.command()
    @common("as_of", "seed")
    @click.argument("words", nargs=-1)
    def show(context: Context, words: tuple[str, ...]) -> None:
        """Show what was given."""
        context.warn("a warning")
        context.say_json(
            {
                "workspace": context.workspace_option,
                "json": context.json,
                "verbosity": context.verbosity,
                "seed": context.seed,
                "as_of": context.as_of and context.as_of.isoformat(),
                "words": words,
            }
        )

    @noun.command()
    @common()
    @click.argument("kind")
    def fail(context: Context, kind: str) -> None:
        """Fail."""
        context.say("some of the result")
        raise {
            "interrupt": KeyboardInterrupt(),
            "pipe": BrokenPipeError(32, "a sampler's process has died"),
            "bug": KeyError("x\ny"),
            "quiet": AssertionError(),
            **{cls.__name__: cls("What.", "Remedy.") for cls in subclasses(errors.ForecastError)},
        }[kind]

    top = Root("top")
    top.add_command(noun)
    return top


def subclasses(cls: type[errors.ForecastError]) -> list[type[errors.ForecastError]]:
    return [cls, *(deeper for direct in cls.__subclasses__() for deeper in subclasses(direct))]


def invoke(root: Root, words: str) -> Result:
    return CliRunner().invoke(root, words.split())


def shown(root: Root, words: str) -> dict[str, object]:
    result = invoke(root, words)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        ("--workspace w", "workspace", "w"),
        ("--json", "json", True),
        ("-q", "verbosity", -1),
        ("-v", "verbosity", 1),
        ("-v -v", "verbosity", 2),
        ("-vv", "verbosity", 2),
        ("--seed 0", "seed", 0),
        ("--seed 7", "seed", 7),
        ("--as-of 2025-12-31", "as_of", date(2025, 12, 31).isoformat()),
    ],
)
def test_shared_options_stand_anywhere(root: Root, options: str, key: str, value: object) -> None:
    default = shown(root, "noun show a")
    assert default[key] != value
    for words in (f"{options} noun show a", f"noun {options} show a", f"noun show {options} a", f"noun show a {options}"):
        assert shown(root, words) == {**default, key: value}


def test_the_later_place_wins_and_v_adds_up(root: Root) -> None:
    assert shown(root, "--seed 1 -v noun --seed 2 show --seed 3 -v")["seed"] == 3
    assert shown(root, "--seed 1 -v noun show -v")["verbosity"] == 2


def test_an_option_without_meaning_is_refused_not_ignored(root: Root) -> None:
    result = invoke(root, "--seed 1 noun fail bug")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "`top noun fail` has no option --seed." in result.stderr


@pytest.mark.parametrize(
    "words", ["--as-of 2025-13-01 noun show", "noun show --as-of yesterday", "noun show --seed -1", "noun", "nuon", "noun shwo"]
)
def test_a_wrongly_written_command_exits_2(root: Root, words: str) -> None:
    result = invoke(root, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


def test_the_nearest_command_is_named(root: Root) -> None:
    assert "Did you mean 'noun'" in invoke(root, "nuon").stderr


@pytest.mark.parametrize("kind", subclasses(errors.ForecastError))
def test_each_error_has_its_exit_code_and_says_its_remedy(root: Root, kind: type[errors.ForecastError]) -> None:
    result = invoke(root, f"noun fail {kind.__name__}")
    assert result.exit_code == kind.exit_code
    assert (result.stdout, result.stderr) == ("some of the result\n", "What. Remedy.\n")


def test_the_exit_codes_are_those_promised() -> None:
    codes = {cls.__name__: cls.exit_code for cls in subclasses(errors.ForecastError) if "exit_code" in vars(cls)}
    names = ["ForecastError", "UsageError", "InputError", "GateError", "LockedError", "SourceError", "StoreError", "UnhealthyError"]
    assert codes == {name: code for code, name in enumerate(names, start=1)}


def test_an_input_error_shows_all_problems(root: Root) -> None:
    problem = errors.Problem("events.csv", "'x'", "a date", "Write YYYY-MM-DD.", row=3, column="date")

    @root.command()
    @common()
    def refuse(context: Context) -> None:
        raise errors.InputError.of([problem, problem])

    result = invoke(root, "refuse")
    assert result.exit_code == 3
    assert result.stderr.count("events.csv, line 3, column date: found 'x'; expected a date. Write YYYY-MM-DD.") == 2


def test_an_unexpected_error_is_one_sentence_and_exit_1(root: Root) -> None:
    result = invoke(root, "noun fail bug")
    assert result.exit_code == 1
    assert result.stderr == "Unexpected: KeyError: 'x\\ny'. Run again with -v -v for the traceback.\n"
    assert invoke(root, "noun fail quiet").stderr.startswith("Unexpected: AssertionError. Run again")


@pytest.mark.parametrize("words", ["-v -v noun fail {}", "noun fail {} -vv", "-v noun fail -v {}"])
@pytest.mark.parametrize("kind", ["bug", "InputError", "interrupt"])
def test_the_traceback_is_shown_when_asked_for(root: Root, words: str, kind: str) -> None:
    plain = invoke(root, f"noun fail -v {kind}")
    loud = invoke(root, words.format(kind))
    assert "Traceback" not in plain.stderr
    assert "Traceback" in loud.stderr
    assert loud.exit_code == plain.exit_code


def test_a_pipe_that_breaks_inside_a_job_is_a_failure(root: Root) -> None:
    result = invoke(root, "noun fail pipe")
    assert result.exit_code == 1
    assert "a sampler's process has died" in result.stderr


def test_an_interruption_while_words_are_read_exits_130(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Group, "parse_args", interrupted)
    result = CliRunner().invoke(root, ["noun", "show"])
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")
    logged = CliRunner().invoke(root, ["noun", "show", "--log-json"])
    assert logged.exit_code == 130
    assert [json.loads(line)["event"] for line in logged.stderr.splitlines()] == ["start", "error", "end"]


def test_an_interruption_exits_130(root: Root) -> None:
    result = invoke(root, "noun fail interrupt")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_warnings_go_to_standard_error_and_q_silences_them(root: Root) -> None:
    assert invoke(root, "noun show").stderr == "a warning\n"
    assert invoke(root, "-q noun show").stderr == ""


def test_no_document_holds_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        Context(Environment(cwd=tmp_path)).say_json({"p": float("nan")})


# The real command, as a process.


def python(
    *words: str, cwd: Path, stdout: int | IO[str] = subprocess.PIPE, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=cwd, stdout=stdout, stderr=subprocess.PIPE, env=env, text=True, check=False)


def test_a_reader_that_leaves_early_is_no_failure(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = python("-m", "forecast", "runs", "list", cwd=tmp_path, stdout=gone)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupted_process_exits_130_without_a_traceback(tmp_path: Path) -> None:
    script = """
import click, signal, time
from forecast.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started with SIGINT ignored
@main.command()
def wait():
    click.echo("waiting")
    for _ in range(600):  # a signal just before a sleep is only seen after it
        time.sleep(0.1)
main(["wait"])
"""
    waiting = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "waiting\n"
    waiting.send_signal(signal.SIGINT)
    _, stderr = waiting.communicate()
    assert (waiting.returncode, stderr) == (130, "Interrupted.\n")


@pytest.mark.slow
def test_the_shell_completes_names_and_options(tmp_path: Path) -> None:
    for words, index, expected in (
        ("forecast da", 1, "plain,data"),
        ("forecast runs ver", 2, "plain,verify"),
        ("forecast init --works", 2, "plain,--workspace"),
    ):
        environ = {"_FORECAST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(index)}
        done = python("-m", "forecast", cwd=tmp_path, env={**os.environ, **environ})
        assert done.stdout.splitlines() == [expected], done.stderr


def test_light_commands_import_nothing_heavy(tmp_path: Path) -> None:
    heavy = {"numpy", "pymc", "pytensor", "arviz", "xarray", "scipy", "pydantic", "altair", "rich", "jinja2", "nutpie"}
    script = f"""
import sys
from forecast.cli import main
wrong = (["explain", *["--question=x"] * 5], ["report", "--format", "xml"])
for words in (["--help"], ["--version"], ["runs", "list"], ["init", "--help"], *wrong):
    try:
        main(words)
    except SystemExit as end:
        print(words[0], end.code, sorted({heavy!r} & set(sys.modules)), file=sys.stderr)
"""
    done = python("-c", script, cwd=tmp_path)
    ends = [line for line in done.stderr.splitlines() if line.endswith("[]")]
    assert ends == ["--help 0 []", "--version 0 []", "runs 0 []", "init 0 []", "explain 2 []", "report 2 []"], done.stderr


def test_the_version_is_that_of_the_distribution(tmp_path: Path) -> None:
    done = python("-m", "forecast", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"forecast {version('tolerance-forecast')}\n")
