"""The standard streams of a command: no text steers the terminal, every character can be printed, no stream decides how a command ends."""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO, cast

from forecast.storage.text import json_escaped, visible

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
