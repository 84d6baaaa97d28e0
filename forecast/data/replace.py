"""Writing data files whole: all of them onto the disk under other names first, then renamed; a failure puts back what was renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from forecast.errors import ForecastError
from forecast.storage.reading import UnreadableError, read_bounded


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Give each file its new bytes, in the order given; a reader sees the old or the new of each, never a part.

    The files are there already. Raises ForecastError, with every file as it was, if one cannot be written.
    """
    made: dict[Path, str] = {}
    done: dict[Path, bytes] = {}
    path = next(iter(contents), None)
    try:
        for path, raw in contents.items():
            made[path] = _beside(path.resolve(), raw)
        for path in contents:
            old = read_bounded(path)
            os.replace(made[path], path.resolve())
            del made[path]
            done[path] = old
    except (OSError, UnreadableError) as e:
        for changed, old in done.items():
            with suppress(OSError):
                os.replace(_beside(changed.resolve(), old), changed.resolve())
        raise ForecastError(
            f"{path} could not be written: {getattr(e, 'strerror', None) or e}.", "The old files stand; check disk and permissions."
        ) from e
    finally:
        for leftover in made.values():
            with suppress(OSError):
                os.unlink(leftover)


def _beside(target: Path, raw: bytes) -> str:
    """A file with these bytes on the disk, in the folder and with the permissions of `target`; returns its path."""
    handle, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(made, target.stat().st_mode & 0o777)
    except BaseException:
        os.unlink(made)
        raise
    return made
