"""Temporary folders, in the system's own or beside what they are to become, and the removal of those whose writers died.

A writer holds a lock on its folder, which the system releases when the writer dies, however it dies. Whoever can take the lock knows that
the folder is abandoned. A process id alone would not do: ids are used again, and mean nothing on another machine.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from forecast.storage.files import explained_write_errors
from forecast.storage.locks import NoLocksError, lock_exclusively

STAGING_PREFIX: Final = ".tmp-"
"""The names of staging folders begin so, and no reader looks at them."""

_TEMPORARY: Final = ".forecast-stage-"
_TEMPORARY_PATTERN: Final = _TEMPORARY + 8 * "[0-9a-f]"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder in the system's temporary folder, private to this user, for the length of the block. OSError if it cannot be made.

    Those of processes that died are removed first. Where the system has no locks nobody removes any, so that no lock is needed.
    """
    parent = Path(tempfile.gettempdir())
    remove_abandoned_folders(parent, _TEMPORARY_PATTERN)
    folder, descriptor = create_locked_folder(parent, _TEMPORARY, mode=0o700, lockless=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def staging_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder in `parent` for the length of the block, to build `name` in and rename it; what is left in it is then removed.

    Raises ForecastError if `parent` cannot be written.
    """
    with explained_write_errors(parent):
        folder, descriptor = create_locked_folder(parent, _staging_prefix(name))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def discard_folder(folder: Path) -> None:
    """Remove a folder: it vanishes for readers in one step, and if this process dies half-way the rest is removed later.

    It needs no space, so it works on a full disk too. Raises ForecastError if its parent cannot be written.
    """
    with explained_write_errors(folder):
        descriptor = _open(folder)
        try:
            lock_exclusively(descriptor, folder, wait=True)  # a writer that has only just finished it lets go at once
            renamed = folder.parent / f"{_staging_prefix(folder.name)}{os.urandom(4).hex()}"
            os.rename(folder, renamed)
            shutil.rmtree(renamed, ignore_errors=True)
        finally:
            os.close(descriptor)


def create_locked_folder(parent: Path, prefix: str, *, mode: int = 0o777, lockless: bool = False) -> tuple[Path, int]:
    """A new folder, named by the prefix and eight random digits, and an open descriptor that holds its lock.

    lockless: also where the system has no locks; otherwise NoLocksError. Raises OSError if it cannot be made.
    """
    while True:  # another process may remove the folder before it is locked; then another is made
        folder = parent / f"{prefix}{os.urandom(4).hex()}"
        folder.mkdir(mode)
        try:
            descriptor = _open(folder)
        except FileNotFoundError:
            continue
        try:
            if _try_lock(descriptor, folder, lockless) and folder.is_dir():
                return folder, descriptor
        except NoLocksError:
            os.close(descriptor)
            folder.rmdir()
            raise
        os.close(descriptor)


def remove_abandoned_stages(parent: Path) -> tuple[str, ...]:
    """Remove the staging folders that dead writers left in `parent`; returns their names. Those of living writers stay."""
    return remove_abandoned_folders(parent, f"{STAGING_PREFIX}*")


def remove_abandoned_folders(parent: Path, pattern: str) -> tuple[str, ...]:
    """The same for folders whose names match a pattern."""
    removed = []
    for folder in sorted(parent.glob(pattern)):
        with suppress(OSError):  # it has just been finished, or it is another user's
            descriptor = _open(folder)
            try:
                if _try_lock(descriptor, folder, lockless=False):
                    shutil.rmtree(folder, ignore_errors=True)
                    removed.append(folder.name)
            except NoLocksError:  # without locks nobody can say whether its writer lives
                pass
            finally:
                os.close(descriptor)
    return tuple(removed)


def _staging_prefix(name: str) -> str:
    """It tells a person who made the folder: `.tmp-<name>-<host>-<process id>-`."""
    return f"{STAGING_PREFIX}{name}-{socket.gethostname()}-{os.getpid()}-"


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _try_lock(descriptor: int, folder: Path, lockless: bool) -> bool:
    """Whether nobody else holds the lock; `lockless` counts a system without locks as a yes."""
    try:
        return lock_exclusively(descriptor, folder)
    except NoLocksError:
        if not lockless:
            raise
        return True
