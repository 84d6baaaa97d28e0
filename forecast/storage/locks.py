"""Locks that the operating system holds for as long as their owner lives, on open files or folders; no lock file outlives its owner."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from forecast.errors import ForecastError, LockedError

FOLDER_PATIENCE: Final = 10.0
"""Seconds to wait for another command that writes to a folder; a write takes a fraction of one."""

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5


class NoLocksError(ForecastError):
    """The file system has no locks. A command that writes is refused; one that only reads may go on without a lock."""


def lock_exclusively(descriptor: int, path: Path, *, wait: bool = False) -> bool:
    """Lock an open file or folder until its descriptor is closed; False if another process holds the lock.

    path: how an error names it. wait: until the other process lets go. Raises NoLocksError if the file system has no locks (ENOLCK,
    ENOSYS, or EBADF, with which network disks refuse to lock what is open for reading only).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as e:
        raise NoLocksError(
            f"{path} cannot be locked: {e.strerror or e}. Without a lock two commands could write at once, so nothing was written.",
            "Its file system seems to have no locks, as some network disks; move the workspace to a local disk.",
        ) from e
    return True


def acquire_lock(descriptor: int, path: Path, patience: float) -> bool:
    """Lock an open file or folder, trying again for `patience` seconds; False if another process still holds it. Raises NoLocksError."""
    end = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while not lock_exclusively(descriptor, path):
        if (left := end - time.monotonic()) <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(1.5 * pause, _LONGEST_PAUSE)
    return True


@contextmanager
def folder_lock(folder: Path, patience: float = FOLDER_PATIENCE) -> Iterator[None]:
    """Hold the right to write to a folder for the length of the block. The lock is on the folder itself, so no file is left.

    Raises LockedError if another process keeps it longer than `patience` seconds, NoLocksError where there are no locks.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as e:
        raise ForecastError(f"{folder} could not be opened: {e.strerror or e}.", "Check the folder and its permissions.") from e
    try:
        if not acquire_lock(descriptor, folder, patience):
            raise LockedError(f"Another command is writing to {folder}.", "Wait until it has ended, then try again.")
        yield
    finally:
        os.close(descriptor)  # which frees the lock


@contextmanager
def folder_read_lock(folder: Path) -> Iterator[None]:
    """Keep writers of a folder out while it is read. Where there are no locks nobody can write to it, and no lock is held."""
    with ExitStack() as stack:
        with suppress(NoLocksError):
            stack.enter_context(folder_lock(folder))
        yield
