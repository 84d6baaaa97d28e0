"""Folders in the making. A writer holds a lock on its own folder, which the system releases when the writer dies, however it dies.

So whoever can take the lock of such a folder knows that nobody is writing it any more, and sweeps it up. A process id alone would not do:
ids come again, and mean nothing on another machine.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from forecast.runs.files import cannot_write
from forecast.storage.locks import NoLocksError, lock_exclusively

PREFIX: Final = ".tmp-"


@contextmanager
def scratch(parent: Path, name: str) -> Iterator[Path]:
    """A new folder in `parent` that no reader looks at; what is still there at the end of the block is removed.

    Raises ForecastError if `parent` cannot be written.
    """
    with cannot_write(parent):
        folder, held = _make(parent, name)
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
            gone = folder.parent / _name(folder.name)
            os.rename(folder, gone)
            shutil.rmtree(gone, ignore_errors=True)
        finally:
            os.close(held)


def sweep(reports: Path) -> tuple[str, ...]:
    """Remove what dead writers left behind; the names of what was removed. Folders of living writers stay."""
    swept = []
    for left in sorted(reports.glob(f"{PREFIX}*")):
        try:
            held = _take(left)
        except (OSError, NoLocksError):
            continue  # it has just been finished, or whether its writer lives cannot be told
        if held is None:
            continue  # its writer lives
        shutil.rmtree(left, ignore_errors=True)
        os.close(held)
        swept.append(left.name)
    return tuple(swept)


def _name(name: str) -> str:
    """It tells a person who made it: `.tmp-<name>-<host>-<process id>-<a few random characters>`."""
    return f"{PREFIX}{name}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def _make(parent: Path, name: str) -> tuple[Path, int]:
    """A new folder and its lock. Another process may sweep the folder between the two steps; then another is made."""
    while True:
        folder = parent / _name(name)
        folder.mkdir()
        try:
            held = _take(folder)
        except FileNotFoundError:
            continue
        except (OSError, NoLocksError):
            folder.rmdir()
            raise
        if held is not None:
            if folder.is_dir():
                return folder, held
            os.close(held)


def _take(folder: Path) -> int | None:
    """An open descriptor that holds the folder's lock; None if another process holds it. Raises NoLocksError where there are no locks."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if lock_exclusively(fd, folder):
            return fd
    except NoLocksError:
        os.close(fd)
        raise
    os.close(fd)
    return None
