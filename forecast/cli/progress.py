"""Progress for a person: bars with the time left on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from forecast.cli._streams import drawing
from forecast.progress import Progress, silent
from forecast.storage.characters import visible


@contextmanager
def listener(stream: TextIO, *, quiet: bool = False) -> Iterator[Progress]:
    """A listener that writes to `stream` while the block lasts. A stream that nobody reads any more is left alone."""
    if quiet:
        yield silent
    elif stream.isatty():
        with _bars(stream) as progress:
            yield progress
    else:
        yield Seldom(_plain(stream))


class Seldom:
    """Passes on when a stage begins, each further tenth, and each new message; so a log stays short."""

    def __init__(self, write: Callable[[str, float | None, str], None]) -> None:
        self._write = write
        self._last: dict[str, tuple[int, str]] = {}

    def __call__(self, stage: str, done: float | None = None, message: str = "") -> None:
        step = (-1 if done is None else int(10 * done + 1e-9), message if done is None else "")
        if self._last.get(stage) == step:
            return
        self._last[stage] = step
        self._write(stage, done, message)


def _plain(stream: TextIO) -> Callable[[str, float | None, str], None]:
    def write(stage: str, done: float | None, message: str) -> None:
        share = "" if done is None else f" {100 * done:.0f} %"
        with suppress(OSError):  # a log that nobody reads does not stop the job
            stream.write(f"{stage}{share}{': ' if message else ''}{message}\n")
            stream.flush()

    return write


@contextmanager
def _bars(stream: TextIO) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
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
