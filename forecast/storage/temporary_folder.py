"""Folders in the making. A writer holds a lock on its own folder, which the system releases when the writer dies, however it dies.

So whoever can take the lock of such a folder knows that nobody is writing it any more, and sweeps it up. A process id alone would not do:
ids come again, and mean nothing on another machine.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from forecast.storage.locks import NoLocksError, lock_exclusively

_STAGE: Final = ".forecast-stage-"
_OF_ANY_STAGE: Final = _STAGE + 8 * "[0-9a-f]"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder in the system's temporary folder for the length of the block, and for this user alone. OSError if it cannot be made.

    Those of processes that died are removed first. Where the system has no locks nobody sweeps, so that none is needed.
    """
    parent = Path(tempfile.gettempdir())
    sweep_folders(parent, _OF_ANY_STAGE)
    folder, held = new_folder(parent, _STAGE, mode=0o700, lockless=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def new_folder(parent: Path, prefix: str, *, mode: int = 0o777, lockless: bool = False) -> tuple[Path, int]:
    """A new folder, named by the prefix and eight random digits, and an open descriptor that holds its lock.

    lockless: also where the system has no locks; otherwise NoLocksError. Raises OSError if it cannot be made.
    """
    while True:  # another process may sweep the folder before it is locked; then another is made
        folder = parent / f"{prefix}{os.urandom(4).hex()}"
        folder.mkdir(mode)
        try:
            held = _open(folder)
        except FileNotFoundError:
            continue
        try:
            if _locked(held, folder, lockless) and folder.is_dir():
                return folder, held
        except NoLocksError:
            os.close(held)
            folder.rmdir()
            raise
        os.close(held)


def sweep_folders(parent: Path, pattern: str) -> tuple[str, ...]:
    """Remove the folders that dead writers left under names of this pattern; the names of what was removed. Those of the living stay."""
    swept = []
    for left in sorted(parent.glob(pattern)):
        with suppress(OSError):  # it has just been finished, or it is another user's
            held = _open(left)
            try:
                if _locked(held, left, False):
                    shutil.rmtree(left, ignore_errors=True)
                    swept.append(left.name)
            except NoLocksError:  # whether its writer lives cannot be told
                pass
            finally:
                os.close(held)
    return tuple(swept)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _locked(held: int, folder: Path, lockless: bool) -> bool:
    """Whether nobody else holds the lock."""
    try:
        return lock_exclusively(held, folder)
    except NoLocksError:
        if not lockless:
            raise
        return True
