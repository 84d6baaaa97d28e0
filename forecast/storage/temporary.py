"""A folder in the system's temporary folder. Its writer holds a lock on it, which the system releases when the writer dies.

So whoever can take the lock of such a folder knows that nobody uses it any more, and removes it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from forecast.storage.locks import NoLocksError, lock_exclusively

_PREFIX: Final = ".forecast-stage-"
_NAME: Final = re.compile(re.escape(_PREFIX) + "[a-z0-9_]{8}")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder for the length of the block. Those of processes that died are removed first. OSError if it cannot be made."""
    _sweep(Path(tempfile.gettempdir()))
    folder, held = _make()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _make() -> tuple[Path, int]:
    """A new folder and an open descriptor that holds its lock. Another process may sweep it between the two steps; then another is made."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with suppress(FileNotFoundError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            if _locked(held, folder) and folder.is_dir():
                return folder, held
            os.close(held)


def _locked(held: int, folder: Path) -> bool:
    """Whether nobody else holds the lock. Where the system has no locks, nobody sweeps either."""
    try:
        return lock_exclusively(held, folder)
    except NoLocksError:
        return True


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError, NoLocksError):
            if _NAME.fullmatch(left.name) and left.lstat().st_uid == os.getuid():
                held = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    if lock_exclusively(held, left):
                        shutil.rmtree(left, ignore_errors=True)
                finally:
                    os.close(held)
