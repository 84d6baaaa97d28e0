"""The plan of a long job: numbered steps, time gone and left, nothing that runs backwards."""

from __future__ import annotations

import ast
import inspect
import io
import json
import os
import pty
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.cli import _progress
from forecast.cli._progress import SECONDS, Position, Timetable, duration, listener, seldom, steps_of_refit, steps_of_run
from forecast.cli._streams import Log
from forecast.jobs import explain, run
from forecast.jobs.refit import reweight
from forecast.progress import within

MEASURED = {"drivers": 1.2, "compile": 3.7, "fit": 13.9, "other choices": 5.6, "scenarios": 5.5, "report": 9.5}
"""Seconds from one step to the next of a run on two free cores whose compiled code was not cached, from its `--log-json`."""
CACHED = {"drivers": 1.1, "compile": 1.2, "fit": 9.0, "other choices": 4.9, "scenarios": 5.7, "report": 8.0}
"""The same of a later run."""
FIRST_CALLS = {"drivers", "compile", "report"}
"""Steps that say nothing between their beginning and their end."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def replayed(took: dict[str, float], steps: tuple[str, ...]) -> Iterator[Position]:
    """The position at each second of a job whose steps took so long."""
    clock = Clock()
    plan = Timetable(lambda *_: None, steps, clock)
    for stage, seconds in took.items():
        plan(stage, None if stage in FIRST_CALLS else 0.0)
        for second in range(1, int(seconds) + 1):
            clock.now += seconds / int(seconds)
            if stage not in FIRST_CALLS:
                plan(stage, second / int(seconds))
            elif second == int(seconds):
                plan(stage, 1.0)
            at = plan.at()
            assert at is not None
            yield at


@pytest.mark.parametrize("took", [MEASURED, CACHED], ids=["first run", "later run"])
def test_the_time_left_is_right_within_a_third_on_a_typical_run(took: dict[str, float]) -> None:
    whole = sum(took.values())
    for at in replayed(took, steps_of_run(as_of=False, follows=False)):
        assert at.gone + at.left == pytest.approx(whole, rel=1 / 3), at


@pytest.mark.parametrize("pace", [0.4, 2.5])
def test_on_another_machine_it_is_right_once_the_fit_is_half_done(pace: float) -> None:
    took = {stage: pace * seconds for stage, seconds in MEASURED.items()}
    whole = sum(took.values())
    late = [at for at in replayed(took, steps_of_run(as_of=False, follows=False)) if at.gone > 0.4 * whole]
    assert all(at.gone + at.left == pytest.approx(whole, rel=1 / 3) for at in late)


def test_a_run_has_six_steps_and_ends_with_all_of_it_done() -> None:
    positions = list(replayed(MEASURED, steps_of_run(as_of=False, follows=False)))
    assert next((a.number, a.steps) for a in positions if a.number == 2) == (2, 6)
    assert (positions[-1].number, positions[-1].steps, positions[-1].share, positions[-1].left) == (6, 6, 1.0, 0.0)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from([*SECONDS, "unheard of"]), st.none() | st.floats(0, 1), st.floats(0, 500))))
def test_whatever_is_said_nothing_runs_backwards(calls: list[tuple[str, float | None, float]]) -> None:
    clock = Clock()
    seen: list[Position] = []
    plan = Timetable(lambda stage, done, message, at: seen.append(at) if at else None, steps_of_refit(pull=True, follows=True), clock)
    for stage, done, seconds in calls:
        clock.now += seconds
        plan(stage, done)
    for before, after in pairwise(seen):
        assert after.number >= before.number
        assert after.share >= before.share
        assert after.gone >= before.gone
        assert after.steps <= before.steps
    assert all(1 <= at.number <= at.steps and 0 <= at.share <= 1 and at.left >= 0 for at in seen)


def test_a_step_that_says_nothing_of_its_share_does_not_push_the_end_away() -> None:
    clock = Clock()
    plan = Timetable(lambda *_: None, steps_of_run(as_of=False, follows=True), clock)
    plan("what moved", 0.0, "the run before")
    shares = []
    for _ in range(10):
        clock.now += SECONDS["what moved"] / 10
        plan("what moved", None, "fit: 10 %")
        at = plan.at()
        assert at is not None
        assert at.left <= SECONDS["what moved"] + SECONDS["report"]
        shares.append(at.share)
    assert shares == sorted(set(shares))


def test_steps_that_are_passed_over_are_counted_no_more() -> None:
    seen: list[str] = []

    def note(stage: str, done: float | None, message: str, at: Position | None) -> None:
        seen.append(f"{stage} {at.number}/{at.steps}" if at else stage)

    weighed = Timetable(note, steps_of_refit(pull=True, follows=True))
    for stage in ("waiting", "pull", "weighing", "resampling", "scenarios", "what moved", "report"):
        weighed(stage, 1.0)
    assert seen == ["waiting", "pull 1/10", "weighing 2/10", "resampling 3/10", "scenarios 4/6", "what moved 5/6", "report 6/6"]


def test_waiting_for_another_job_is_no_part_of_this_one() -> None:
    clock = Clock()
    plan = Timetable(lambda *_: None, steps_of_run(as_of=False, follows=False), clock)
    plan("waiting", None, "for another refit")
    assert plan.at() is None
    clock.now += 3600
    plan("waiting", None, "for another refit")
    plan("drivers")
    at = plan.at()
    assert at is not None
    assert at.gone == 0.0


def test_a_job_within_a_step_is_said_under_its_name() -> None:
    seen: list[tuple[str, float | None, str]] = []
    inner = within(lambda stage, done=None, message="": seen.append((stage, done, message)), "what moved")
    inner("compile", None, "once")
    for step in range(101):
        inner("fit", step / 100, f"{step} draws")
    assert seen[0] == ("what moved", None, "compile: once")
    assert {(stage, done) for stage, done, _ in seen} == {("what moved", None)}
    assert sorted({message for *_, message in seen[1:]}) == sorted(f"fit: {tenth} %" for tenth in range(0, 101, 10))


def test_every_step_that_may_come_has_its_time() -> None:
    for follows in (False, True):
        assert set(steps_of_run(True, follows)) | set(steps_of_refit(True, follows)) <= set(SECONDS)
    assert set(SECONDS) >= _progress.CACHED


def test_what_the_jobs_report_is_in_the_plan() -> None:
    stages = set()
    for module in (run, reweight, explain):
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("progress") and isinstance(call.args[0], ast.Constant):
                stages.add(call.args[0].value)
    assert len(stages) >= 8
    assert stages <= set(SECONDS)
    assert not [name for name in SECONDS if "reading" in name]


def test_plain_lines_number_the_steps_and_say_the_time() -> None:
    stream = io.StringIO()
    with listener(stream, steps=steps_of_run(False, False)) as progress:
        progress("drivers", None, "overdoses")
        progress("fit", 0.5, "main")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"step 1 of 6, drivers: overdoses \(0:00 gone, about \d:\d\d left\)", first)
    assert re.fullmatch(r"step 2 of 5, fit 50 %: main \(0:00 gone, about \d:\d\d left\)", second)


def test_a_log_has_the_same_as_numbers() -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: datetime(2026, 11, 24, tzinfo=UTC))
    progress = seldom(log.progress, steps_of_run(False, False))
    progress("drivers")
    progress("report", 1.0)
    first, last = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["step"], first["steps"]) == (1, 6)
    assert first["seconds"] < 10
    assert first["seconds_left"] > 20
    assert (last["step"], last["steps"], last["share"], last["seconds_left"]) == (2, 2, 1.0, 0)


def test_a_terminal_shows_one_bar_for_the_whole_job() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, listener(stream, steps=steps_of_run(False, False)) as progress:
        progress("drivers", 1.0)
        progress("compile", None, "[bold]the model[/bold] of tolerance, once")
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "\n").split("\n")
    assert "step 2 of 6, compile" in shown
    assert re.search(r"0:00 gone, about \d:\d\d left", shown)
    assert "[bold]" in shown
    assert max(map(len, lines)) <= 80


def test_durations_are_minutes_and_seconds() -> None:
    assert [duration(seconds) for seconds in (0, 5.4, 65, 3600)] == ["0:00", "0:05", "1:05", "60:00"]
