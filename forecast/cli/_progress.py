"""Progress of a long job: its position in a plan with the time left, shown as bars on a terminal and as plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from forecast.cli._streams import drawing
from forecast.progress import Progress, silent
from forecast.storage.text import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import ProgressColumn, Task

SECONDS: Final = {
    "pull": 10.0,
    "outside view": 60.0,
    "weighing": 3.0,
    "resampling": 1.0,
    "drivers": 1.0,
    "compile": 1.5,
    "fit": 9.0,
    "other choices": 5.0,
    "scenarios": 6.0,
    "what moved": 3.0,
    "report": 8.0,
}
"""Seconds that each step took on two cores. Only the proportions matter; the pace is estimated while the job runs."""

CACHED: Final = frozenset({"compile", "pull", "weighing"})
"""Steps whose duration depends on a cache or on other computers, and says nothing about the speed of this machine."""

PRIOR_SECONDS: Final = 6.0
"""Weight of the expected pace: as if so many seconds had already passed as expected."""

FIT: Final = ("drivers", "compile", "fit", "other choices", "scenarios")


def steps_of_run(as_of: bool, follows: bool) -> tuple[str, ...]:
    """The steps of `forecast run`. follows: it is published after another run, so the difference is explained."""
    return (*(["outside view"] if as_of else []), *FIT, *(["what moved"] if follows else []), "report")


def steps_of_refit(pull: bool, follows: bool) -> tuple[str, ...]:
    """The steps that `forecast refit` may take. Some are skipped: a reweighted forecast is not fitted."""
    return (*(["pull"] if pull else []), *(["weighing", "resampling"] if follows else []), *steps_of_run(False, follows))


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a job in its plan.

    number  number of the present step, from 1
    steps   number of steps
    share   share of the whole job that is done, 0 to 1
    gone    seconds since the start
    left    seconds left, estimated
    """

    number: int
    steps: int
    share: float
    gone: float
    left: float


type Show = Callable[[str, float | None, str, Position | None], None]


class Timetable:
    """A listener that adds the position in the whole job to each stage. Stages outside the plan are passed on unchanged.

    Steps come in the order of the plan; a step that is skipped is removed from it. The step's number and the share never decrease.
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
            self._began = self._entered = self._clock()  # waiting for another job does not count
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
        """The share of the expected seconds that have passed. here: seconds left of the current step."""
        done, current = sum(SECONDS[name] for name, _ in self._passed), 0.0
        if self._current is not None:
            current, elapsed = SECONDS[self._current], self._clock() - self._entered
            done += current * (self._done or elapsed / (elapsed + here))
        whole = sum(SECONDS[name] for name, _ in self._passed) + current + sum(SECONDS[name] for name in self._ahead)
        return done / whole

    def _left(self) -> tuple[float, float]:
        """Seconds left of the current step, and of the steps ahead, from the proportions of the steps and the pace so far."""
        spent, expected = PRIOR_SECONDS, PRIOR_SECONDS
        for name, seconds in self._passed:
            if name not in CACHED:
                spent, expected = spent + seconds, expected + SECONDS[name]
        here = 0.0
        if self._current is not None:
            elapsed = self._clock() - self._entered
            whole = SECONDS[self._current] * spent / expected
            if not self._done:
                here = max(whole - elapsed, 0.1 * elapsed, 1.0)
            else:  # the pace of this step so far, and the expected pace in proportion to what is left of it
                here = (1.0 - self._done) * (elapsed + (1.0 - self._done) * whole)
                if self._current not in CACHED:
                    spent, expected = spent + elapsed, expected + SECONDS[self._current] * self._done
        return here, sum(SECONDS[name] for name in self._ahead) * spent / expected


def duration(seconds: float) -> str:
    """Minutes and seconds, as 2:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


BAR = 14
"""Width of the bar; with the times this leaves room for a short message in 80 columns."""


