"""Locks that the system keeps for as long as their owner lives; and what to say where a file system has none."""

from __future__ import annotations

import fcntl
from pathlib import Path

from forecast.errors import ForecastError


class NoLocksError(ForecastError):
    """The file system keeps no locks. Whoever writes is refused; whoever only reads may go on without one."""


def lock_exclusively(descriptor: int, path: Path, *, wait: bool = False) -> bool:
    """Lock an open file or folder until its descriptor is closed; False if another process holds the lock. wait: until it lets go.

    path: how to call it in an error. Raises NoLocksError if the file system has no such locks (ENOLCK, ENOSYS, or EBADF, by which network
    disks refuse to lock what is open for reading only).
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
