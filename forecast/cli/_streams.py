"""The standard streams of a command: no text steers the terminal, every character can be printed, no stream decides how a command ends."""

from __future__ import annotations

import codecs
import errno
import io
import json
import logging
import os
import sys
import threading
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from forecast.storage.characters import json_escaped, visible

if TYPE_CHECKING:
    from forecast.cli._progress import Position

_SIMILAR: Final = str.maketrans({
    "−": "-", "–": "-", "—": "-", "─": "-", "━": "=", "→": "->", "⇄": "<->", "≥": ">=", "≤": "<=", "±": "+-", "×": "x", "÷": "/", "·": ".",
    "“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "●": "o", "■": "#", "█": "#", "▇": "#", "▆": "#", "▅": "=", "▄": "=", "▃": "-",
    "▂": "-", "▁": "_", "░": ".", "⠒": "-", "•": "*", "├": "|", "└": "|", "┴": "+", "′": "'", "⁄": "/", "√": "sqrt",
    "╴": "-", "╸": "=", "╺": "=",
})  # fmt: skip
_DEGRADED: Final = "forecast-degraded"
"""The name of the error handler: characters that an encoding lacks become similar ones, or escapes such as \\u03b1."""


def _degrade(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_plainer, lacking)), error.end


def _plainer(character: str) -> str:
    similar = unicodedata.normalize("NFKD", character).translate(_SIMILAR)
    letters = "".join(c for c in similar if not unicodedata.combining(c))
    if letters.isascii() and (letters or similar):
        return letters
    return character.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_DEGRADED, _degrade)


class SafeStream(io.TextIOBase):
    """A standard stream that takes any text and never raises.

    Characters that steer a terminal are shown as escapes (not in a `drawing`, which steers it on purpose); characters that the encoding
    lacks are replaced. If the stream fails (closed, a full disk, a reader that left), `failure` says why, and further text is dropped.
    stream: None if it was closed before the command began.
    """

    encoding: str = "utf-8"
    errors: str | None = "strict"

    def __init__(self, stream: TextIO | None, drawing: bool = False) -> None:
        self._stream = stream
        self._drawing = drawing
        self.failure: OSError | ValueError | None = None
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def drawing(self) -> SafeStream:
        """The same stream for a library that draws with control characters; whoever draws escapes the texts in the drawing."""
        return SafeStream(self._stream, drawing=True)

    def write(self, text: str) -> int:
        shown = text if self._drawing else visible(text).replace("\r", "\\r")
        shown = shown.encode(self.encoding, _DEGRADED).decode(self.encoding)
        if self._stream is not None and self.failure is None:
            try:
                self._stream.write(shown)
            except (OSError, ValueError) as e:  # ValueError: it has been closed
                self._give_up(e)
        return len(text)

    def flush(self) -> None:
        if self._stream is not None and self.failure is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as e:
                self._give_up(e)

    def isatty(self) -> bool:
        with suppress(OSError, ValueError):
            return self._stream is not None and self._stream.isatty()
        return False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self._stream is None:
            raise io.UnsupportedOperation("the stream was closed before the command began")
        return self._stream.fileno()

    def _give_up(self, failure: OSError | ValueError) -> None:
        """What is still buffered must not fail again when the interpreter ends, which would change the exit code: it goes nowhere."""
        self.failure = failure
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Have the standard streams of this process take any text while the block lasts; a closed one swallows all, or has nothing to read."""
    _occupy_descriptors()
    before = sys.stdin, sys.stdout, sys.stderr
    streams = SafeStream(sys.stdout), SafeStream(sys.stderr)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BytesIO())
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        for stream in streams:
            stream.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def drawing(stream: TextIO) -> TextIO:
    """A stream for rich: it may steer the terminal, and still never raises. Whoever draws passes every text through `visible`."""
    return cast(TextIO, stream.drawing()) if isinstance(stream, SafeStream) else stream


def unprinted() -> str | None:
    """A sentence if a part of the result could not be printed; None if all was, or if its reader had left by itself, as `head` does."""
    stream = sys.stdout
    stream.flush()
    failure = stream.failure if isinstance(stream, SafeStream) else None
    if failure is None or (isinstance(failure, OSError) and failure.errno == errno.EPIPE):
        return None
    reason = (failure.strerror if isinstance(failure, OSError) else None) or str(failure)
    return f"The output could not be printed: {reason}. The exit code tells how the work itself ended."


def as_json(document: Any, encoding: str) -> str:
    """A document as JSON for a stream or file: what its encoding may lack, or what steers a terminal, is escaped.

    NaN is an error, since JSON has no such number.
    """
    escaped = not encoding.lower().replace("_", "-").startswith("utf")
    return json_escaped(json.dumps(document, indent=2, ensure_ascii=escaped, allow_nan=False))


def _occupy_descriptors() -> None:
    """Have something behind descriptors 0 to 2: else the next file opened would get such a number, and what is printed."""
    with suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(descriptor, True)
        os.close(descriptor)


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
