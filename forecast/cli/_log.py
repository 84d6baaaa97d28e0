"""`--log-json`: everything that is said on standard error, as one JSON object a line, for a program that reads logs."""

from __future__ import annotations

import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from forecast.cli._progress import Position

from forecast.storage.text import json_escaped

FLAG: Final = "--log-json"


@dataclass(frozen=True)
class Log:
    """Writes an event a line: `time` (UTC), `level` (info, warning, error), `event`, and what belongs to it.

    The events: start, progress, warning, library (what a library logs), error, and end with the exit code; a job may add its own.

    Each line is one write, so that lines of several threads or processes do not run into each other; and nothing in it breaks a line,
    since all but ASCII is escaped. quiet: only errors, and how it ended.
    """

    stream: TextIO
    clock: Callable[[], datetime]
    quiet: bool = False
    _one: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, level: str, event: str, **what: Any) -> None:
        """Say that something happened. A log that nobody reads does not stop the job."""
        if self.quiet and level != "error" and event != "end":
            return
        time = self.clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json_escaped(json.dumps({"time": time, "level": level, "event": event} | what, default=str)) + "\n"
        with self._one, suppress(OSError):
            self.stream.write(line)
            self.stream.flush()

    def end(self, exit_code: int) -> None:
        """The last line of a command."""
        self("error" if exit_code else "info", "end", exit_code=exit_code)

    def progress(self, stage: str, done: float | None, message: str, at: Position | None) -> None:
        """How far a stage is, and where the whole job is if it has a plan."""
        where = at and {
            "step": at.number, "steps": at.steps, "share": round(at.share, 4), "seconds": round(at.gone, 1), "seconds_left": round(at.left),
        }  # fmt: skip
        self("info", "progress", stage=stage, done=None if done is None else round(done, 4), message=message, **(where or {}))

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Have Python's own warnings, and what libraries log, come as events too while the block lasts."""

        def warned(message: Warning | str, category: type[Warning], *where: object, **more: object) -> None:
            self("warning", "warning", message=f"{category.__name__}: {message}")

        root, handler = logging.getLogger(), _Handler(self)
        before, warnings.showwarning = warnings.showwarning, warned
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)
            warnings.showwarning = before


class _Handler(logging.Handler):
    """Passes on what a library has to say from a warning upwards."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        self._log(level, "library", name=record.name, message=record.getMessage())
