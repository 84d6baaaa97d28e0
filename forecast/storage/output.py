"""The writer for a path that a user names: through devices and pipes, along links, and never over a file without --force."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forecast.errors import ForecastError, UsageError
from forecast.storage.atomic import replace_file

_WRITTEN_THROUGH: Final = (stat.S_ISCHR, stat.S_ISFIFO)
"""Kinds of files without content to keep: a terminal, /dev/null, a named pipe."""


@dataclass(frozen=True, slots=True)
class Output:
    """A path that may be written, as `checked` found it.

    target: the path with links resolved. mode: permissions of the existing file, None if there is none. through: whether the path is
    opened and written, not replaced.
    """

    path: Path
    target: Path  # with links resolved
    mode: int | None
    through: bool  # whether it is opened and written, not replaced

    @classmethod
    def checked(cls, path: Path, *, force: bool, kept: Iterable[Path]) -> Output:
        """Check a path before any work is done; nothing is written or opened.

        kept: folders that only the program writes to. Raises UsageError for a path in one of them, for an existing file (unless `force`),
        and for a path that cannot be a file or cannot be inspected.
        """
        try:
            target = Path(os.path.realpath(path))
            _refuse_inside(path, target, kept)
            try:
                status = os.stat(path)
            except FileNotFoundError:
                return cls(path, _new(path, target), None, False)
        except (OSError, ValueError) as e:  # ValueError: a path with a NUL
            raise UsageError(f"{_short(path)} cannot be written: {_reason(e)}.", "Name another file.") from e
        if any(test(status.st_mode) for test in _WRITTEN_THROUGH):
            return cls(path, target, None, True)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is not a file that can be written to.", "Name a file.")
        if not force:
            raise UsageError(f"{path} exists already; it was left as it is.", "Name another file, or add --force to write over it.")
        known = target.exists() and os.path.samestat(status, os.stat(target))
        return cls(path, target, stat.S_IMODE(status.st_mode), not known)

    def write(self, text: str) -> None:
        """Write the text in UTF-8; a regular file is replaced atomically and keeps its permissions. Raises ForecastError if that fails."""
        try:
            if self.through:
                self._write_through(text.encode())
            else:
                replace_file(self.target, text.encode(), self.mode)
        except OSError as e:
            raise ForecastError(f"{self.path} could not be written: {_reason(e)}.", "Check the disk and the permissions.") from e

    def _write_through(self, content: bytes) -> None:
        with open(os.open(self.path, os.O_WRONLY | os.O_TRUNC), "wb") as file:
            file.write(content)


def _refuse_inside(path: Path, target: Path, kept: Iterable[Path]) -> None:
    for folder in kept:
        if target.is_relative_to(os.path.realpath(folder)):
            raise UsageError(f"{path} is inside {folder}, where only the program's own files belong.", "Name a file elsewhere.")


def _new(path: Path, target: Path) -> Path:
    if not target.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {target.parent}.", "Make the folder, or name another file.")
    return target


def _short(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _reason(e: OSError | ValueError) -> str:
    return (e.strerror if isinstance(e, OSError) else None) or str(e)
