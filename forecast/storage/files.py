"""Regular files: bounded reads that never wait, digests, bytes that are on the disk, and sentences for refused writes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from forecast.errors import ForecastError

MAX_BYTES: Final = 32_000_000
"""Larger than any file a person edits; no reader of such files accepts a larger one, and no run keeps it among its inputs."""

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class UnreadableError(Exception):
    """A path that is no regular file of at most the allowed size, in words: what was found, what was expected, what to do."""

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
    with _open_regular(path) as file:
        content = file.read(limit + 1)
        size = max(os.fstat(file.fileno()).st_size, len(content))
    if len(content) > limit:
        raise UnreadableError(f"{size:,} bytes", f"at most {limit:,}", "It is too large to be this file: put the right one in its place.")
    return content


def read_end(path: Path, most: int) -> bytes:
    """The last bytes, at most `most`, of a regular file of any size. Raises what `read_bounded` raises."""
    with _open_regular(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - most))
        return file.read(most)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_to_disk(path: Path) -> None:
    """Wait until the disk holds a file's bytes, or a folder's list of names. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_MAKE_ROOM: Final = "make room, for instance with `forecast runs prune --keep 5`."
_NOT_ALLOWED: Final = "You may not write there; change the folder's permissions or choose another --workspace."
_WRITE_REMEDIES: Final = {
    errno.ENOSPC: f"The disk is full; {_MAKE_ROOM}",
    errno.EDQUOT: f"Your share of the disk is used up; {_MAKE_ROOM}",
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: "That disk can only be read; choose another --workspace.",
    errno.ENOTDIR: "A file is in the way of a folder; move it.",
    errno.EEXIST: "Something of another kind has that name; move it.",
}


@contextmanager
def explained_write_errors(path: Path, otherwise: str = "Nothing was published.") -> Iterator[None]:
    """Turn an OSError of the block into a ForecastError with what to do; `otherwise` is the remedy where there is none for its kind."""
    try:
        yield
    except OSError as e:
        remedy = _WRITE_REMEDIES.get(e.errno or 0, otherwise)
        raise ForecastError(f"{path} could not be written: {e.strerror or e}.", remedy) from e


@contextmanager
def _open_regular(path: Path) -> Iterator[IO[bytes]]:
    """A regular file, open for reading. Raises MissingError or UnreadableError, also for what fails within the block."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a named pipe without a writer would wait for one
    except (FileNotFoundError, NotADirectoryError) as e:
        raise MissingError("no such file", f"a file at {path}", "Restore it, or start a workspace with `forecast init`.") from e
    except (OSError, ValueError) as e:  # ValueError: a path with a NUL
        raise UnreadableError(_reason(e), "a readable file", "Check what it is and who may read it.") from e
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something that is not a file")
            raise UnreadableError(kind, "a regular file", "Move it, and put the file in its place.")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    except OSError as e:
        raise UnreadableError(_reason(e), "a readable file", "Check the disk and the file's permissions.") from e
    finally:
        os.close(descriptor)


def _reason(e: Exception) -> str:
    return (e.strerror if isinstance(e, OSError) else None) or str(e)
