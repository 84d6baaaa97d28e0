"""Atomic writes: a reader sees the old file or the new one, never a part, whatever kills the writer.

New bytes go to a temporary file beside the target, reach the disk, and are then renamed. The next writer removes what a killed one left.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from forecast.errors import ForecastError
from forecast.storage.files import UnreadableError, explained_write_errors, read_bounded, sync_to_disk
from forecast.storage.locks import folder_lock
from forecast.storage.temporary_folder import staging_folder

_SUFFIX: Final = ".tmp"
_LEFTOVER: Final = re.compile(r"\..+\.[a-z0-9_]{8}" + re.escape(_SUFFIX))
_NAME_LENGTH: Final = 50
"""Characters kept of a file's name: at four bytes each, the temporary name still fits every file system."""

_UNCHANGED: Final = "The old files are unchanged; check the disk and its permissions."


def replace_file(target: Path, raw: bytes, mode: int | None) -> None:
    """Give a file new bytes. OSError, with the old bytes still there, if that fails.

    mode: its permissions; None for those that the system gives a new file.
    """
    temporary = _write_temporary(target, raw, mode)
    try:
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_text(path: Path, text: str) -> None:
    """Give a text file a new text, on the disk when this returns; links are followed and permissions kept.

    The caller holds the folder (`locks.folder_lock`): leftovers in it are removed. ForecastError if the file cannot be written.
    """
    with explained_write_errors(path, _UNCHANGED):
        target = path.resolve()
        remove_leftovers(target.parent)
        replace_file(target, text.encode(), target.stat().st_mode & 0o777 if target.exists() else None)
        sync_to_disk(target.parent)


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Give each of several existing files its new bytes, in the order given: all of them, or none.

    The caller holds their folders (`locks.folder_lock`): leftovers in them are removed. ForecastError, with every file as it was, if one
    cannot be written.
    """
    temporary: dict[Path, Path] = {}
    replaced: dict[Path, bytes] = {}
    path = next(iter(contents), None)
    for folder in {path.resolve().parent for path in contents}:
        remove_leftovers(folder)
    try:
        for path, raw in contents.items():
            temporary[path] = _write_beside(path, raw)
        for path in contents:
            old = read_bounded(path)
            os.replace(temporary[path], path.resolve())
            del temporary[path]
            replaced[path] = old
    except (OSError, UnreadableError) as e:
        for changed, old in replaced.items():
            with suppress(OSError):
                os.replace(_write_beside(changed, old), changed.resolve())
        raise ForecastError(f"{path} could not be written: {getattr(e, 'strerror', None) or e}.", _UNCHANGED) from e
    finally:
        for leftover in temporary.values():
            with suppress(OSError):
                os.unlink(leftover)


def create_file(path: Path, raw: bytes) -> None:
    """Write a file that does not exist yet, and its folder if that is missing. The folder is locked meanwhile.

    Raises FileExistsError if the file exists, OSError if its name is too long, ForecastError if it cannot be written.
    """
    try:
        path.parent.mkdir(exist_ok=True)
        with folder_lock(path.parent):
            remove_leftovers(path.parent)
            temporary = _write_temporary(path, raw, 0o644)
            try:
                os.link(temporary, path)  # unlike a rename, it fails where the name is taken
            finally:
                temporary.unlink()
    except OSError as e:
        if e.errno in (errno.EEXIST, errno.ENAMETOOLONG):
            raise
        raise ForecastError(f"{path} could not be written: {e.strerror or e}.", "Check the disk and the permissions.") from e


def replace_link(link: Path, target: str) -> None:
    """Make a symbolic link point to `target`, relative to its folder. ForecastError if it cannot be written."""
    with staging_folder(link.parent, link.name) as folder, explained_write_errors(link):
        staged = folder / link.name
        staged.symlink_to(target)
        os.replace(staged, link)
        sync_to_disk(link.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed writers left in a folder. The caller must be the only writer there."""
    with suppress(OSError):
        for path in folder.iterdir():
            if is_leftover(path):
                path.unlink()


def is_leftover(path: Path) -> bool:
    """Whether a path is a temporary file of a writer, living or killed."""
    return bool(_LEFTOVER.fullmatch(path.name)) and path.is_file() and not path.is_symlink()


def _write_temporary(target: Path, raw: bytes, mode: int | None) -> Path:
    """A new file in the folder of `target` with these bytes, which are on the disk. OSError if it cannot be written."""
    path = target.with_name(f".{target.name[:_NAME_LENGTH]}.{os.urandom(4).hex()}{_SUFFIX}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return path


def _write_beside(path: Path, raw: bytes) -> Path:
    """The same for an existing file, along links, with its permissions."""
    target = path.resolve()
    return _write_temporary(target, raw, target.stat().st_mode & 0o777)
