"""What every command receives: the workspace, the output and the clock. Nothing of click."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.cli._streams import Log, as_json
from forecast.progress import Progress
from forecast.storage.files import MAX_BYTES
from forecast.workspace import Workspace, check_writable, find_workspace

if TYPE_CHECKING:
    from forecast.storage.output import Output


def utc_now() -> datetime:
    return datetime.now(UTC)


def working_folder() -> Path:
    """The current folder. If it was deleted, an empty relative path, so that absolute paths still work."""
    try:
        return Path.cwd()
    except OSError:
        return Path()


@dataclass(frozen=True, slots=True)
class Environment:
    """What a command takes from outside. Tests pass their own as click's `obj`, with a fixed clock.

    clock    gives the present moment
    environ  environment variables
    cwd      the current folder
    """

    clock: Callable[[], datetime] = utc_now
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    cwd: Path = field(default_factory=working_folder)


@dataclass(frozen=True, slots=True)
class Context:
    """The options that all commands share.

    environment       clock, environment variables and current folder
    workspace_option  the value of --workspace
    json              print one JSON document
    verbosity         -1 for -q, 0, 1 for -v, 2 for -v -v
    seed, as_of       the values of --seed and --as-of
    log               set by --log-json
    """

    environment: Environment
    workspace_option: str | None = None
    json: bool = False
    verbosity: int = 0
    seed: int | None = None
    as_of: date | None = None
    log: Log | None = None

    @property
    def workspace(self) -> Workspace:
        """The workspace, looked up when needed, because `init` needs none. Raises UsageError if the folder named is not a workspace."""
        return find_workspace(self.workspace_option, self.environment.environ, self.environment.cwd)

    @property
    def own_workspace(self) -> Workspace:
        """The workspace, for a command that writes to it. Raises UsageError if it is only a fallback, or inside an installed package."""
        found = self.workspace
        check_writable(found)
        return found

    def output(self, file: str, force: bool) -> Output:
        """A file that the user names as output, checked before any work is done. Raises UsageError if it must not be written."""
        from forecast.storage.output import Output

        where = self.workspace
        return Output.checked(self.environment.cwd / file, force=force, kept=(where.data, where.priors, where.reports))

    @property
    def now(self) -> datetime:
        """The present moment, in UTC, by the clock that was passed in."""
        return self.environment.clock()

    def read_argument(self, file: str) -> tuple[Path | bytes, str]:
        """An input that the user names, and its name in messages: the path of a file, or for - all of standard input."""
        if file != "-":
            return self.environment.cwd / file, Path(file).name
        return sys.stdin.buffer.read(MAX_BYTES + 1), "standard input"

    def say(self, text: str) -> None:
        """Print a part of the result to standard output. A stream that fails does not raise: see `_streams`."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def say_written(self, where: Workspace, files: Iterable[str]) -> None:
        """Name the workspace that was written to, and its files, as paths in it."""
        self.say(f"Written in {where.root}: {', '.join(files)}.")

    def say_json(self, document: Any) -> None:
        """Print the result as one JSON document. NaN is an error, because JSON has no such number."""
        self.say(as_json(document, getattr(sys.stdout, "encoding", None) or "utf-8"))

    def show(self, document: Any, lines: Iterable[str] | str) -> None:
        """Print the result: with --json the document, else the lines."""
        if self.json:
            self.say_json(document)
        else:
            for line in (lines,) if isinstance(lines, str) else lines:
                self.say(line)

    def warn(self, text: str) -> None:
        """Print a warning to standard error, unless -q was given."""
        if self.log:
            self.log("warning", "warning", message=text)
        elif self.verbosity >= 0:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def record(self, event: str, **details: Any) -> None:
        """With --log-json, write an event to the log, such as a decision; otherwise nothing, because the result says it."""
        if self.log:
            self.log("info", event, **details)

    @contextmanager
    def progress(self, steps: Sequence[str] = ()) -> Iterator[Progress]:
        """A listener for a job's progress: bars on a terminal, plain lines elsewhere, nothing with -q; always on standard error.

        steps: the plan of a long job (see `_progress.Timetable`).
        """
        from forecast.cli._progress import listener, seldom

        if self.log:
            yield seldom(self.log.progress, steps)
            return
        with listener(sys.stderr, quiet=self.verbosity < 0, steps=steps) as progress:
            yield progress
