"""The one way to read a file: never waits for a pipe, never follows a device, never takes more than a bound."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

MAX_BYTES: Final = 32_000_000
"""Larger than any file a person edits; no reader of such files accepts a larger one, and no snapshot holds it."""

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class UnreadableError(Exception):
    """A path that is no regular file of at most the bound, in words: what was found, what was expected, what to do."""

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        super().__init__(f"found {found}; expected {expected}. {remedy}")
        self.found = found
        self.expected = expected
        self.remedy = remedy


class MissingError(UnreadableError):
    """There is nothing at the path."""


def read_bounded(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; links are followed.

    Raises MissingError if there is nothing at the path, UnreadableError if it is no regular file, too large, or refused by the system.
    """
    with _regular(path) as file:
        content = file.read(limit + 1)
        size = max(os.fstat(file.fileno()).st_size, len(content))
    if len(content) > limit:
        raise UnreadableError(f"{size:,} bytes", f"at most {limit:,}", "It is too large to be this file: put the right one in its place.")
    return content


def read_end(path: Path, most: int) -> bytes:
    """The last bytes, at most so many, of a regular file that may be of any size. Raises what `read_bounded` does."""
    with _regular(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - most))
        return file.read(most)


@contextmanager
def _regular(path: Path) -> Iterator[IO[bytes]]:
    """A regular file, open to be read. Raises MissingError or UnreadableError, also for what fails within the block."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a named pipe without a writer would wait for one
    except (FileNotFoundError, NotADirectoryError) as e:
        raise MissingError("no such file", f"a file at {path}", "Restore it, or start a workspace with `forecast init`.") from e
    except (OSError, ValueError) as e:  # ValueError: a path with a NUL
        raise UnreadableError(_reason(e), "a readable file", "Check what it is and who may read it.") from e
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            kind = next((name for test, name in _KINDS if test(mode)), "something that is no file")
            raise UnreadableError(kind, "a regular file", "Move it, and put the file in its place.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    except OSError as e:
        raise UnreadableError(_reason(e), "a readable file", "Check the disk and the file's permissions.") from e
    finally:
        os.close(descriptor)


def _reason(e: Exception) -> str:
    return (e.strerror if isinstance(e, OSError) else None) or str(e)
