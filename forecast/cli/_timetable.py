"""Which step of how many a long job is at, how far the whole of it is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

SECONDS: Final = {
    "pull": 10.0,
    "outside view": 60.0,
    "weighing": 8.0,
    "resampling": 4.0,
    "drivers": 3.0,
    "compile": 25.0,
    "fit": 36.0,
    "other choices": 67.0,
    "scenarios": 26.0,
    "what moved": 40.0,
    "report": 30.0,
}
"""What each step took on two cores. Only the proportions matter, and they are corrected by what the job takes as it goes on."""

CACHED: Final = frozenset({"compile", "pull", "weighing"})
"""Steps whose duration depends on a cache or on others, and says nothing of how fast this machine is."""

BELIEF: Final = 30.0
"""The proportions are believed as if so many seconds had gone as expected."""

FIT: Final = ("drivers", "compile", "fit", "other choices", "scenarios")


def steps_of_run(as_of: bool, follows: bool) -> tuple[str, ...]:
    """The steps of `forecast run`; `follows`: whether it is published after another run, from which it says what moved."""
    return (*(["outside view"] if as_of else []), *FIT, *(["what moved"] if follows else []), "report")


def steps_of_refit(pull: bool, follows: bool) -> tuple[str, ...]:
    """The steps that `forecast refit` may take. It passes over some: a forecast whose draws are weighed is not fitted."""
    return (*(["pull"] if pull else []), *(["weighing", "resampling"] if follows else []), *steps_of_run(False, follows))


@dataclass(frozen=True, slots=True)
class Position:
    """Where a job is: step `number` of `steps`, the share of the whole that is done (0 to 1), seconds gone and left."""

    number: int
    steps: int
    share: float
    gone: float
    left: float


type Show = Callable[[str, float | None, str, Position | None], None]


class Timetable:
    """A listener that adds to each stage the position in the whole job. Stages outside the plan are passed on as they are.

    Steps come in the order of the plan; one that is passed over is taken out of it. The step's number and the share only ever grow.
    """

    def __init__(self, show: Show, steps: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._show, self._clock = show, clock
        self._ahead = list(steps)
        self._passed: list[tuple[str, float]] = []  # steps that ended, and the seconds each took
        self._current: str | None = None
        self._done: float | None = None
        self._began = self._entered = clock()
        self._share = 0.0

    def __call__(self, stage: str, done: float | None = None, message: str = "") -> None:
        if stage in self._ahead:
            self._enter(stage)
        if stage == self._current:
            self._done = self._done if done is None else max(done, self._done or 0.0)
        elif self._current is None and not self._passed:
            self._began = self._entered = self._clock()  # waiting for another job is no part of this one
        self._show(stage, done, message, self.at())
        if stage == self._current and self._done == 1.0:
            self._leave()

    def at(self) -> Position | None:
        """The position at this moment; None before the first step."""
        if self._current is None and not self._passed:
            return None
        here, ahead = self._left()
        self._share = max(self._share, self._part_done(here))
        number = len(self._passed) + (self._current is not None)
        return Position(number, number + len(self._ahead), self._share, self._clock() - self._began, here + ahead)

    def _enter(self, stage: str) -> None:
        self._leave()
        del self._ahead[: self._ahead.index(stage) + 1]
        self._current, self._done = stage, None

    def _leave(self) -> None:
        now = self._clock()
        if self._current is not None:
            self._passed.append((self._current, now - self._entered))
        self._current, self._entered = None, now

    def _part_done(self, here: float) -> float:
        """The share of the expected seconds that lies behind; `here` are those left of the current step."""
        done, current = sum(SECONDS[name] for name, _ in self._passed), 0.0
        if self._current is not None:
            current, elapsed = SECONDS[self._current], self._clock() - self._entered
            done += current * (self._done or elapsed / (elapsed + here))
        whole = sum(SECONDS[name] for name, _ in self._passed) + current + sum(SECONDS[name] for name in self._ahead)
        return done / whole

    def _left(self) -> tuple[float, float]:
        """Seconds left of the current step and of those ahead, from the proportions of the steps and the pace so far."""
        spent, expected = BELIEF, BELIEF
        for name, seconds in self._passed:
            if name not in CACHED:
                spent, expected = spent + seconds, expected + SECONDS[name]
        here = 0.0
        if self._current is not None:
            elapsed = self._clock() - self._entered
            whole = SECONDS[self._current] * spent / expected
            if not self._done:
                here = max(whole - elapsed, 0.1 * elapsed, 1.0)
            else:  # what is seen of this step, and as much of what was expected of it as is not seen yet
                here = (1.0 - self._done) * (elapsed + (1.0 - self._done) * whole)
                if self._current not in CACHED:
                    spent, expected = spent + elapsed, expected + SECONDS[self._current] * self._done
        return here, sum(SECONDS[name] for name in self._ahead) * spent / expected


def duration(seconds: float) -> str:
    """Minutes and seconds, as 2:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
