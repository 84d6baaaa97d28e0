"""`--log-json`: each line of standard error is one JSON object, whatever happens and whoever speaks."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from forecast import errors
from forecast.cli._context import Context, Environment
from forecast.cli._options import common
from forecast.cli._root import Group, Root
from forecast.cli._streams import Log

MOMENT = datetime(2026, 11, 24, 16, 15, tzinfo=timezone(timedelta(hours=2)))
PROBLEM = errors.Problem("events.csv", "'x'", "a date", "Write YYYY-MM-DD.", row=3, column="date")
FAILURES: dict[str, BaseException] = {
    "input": errors.InputError.of([PROBLEM]),
    "gate": errors.GateError("Not passed.", "Run again."),
    "bug": KeyError("a\nb"),
    "interrupt": KeyboardInterrupt(),
}


@pytest.fixture
def root() -> Root:
    @click.group("noun", cls=Group)
    def noun() -> None:
        """A noun."""

    @noun.command()
    @common("seed")
    @click.argument("failure", required=False)
    def work(context: Context, failure: str | None) -> None:
        """Say all there is to say, then fail or not."""
        with context.progress() as progress:
            for step in range(1001):
                progress("fit", step / 1000, "chain 1")
            progress("writing", None, 'a "line"\nand \u2028 é')
        context.warn("odd")
        context.record("decision", kind="skipped")
        context.say("the result")
        if failure:
            raise FAILURES[failure]

    top = Root("top")
    top.add_command(noun)
    return top


def events(result: Result) -> list[dict[str, Any]]:
    assert result.stderr.isascii()
    return [json.loads(line) for line in result.stderr.split("\n")[:-1]]


def invoke(root: Root, *words: str) -> Result:
    return CliRunner().invoke(root, words, obj=Environment(clock=lambda: MOMENT, environ={}), prog_name="top")


@pytest.mark.parametrize("words", [("--log-json", "noun", "work"), ("noun", "--log-json", "work"), ("noun", "work", "--log-json")])
def test_every_event_is_a_line(root: Root, words: tuple[str, ...]) -> None:
    result = invoke(root, *words)
    assert (result.exit_code, result.stdout) == (0, "the result\n")
    told = events(result)
    assert {e["time"] for e in told} == {"2026-11-24T14:15:00.000Z"}
    assert [e["event"] for e in told] == ["start", *["progress"] * 12, "warning", "decision", "end"]
    assert told[0]["command"] == f"top {' '.join(words)}"
    assert [e["done"] for e in told if e.get("stage") == "fit"] == pytest.approx([n / 10 for n in range(11)])
    assert told[12] == {
        "time": "2026-11-24T14:15:00.000Z", "level": "info", "event": "progress", "stage": "writing", "done": None,
        "message": 'a "line"\nand \u2028 é',
    }  # fmt: skip
    assert (told[13]["level"], told[13]["message"]) == ("warning", "odd")
    assert told[14]["kind"] == "skipped"
    assert (told[15]["level"], told[15]["exit_code"]) == ("info", 0)


@pytest.mark.parametrize(("failure", "code"), [("input", 3), ("gate", 4), ("bug", 1), ("interrupt", 130)])
def test_a_failure_is_an_event_and_the_last_one_has_the_exit_code(root: Root, failure: str, code: int) -> None:
    result = invoke(root, "noun", "work", failure, "--log-json")
    assert result.exit_code == code
    *_, error, end = events(result)
    assert (error["level"], error["event"], error["exit_code"]) == ("error", "error", code)
    assert (end["level"], end["event"], end["exit_code"]) == ("error", "end", code)
    plain = invoke(root, "noun", "work", failure).stderr
    assert error["message"] in plain
    assert error.get("problems", []) == ([asdict(PROBLEM)] if failure == "input" else [])
    assert "traceback" not in error
    assert "Traceback" in events(invoke(root, "noun", "work", failure, "--log-json", "-vv"))[-2]["traceback"]


WRONG = """noun wrok --log-json|nuon --log-json|noun work --seed x --log-json|noun work --log-json --nothing|--log-json --nothing noun|
--log-json|noun work a b --log-json|noun --as-of 2026-01-01 work --log-json"""


@pytest.mark.parametrize("words", WRONG.split("|"))
def test_a_wrongly_written_command_is_told_too(root: Root, words: str) -> None:
    result = invoke(root, *words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    told = events(result)
    assert [e["event"] for e in told] == ["start", "error", "end"]
    assert told[1]["message"]
    assert told[2]["exit_code"] == 2


def test_quiet_leaves_only_how_it_began_and_ended(root: Root) -> None:
    assert [e["event"] for e in events(invoke(root, "noun", "work", "-q", "--log-json"))] == ["start", "end"]
    assert [e["event"] for e in events(invoke(root, "noun", "work", "gate", "-q", "--log-json"))] == ["start", "error", "end"]


def test_help_is_help(root: Root) -> None:
    result = invoke(root, "noun", "work", "--log-json", "--help")
    assert result.exit_code == 0
    assert "--log-json" in result.stdout
    assert [e["event"] for e in events(result)] == ["start", "end"]


def test_without_it_nothing_is_json(root: Root) -> None:
    assert "{" not in invoke(root, "noun", "work", "gate").stderr


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Log(Gone(), lambda: MOMENT)("info", "start")


def test_threads_do_not_interrupt_each_other() -> None:
    class Torn(io.StringIO):
        """Writes in two halves, which another thread may come between."""

        def write(self, text: str) -> int:
            super().write(text[:9])
            threading.Event().wait(0.0005)
            return super().write(text[9:])

    stream = Torn()
    log = Log(stream, lambda: datetime.now(UTC))

    def speak(name: int) -> None:
        for n in range(20):
            log("info", "progress", stage=name, done=n)

    speakers = [threading.Thread(target=speak, args=(name,)) for name in range(8)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted((e["stage"], e["done"]) for e in told) == [(name, n) for name in range(8) for n in range(20)]


SCRIPT = """
import logging, sys, threading, warnings, click
from forecast.cli import main
from forecast.cli._options import common

@main.command()
@common()
def work(context):
    def speak():
        for n in range(100):
            with context.progress() as progress:
                progress("stage", None, "words " * (n % 40))
            warnings.warn(f"a library warns {n}")
            logging.getLogger("some.library").warning("and logs %d", n)
            logging.getLogger("some.library").info("too quietly")
    speakers = [threading.Thread(target=speak) for _ in range(4)]
    [s.start() for s in speakers]; [s.join() for s in speakers]
    raise ValueError("in the end")

warnings.simplefilter("always")
main(["work", "--log-json"])
"""


def test_real_processes_share_a_file_and_every_line_parses(tmp_path: Path) -> None:
    """Three processes of four threads, with what libraries say."""
    log = tmp_path / "refit.log"
    with log.open("a") as stream:
        running = [subprocess.Popen([sys.executable, "-c", SCRIPT], stderr=stream, cwd=tmp_path) for _ in range(3)]
        assert [process.wait() for process in running] == [1, 1, 1]
    told = [json.loads(line) for line in log.read_text().split("\n")[:-1]]
    count = {event: sum(e["event"] == event for e in told) for event in ("start", "progress", "warning", "library", "error", "end")}
    assert count == {"start": 3, "progress": 1200, "warning": 1200, "library": 1200, "error": 3, "end": 3}
    assert len(told) == sum(count.values())
    assert {e["name"] for e in told if e["event"] == "library"} == {"some.library"}
