"""Folders in the making in the store, under names that no reader looks at; see `storage.temporary` for who sweeps them."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from forecast.runs.files import cannot_write
from forecast.storage.locks import lock_exclusively
from forecast.storage.temporary_folder import new_folder, sweep_folders

PREFIX: Final = ".tmp-"


@contextmanager
def scratch(parent: Path, name: str) -> Iterator[Path]:
    """A new folder in `parent` that no reader looks at; what is still there at the end of the block is removed.

    Raises ForecastError if `parent` cannot be written.
    """
    with cannot_write(parent):
        folder, held = new_folder(parent, _prefix(name))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def discard(folder: Path) -> None:
    """Remove a folder: it vanishes for readers in one step, and if this process dies half-way the next sweep removes the rest.

    Nothing is made for it, so it works on a full disk too. Raises ForecastError if its parent cannot be written.
    """
    with cannot_write(folder):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            lock_exclusively(held, folder, wait=True)  # whoever has only just finished it lets go at once
            gone = folder.parent / f"{_prefix(folder.name)}{os.urandom(4).hex()}"
            os.rename(folder, gone)
            shutil.rmtree(gone, ignore_errors=True)
        finally:
            os.close(held)


def sweep(reports: Path) -> tuple[str, ...]:
    """Remove what dead writers left behind; the names of what was removed. Folders of living writers stay."""
    return sweep_folders(reports, f"{PREFIX}*")


def _prefix(name: str) -> str:
    """It tells a person who made the folder: `.tmp-<name>-<host>-<process id>-`, with a few random digits to follow."""
    return f"{PREFIX}{name}-{socket.gethostname()}-{os.getpid()}-"
