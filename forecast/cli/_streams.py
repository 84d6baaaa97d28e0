"""The standard streams of a command, and its log.

No text can control the terminal, every character can be printed, and a stream that fails does not change how a command ends.
"""

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

from forecast.storage.text import json_escaped, visible

if TYPE_CHECKING:
    from forecast.cli._progress import Position

_SIMILAR: Final = str.maketrans({
    "−": "-", "–": "-", "—": "-", "─": "-", "━": "=", "→": "->", "⇄": "<->", "≥": ">=", "≤": "<=", "±": "+-", "×": "x", "÷": "/", "·": ".",
    "“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "●": "o", "■": "#", "█": "#", "▇": "#", "▆": "#", "▅": "=", "▄": "=", "▃": "-",
    "▂": "-", "▁": "_", "░": ".", "⠒": "-", "•": "*", "├": "|", "└": "|", "┴": "+", "′": "'", "⁄": "/", "√": "sqrt",
    "╴": "-", "╸": "=", "╺": "=",
})  # fmt: skip
_DEGRADED: Final = "forecast-degraded"
"""Name of the error handler that replaces characters an encoding lacks by similar ones, or by escapes such as \\u03b1."""


def _degrade(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(map(_similar, missing)), error.end


def _similar(character: str) -> str:
    similar = unicodedata.normalize("NFKD", character).translate(_SIMILAR)
    letters = "".join(c for c in similar if not unicodedata.combining(c))
    if letters.isascii() and (letters or similar):
        return letters
    return character.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_DEGRADED, _degrade)


class SafeStream(io.TextIOBase):
    """A standard stream that takes any text and never raises.

    Characters that control a terminal are shown as escapes, except in a `drawing`. Characters that the encoding lacks are replaced. If the
    stream fails (closed, disk full, reader gone), `failure` holds the reason, and further text is dropped.
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
        """The same stream for a library that draws with control characters. The caller must escape the texts in the drawing."""
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
        """Send what is still buffered to /dev/null: it would fail again when the interpreter ends, and change the exit code."""
        self.failure = failure
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Make the standard streams of this process safe while the block lasts. A closed one drops all text, or has nothing to read."""
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
    """A stream for rich: it may control the terminal, and never raises. The caller passes every text through `visible`."""
    return cast(TextIO, stream.drawing()) if isinstance(stream, SafeStream) else stream


def unprinted() -> str | None:
    """A message if part of the result could not be printed; None if all was, or if the reader stopped reading, as `head` does."""
    stream = sys.stdout
    stream.flush()
    failure = stream.failure if isinstance(stream, SafeStream) else None
    if failure is None or (isinstance(failure, OSError) and failure.errno == errno.EPIPE):
        return None
    reason = (failure.strerror if isinstance(failure, OSError) else None) or str(failure)
    return f"The output could not be printed: {reason}. The exit code is that of the work itself."


def as_json(document: Any, encoding: str) -> str:
    """A document as JSON for a stream or file. Characters that the encoding may lack, or that control a terminal, are escaped.

    NaN is an error, since JSON has no such number.
    """
    escaped = not encoding.lower().replace("_", "-").startswith("utf")
    return json_escaped(json.dumps(document, indent=2, ensure_ascii=escaped, allow_nan=False))


def _occupy_descriptors() -> None:
    """Open descriptors 0 to 2 if they are closed: else the next file opened would get such a number, and receive the output."""
    with suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(descriptor, True)
        os.close(descriptor)


FLAG: Final = "--log-json"


@dataclass(frozen=True)
class Log:
    """Writes events as JSON, one a line: `time` (UTC), `level` (info, warning, error), `event`, and its details.

    stream  where to write
    clock   gives the time
    quiet   write only errors and the end

    Events: start, progress, warning, library (messages of a library), error, and end with the exit code; jobs add their own. Each line is
    one write, so that lines of several threads or processes do not mix. All but ASCII is escaped, so that nothing breaks a line.
    """

    stream: TextIO
    clock: Callable[[], datetime]
    quiet: bool = False
    _one: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, level: str, event: str, **details: Any) -> None:
        """Write an event. A log that cannot be written does not stop the job."""
        if self.quiet and level != "error" and event != "end":
            return
        time = self.clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json_escaped(json.dumps({"time": time, "level": level, "event": event} | details, default=str)) + "\n"
        with self._one, suppress(OSError):
            self.stream.write(line)
            self.stream.flush()

    def end(self, exit_code: int) -> None:
        """The last line of a command."""
        self("error" if exit_code else "info", "end", exit_code=exit_code)

    def progress(self, stage: str, done: float | None, message: str, at: Position | None) -> None:
        """Write how far a stage is, and the position in the whole job if it has a plan."""
        where = at and {
            "step": at.number, "steps": at.steps, "share": round(at.share, 4), "seconds": round(at.gone, 1), "seconds_left": round(at.left),
        }  # fmt: skip
        self("info", "progress", stage=stage, done=None if done is None else round(done, 4), message=message, **(where or {}))

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Also write Python's warnings and the messages of libraries while the block lasts."""

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
    """Passes on the messages of libraries, from warnings upwards."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        self._log(level, "library", name=record.name, message=record.getMessage())
