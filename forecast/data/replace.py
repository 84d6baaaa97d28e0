"""Writing data files whole: all of them onto the disk under other names first, then renamed; a failure puts back what was renamed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from forecast.errors import ForecastError
from forecast.storage.atomic_write import sweep_beside, write_beside
from forecast.storage.reading import UnreadableError, read_bounded


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Give each file its new bytes, in the order given; a reader sees the old or the new of each, never a part.

    The files are there already, and the caller holds their folders (`data.lock.editing`): what a killed writer left in them is removed.
    Raises ForecastError, with every file as it was, if one cannot be written.
    """
    made: dict[Path, Path] = {}
    done: dict[Path, bytes] = {}
    path = next(iter(contents), None)
    for folder in {path.resolve().parent for path in contents}:
        sweep_beside(folder)
    try:
        for path, raw in contents.items():
            made[path] = _beside(path, raw)
        for path in contents:
            old = read_bounded(path)
            os.replace(made[path], path.resolve())
            del made[path]
            done[path] = old
    except (OSError, UnreadableError) as e:
        for changed, old in done.items():
            with suppress(OSError):
                os.replace(_beside(changed, old), changed.resolve())
        raise ForecastError(
            f"{path} could not be written: {getattr(e, 'strerror', None) or e}.", "The old files stand; check disk and permissions."
        ) from e
    finally:
        for leftover in made.values():
            with suppress(OSError):
                os.unlink(leftover)


def _beside(path: Path, raw: bytes) -> Path:
    """A file with these bytes, with the permissions of the one it is to replace."""
    target = path.resolve()
    return write_beside(target, raw, target.stat().st_mode & 0o777)
