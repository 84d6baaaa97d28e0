"""One editor of a data folder at a time, so that two additions do not interleave. The lock is on the folder itself: no file is left."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from forecast.errors import ForecastError, LockedError
from forecast.storage.locks import NoLocksError, lock_exclusively

PATIENCE: Final = 10.0
"""Seconds to wait for another editor; a write takes a fraction of one."""


@contextmanager
def editing(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the right to write to the data folder for the length of the block.

    Raises LockedError if another keeps it for too long, NoLocksError where there are no locks.
    """
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as e:
        raise ForecastError(f"{folder} could not be opened: {e.strerror or e}.", "Check the folder and its permissions.") from e
    try:
        end = time.monotonic() + patience
        while not lock_exclusively(held, folder):
            if time.monotonic() >= end:
                raise LockedError(f"Another command is writing to {folder}.", "Wait until it has ended, then try again.")
            time.sleep(0.02)
        yield
    finally:
        os.close(held)  # which frees the lock


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Keep editors of the folder out while it is read; where there are no locks nobody can edit it, and nothing is held."""
    with ExitStack() as held:
        with suppress(NoLocksError):
            held.enter_context(editing(folder))
        yield
