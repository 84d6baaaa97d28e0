"""Progress for a person: bars with the time left on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from forecast.cli._progress import Position, Show, Timetable, duration
from forecast.cli._streams import drawing
from forecast.progress import Progress, silent
from forecast.storage.text import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import ProgressColumn, Task

BAR = 14
"""Columns of the bar of a job with steps: with the times there is room for a few words in 80."""


@contextmanager
def listener(stream: TextIO, *, quiet: bool = False, steps: Sequence[str] = ()) -> Iterator[Progress]:
    """A listener that writes to `stream` while the block lasts. A stream that nobody reads any more is left alone.

    steps: the plan of a long job, to be shown as one bar or as numbered steps; without it each stage stands for itself.
    """
    if quiet:
        yield silent
    elif stream.isatty():
        with _bar(stream, steps) if steps else _bars(stream) as progress:
            yield progress
    else:
        yield seldom(_plain(stream), steps)


def seldom(show: Show, steps: Sequence[str] = ()) -> Progress:
    """A listener that passes on when a stage begins, each further tenth, and each new message; so a log stays short."""
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
        with suppress(OSError):  # a log that nobody reads does not stop the job
            stream.write(f"{where}{stage}{share}{': ' if message else ''}{message}{times}\n")
            stream.flush()

    return write


def _times(at: Position) -> str:
    return time_gone(at.gone, at.left)


def time_gone(gone: float, left: float | None) -> str:
    """Seconds in words; without `left` while nobody can tell."""
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
    # Without redirection: what else is printed meanwhile goes through the command's own streams.
    with Bars(*columns, console=Console(file=drawing(stream)), redirect_stdout=False, redirect_stderr=False) as bars:

        def show(stage: str, done: float | None = None, message: str = "") -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(visible(stage), total=None, message="")
            bars.update(tasks[stage], total=None if done is None else 1.0, completed=done or 0.0, message=visible(message))

        yield show


@contextmanager
def _bar(stream: TextIO, steps: Sequence[str]) -> Iterator[Progress]:
    """One bar for the whole job, which moves with the clock between two calls too."""
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
