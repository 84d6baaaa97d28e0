"""One editor of a data folder at a time, so that two additions do not interleave. The lock is on the folder itself: no file is left."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from forecast.errors import ForecastError, LockedError

PATIENCE: Final = 10.0
"""Seconds to wait for another editor; a write takes a fraction of one."""


@contextmanager
def editing(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the right to write to the data folder for the length of the block. Raises LockedError if another keeps it for too long."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as e:
        raise ForecastError(f"{folder} could not be opened: {e.strerror or e}.", "Check the folder and its permissions.") from e
    try:
        end = time.monotonic() + patience
        while not _taken(held):
            if time.monotonic() >= end:
                raise LockedError(f"Another command is writing to {folder}.", "Wait until it has ended, then try again.")
            time.sleep(0.02)
        yield
    finally:
        os.close(held)  # which frees the lock


def _taken(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
