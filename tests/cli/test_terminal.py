"""Nothing from a file or an argument steers the terminal; every number is looked at before any work."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.cli._progress import listener
from forecast.storage.text import refused_character
from tests.cli.test_commands import ALL

type Command = Callable[..., Result]

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\r"


def clean(result: Result) -> bool:
    """Whether nothing that was printed steers a terminal."""
    said = result.stdout + result.stderr
    return refused_character(said) is None and "\r" not in said


WORDS = [
    [EVIL], ["data", EVIL], ["report", EVIL], ["report", "--format", EVIL], ["report", "--output", f"no/{EVIL}"],
    ["--workspace", EVIL, "status"],
    ["data", "show", EVIL], ["data", "show", "events", "--where", f"family={EVIL}"], ["data", "show", "--from", EVIL],
    ["priors", "list", EVIL],
    ["priors", "show", EVIL], ["priors", "try", EVIL], ["priors", "set", "leverage.effect", EVIL, "--why", "x", "--by", "me"],
    ["priors", "set", "leverage.effect", "Normal(1, 1)", "--why", EVIL, "--by", "me"],
    ["priors", "elicit", "leverage.effect", "--odds", EVIL],
    ["priors", "pool", "leverage.effect", f"{EVIL}: Normal(1, 1)", "Normal(2, 1)"], ["scenario", "run", EVIL], ["scenario", "new", EVIL],
    ["questions", "list", EVIL], ["questions", "add", "pact", EVIL, "--date", "2027-01-01", "--by", "me"], ["runs", "verify", EVIL],
    ["schedule", "cron", "--every", EVIL], ["init", f"no/{EVIL}/no"], ["report", "--as-of", EVIL], ["run", "--seed", EVIL],
]  # fmt: skip


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words).encode("unicode_escape").decode())
def test_no_argument_steers_the_terminal(command: Command, workspace: places.Workspace, words: list[str]) -> None:
    for how in ([], ["--json"], ["--log-json"]):
        result = command(*words, *how, cwd=workspace.root)
        assert clean(result), result.output
        assert "Traceback" not in result.stderr


FILES = {
    "data/events.csv": ["data", "show", "events"],
    "data/coverage.toml": ["data", "show", "coverage"],
    "data/scenarios/trade-deal.toml": ["scenario", "list"],
    "priors/leverage.toml": ["priors", "show", "leverage.effect"],
    "priors/ladder.toml": ["priors", "list"],
}


@pytest.mark.parametrize(("at", "how"), [("text", []), ("end", ["--json"])])
@pytest.mark.parametrize("file", FILES)
def test_no_file_steers_the_terminal(command: Command, workspace: places.Workspace, file: str, at: str, how: list[str]) -> None:
    """In a text of the file, with TOML's own escapes so that it is read, and after its last line."""
    path = workspace.root / file
    text = path.read_text(encoding="utf-8")
    escaped = EVIL.replace("\r", "\\r") if file.endswith(".csv") else "".join(f"\\u{ord(c):04x}" for c in EVIL)
    changed = re.sub(r'(title|why|what) = "', lambda hit: hit[0] + escaped, text) if at == "text" else text + EVIL
    path.write_text(changed, encoding="utf-8", newline="")
    check = at == "end" and file.startswith("data/")  # a file that is refused; one that is not would have models fitted to it
    assert clean(command(*(["data", "check"] if check else FILES[file]), *how, cwd=workspace.root))


