"""Files in the making, beside the files they are to replace, and what dead writers left of them."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".tmp"
_LEFT: Final = re.compile(r"\..+\.[a-z0-9_]{8}" + re.escape(_SUFFIX))
_NAME: Final = 50  # characters of the name that are kept: with four bytes each and all that is added, no system finds it too long


def write_beside(target: Path, raw: bytes, mode: int | None) -> Path:
    """A new file with these bytes on the disk, in the folder of `target`, to be renamed to it. OSError if it cannot be written.

    mode: its permissions; None for those that the system gives a new file.
    """
    path = target.with_name(f".{target.name[:_NAME]}.{os.urandom(4).hex()}{_SUFFIX}")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return path


def replace_whole(target: Path, raw: bytes, mode: int | None) -> None:
    """Give a file new bytes; a reader sees the old ones or the new, never a part. OSError, with the old ones left, if that fails."""
    made = write_beside(target, raw, mode)
    try:
        os.replace(made, target)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def sweep_beside(folder: Path) -> None:
    """Remove what writers that were killed left in a folder. The caller is the only writer there, so none of it is of a living one."""
    with suppress(OSError):
        for path in folder.iterdir():
            if _LEFT.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                path.unlink()
