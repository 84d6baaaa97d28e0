"""The plain facts of files: their digest, their way to the disk, and what the system means when it refuses."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import ForecastError


def sync(path: Path) -> None:
    """Have the disk hold a file's bytes, or a folder's list of names."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def cannot_write(where: Path) -> Iterator[None]:
    """Turn what the operating system says about a failed write into a sentence with what to do."""
    remedies = {
        errno.ENOSPC: "The disk is full; make room, for instance with `forecast runs prune --keep 5`.",
        errno.EDQUOT: "Your share of the disk is used up; make room, for instance with `forecast runs prune --keep 5`.",
        errno.EACCES: "You may not write there; change the folder's permissions or choose another --workspace.",
        errno.EPERM: "You may not write there; change the folder's permissions or choose another --workspace.",
        errno.EROFS: "That disk can only be read; choose another --workspace.",
        errno.ENOTDIR: "A file is in the way of a folder; move it.",
        errno.EEXIST: "Something of another kind has that name; move it.",
    }
    try:
        yield
    except OSError as e:
        what = e.strerror or str(e)
        raise ForecastError(f"{where} could not be written: {what}.", remedies.get(e.errno or 0, "Nothing was published.")) from e