def test_no_message_steers_the_bars_of_a_terminal() -> None:
    """Of the bars' own control characters none comes from a message, and square brackets are no markup."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, listener(stream) as progress:
        progress(f"stage {EVIL}", 0.5, f"[/nothing] {EVIL}")
    shown = os.read(ours, 1_000_000).decode()
    os.close(ours)
    assert "owned" in shown
    assert not any(hostile in shown for hostile in ("\x1b]0", "\x07", "\x1b[2J", "\x9b", "\u202e"))


# Numbers.

NUMBERS = [
    (path, option)
    for path, command in ALL.items()
    for option in command.params
    if isinstance(option, click.Option) and isinstance(option.type, click.IntRange | click.FloatRange) and not option.count
]
WRONG = ["nan", "-nan", "-1", "-0.5", "1e", "x", "", "1_0_", "0x10"]


@pytest.mark.parametrize(("path", "option"), NUMBERS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else value.opts[0])
def test_a_number_that_cannot_be_is_refused_before_any_work(
    command: Command, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], option: click.Option
) -> None:
    def work(*_: object) -> None:
        raise AssertionError("work has begun")

    monkeypatch.setattr(places, "find_workspace", work)
    monkeypatch.setattr("forecast.cli._context.find_workspace", work)
    for number in WRONG:
        result = command(*path, f"{option.opts[0]}={number}")
        assert result.exit_code == 2, (number, result.stderr)
        taken_for_an_option = option.opts[0] == "--wait" and number.startswith("-")  # its value may be left out
        assert ("No such option '-" if taken_for_an_option else f"'{option.opts[0]}'") in result.stderr, number


@pytest.mark.parametrize("seed", ["4294967296", "99999999999999999999999999"])
def test_a_seed_that_no_generator_takes_is_refused(command: Command, workspace: places.Workspace, seed: str) -> None:
    result = command("run", "--seed", seed, cwd=workspace.root)
    assert result.exit_code == 2
    assert "4294967295" in result.stderr


@pytest.mark.parametrize("path", [path for path, command in ALL.items() if any(o.name == "as_of" for o in command.params)], ids=" ".join)
def test_a_day_that_has_not_come_is_refused(command: Command, workspace: places.Workspace, path: tuple[str, ...]) -> None:
    if isinstance(ALL[path], click.Group):
        return
    result = command(*path, "--as-of", "9999-12-31", cwd=workspace.root)
    assert result.exit_code == 2
    assert "9999-12-31 is in the future; today is 2026-11-24" in result.stderr


REFUSED = [
    (["priors", "pool", "leverage.effect", "Normal(1, 1)", "Normal(2, 1)", "--weights", weights], 3)
    for weights in ("nan,1", "inf,1", "-1,1", "0,1", "1e-320,1e308", "1e308,1e308", "1")
] + [(["priors", "reference", f"--class=all_but_failed={weight}"], 2) for weight in ("nan", "inf", "-1", "x", "0")]


@pytest.mark.parametrize(("words", "code"), REFUSED, ids=lambda value: value[-1] if isinstance(value, list) else "")
def test_weights_that_weigh_nothing_are_refused(
    command: Command, workspace: places.Workspace, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    def compiled(*_: object) -> None:
        raise AssertionError("a model is compiled")

    monkeypatch.setattr("forecast.jobs.priors.reference.compile_sampler", compiled)
    result = command(*words, cwd=workspace.root)
    assert result.exit_code == code, result.stderr
    assert "Unexpected" not in result.stderr


LONG = "x" * 5000


@pytest.mark.parametrize(
    "words",
    [
        ["report", LONG], ["report", "--output", LONG], ["--workspace", LONG, "status"], ["runs", "verify", LONG],
        ["scenario", "new", LONG],
        ["scenario", "run", LONG], ["data", "show", LONG], ["data", "add", "event", "--from", LONG, "--yes"], ["init", LONG],
        ["explain", LONG],
        ["priors", "show", "leverage.effect", "--figure", f"{LONG}.svg"], ["questions", "predict", LONG, "0.1", "--by", "me"],
        ["report", "a\0b"], ["--workspace", "a\0b", "status"], ["init", "a\0b"],
    ],
    ids=lambda words: " ".join(words)[:30],
)  # fmt: skip
def test_a_name_that_no_system_takes_is_refused_in_short(command: Command, workspace: places.Workspace, words: list[str]) -> None:
    result = command(*words, cwd=workspace.root)
    assert result.exit_code in (2, 3), result.stderr
    assert "Unexpected" not in result.stderr
    assert len(result.stderr) < 1500


@pytest.mark.slow
def test_explain_says_what_it_lacks_before_it_loads_anything_heavy(workspace: places.Workspace) -> None:
    script = """
import sys
from forecast.cli import main
try:
    main(["explain"])
finally:
    print(sorted({"pymc", "pytensor", "arviz", "nutpie", "xarray"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=workspace.root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "[]\n"), done.stderr
