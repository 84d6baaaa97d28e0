"""Files in the making, beside the files they are to replace, and what dead writers left of them."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".tmp"
_LEFT: Final = re.compile(r"\..+\.[a-z0-9_]{8}" + re.escape(_SUFFIX))


def write_beside(target: Path, raw: bytes, mode: int) -> Path:
    """A new file with these bytes on the disk, in the folder of `target`, to be renamed to it. OSError if it cannot be written."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=_SUFFIX)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)


def sweep_beside(folder: Path) -> None:
    """Remove what writers that were killed left in a folder. The caller is the only writer there, so none of it is of a living one."""
    with suppress(OSError):
        for path in folder.iterdir():
            if _LEFT.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                path.unlink()