@contextmanager
def listener(stream: TextIO, *, quiet: bool = False, steps: Sequence[str] = ()) -> Iterator[Progress]:
    """A listener that writes to `stream` while the block lasts. A stream that cannot be written is ignored.

    steps: the plan of a long job, shown as one bar or as numbered steps; without it each stage is shown by itself.
    """
    if quiet:
        yield silent
    elif stream.isatty():
        with _bar(stream, steps) if steps else _bars(stream) as progress:
            yield progress
    else:
        yield seldom(_plain(stream), steps)


def seldom(show: Show, steps: Sequence[str] = ()) -> Progress:
    """A listener that passes on the beginning of a stage, each further tenth, and each new message, so that a log stays short."""
    passing = _Seldom(show)
    return Timetable(passing, steps) if steps else lambda stage, done=None, message="": passing(stage, done, message, None)


class _Seldom:
    def __init__(self, show: Show) -> None:
        self._show = show
        self._last: dict[str, tuple[int, str]] = {}

    def __call__(self, stage: str, done: float | None, message: str, at: Position | None) -> None:
        step = (-1 if done is None else int(10 * done + 1e-9), message if done is None else "")
        if self._last.get(stage) == step:
            return
        self._last[stage] = step
        self._show(stage, done, message, at)


def _plain(stream: TextIO) -> Show:
    def write(stage: str, done: float | None, message: str, at: Position | None) -> None:
        where = f"step {at.number} of {at.steps}, " if at else ""
        share = "" if done is None else f" {100 * done:.0f} %"
        times = f" ({_times(at)})" if at else ""
        with suppress(OSError):  # a log that cannot be written does not stop the job
            stream.write(f"{where}{stage}{share}{': ' if message else ''}{message}{times}\n")
            stream.flush()

    return write


def _times(at: Position) -> str:
    return time_gone(at.gone, at.left)


def time_gone(gone: float, left: float | None) -> str:
    """Times as text; without `left` if it is unknown."""
    return f"{duration(gone)} gone" + ("" if left is None else f", about {duration(left)} left")


@contextmanager
def _bars(stream: TextIO) -> Iterator[Progress]:
    """A bar a stage."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    def times(task: Task) -> RenderableType:
        gone = task.finished_time if task.finished else task.elapsed
        return Text(time_gone(gone or 0.0, None if task.finished else task.time_remaining))

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR),
        _column(times),
        TextColumn("{task.fields[message]}", style="dim", markup=False),
    )
    tasks: dict[str, TaskID] = {}
    # No redirection: other output goes through the command's own streams.
    with Bars(*columns, console=Console(file=drawing(stream)), redirect_stdout=False, redirect_stderr=False) as bars:

        def show(stage: str, done: float | None = None, message: str = "") -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(visible(stage), total=None, message="")
            bars.update(tasks[stage], total=None if done is None else 1.0, completed=done or 0.0, message=visible(message))

        yield show


@contextmanager
def _bar(stream: TextIO, steps: Sequence[str]) -> Iterator[Progress]:
    """One bar for the whole job, which also moves between two calls."""
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TextColumn
    from rich.progress_bar import ProgressBar
    from rich.table import Column
    from rich.text import Text

    def show(stage: str, done: float | None, message: str, at: Position | None) -> None:
        where = f"step {at.number} of {at.steps}, {stage}" if at else stage
        bars.update(task, description=visible(where), message=visible(message))

    def times(_: object) -> RenderableType:
        at = timetable.at()
        return Text(_times(at) if at else "")

    def bar(_: object) -> RenderableType:
        at = timetable.at()
        return ProgressBar(total=1.0, completed=at.share if at else 0.0, width=BAR)

    timetable = Timetable(show, steps)
    words = TextColumn("{task.fields[message]}", style="dim", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
    name = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
    columns = (name, _column(bar), _column(times), words)
    with Bars(*columns, console=Console(file=drawing(stream)), expand=True, redirect_stdout=False, redirect_stderr=False) as bars:
        task = bars.add_task("", total=None, message="")
        yield timetable


def _column(render: Callable[[Task], RenderableType]) -> ProgressColumn:
    from rich.progress import ProgressColumn
    from rich.table import Column

    class Of(ProgressColumn):
        def render(self, task: Task) -> RenderableType:
            return render(task)

    return Of(table_column=Column(no_wrap=True))
