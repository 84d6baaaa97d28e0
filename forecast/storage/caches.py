"""The cache of compiled code and of drawn charts: a folder of the user's, or a private temporary one if that cannot be written."""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from forecast.errors import StoreError
from forecast.storage.files import MissingError, UnreadableError, read_bounded

CACHE: Final = "FORECAST_CACHE"
FLAGS: Final = "PYTENSOR_FLAGS"
NUMBA: Final = "NUMBA_CACHE_DIR"
CODE: Final = ".code"
"""Ending of the files in which this program keeps code."""
CHARTS: Final = "charts"
_FOLDERS: Final = (CHARTS, "numba", "pytensor")


def cache_folder() -> Path:
    """The folder that compiled code and charts are kept in: $FORECAST_CACHE, or `tolerance-forecast` in $XDG_CACHE_HOME or ~/.cache.

    If it cannot be written, or others could write to it, a private temporary folder, with a warning: code is run from it.
    """
    wanted = _wanted()
    if _made(wanted) and _private(wanted):
        return wanted
    folder = _temporary()
    reason = "can be written by others" if wanted.is_dir() and not _private(wanted) else "cannot be written"
    logging.getLogger(__name__).warning(
        "%s %s, so compiled code and charts are kept in %s; the next command may be slower.", wanted, reason, folder
    )
    return folder


def use_cache_folder(environ: MutableMapping[str, str] = os.environ) -> None:
    """Make PyTensor and Numba keep compiled code in the cache folder. To be called before either is imported; what is set stays."""
    if "pytensor" in sys.modules or (NUMBA in environ and "compiledir" in environ.get(FLAGS, "")):
        return
    folder = cache_folder()
    environ.setdefault(NUMBA, str(folder / "numba"))
    if "compiledir" not in (flags := environ.get(FLAGS, "")):
        environ[FLAGS] = ",".join(filter(None, (flags, f"base_compiledir={folder / 'pytensor'}")))


def _wanted() -> Path:
    if chosen := os.environ.get(CACHE):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~")) / ".cache") / "tolerance-forecast"


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _private(folder: Path) -> bool:
    """The folder is this user's, and nobody else can write to it."""
    try:
        status = folder.stat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _temporary() -> Path:
    """The same folder each time, so that code is compiled once; a new one if others could write to it."""
    folder = Path(tempfile.gettempdir()) / f"forecast-cache-{os.getuid()}"
    if _made(folder) and not folder.is_symlink() and _private(folder):
        return folder
    return Path(tempfile.mkdtemp(prefix="forecast-cache-"))


def read_own(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of this user's that nobody else can write to; MissingError or UnreadableError if there is none."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError) as e:
        raise MissingError("nothing", "a file", "It is made again.") from e
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise UnreadableError("a file that is not this user's alone", "one that is", "It is replaced.")
    return read_bounded(path, limit)


def sizes_of_folders(folder: Path) -> dict[str, int]:
    """What charts and libraries keep in folders of their own: name → bytes, if there is anything."""
    sizes = {name: sum(f.lstat().st_size for f in _files(folder / name)) for name in _FOLDERS}
    return {name: size for name, size in sizes.items() if size}


def clear_cache(folder: Path) -> tuple[int, int]:
    """Remove the compiled code and the charts in the folder; anything else that lies there stays. Number of files removed, and their bytes.

    StoreError if a file cannot be removed. The folders stay, for a process that runs meanwhile and writes there.
    """
    files = [*folder.glob(f"*{CODE}"), *(f for name in _FOLDERS for f in _files(folder / name))]
    size = 0
    for file in files:
        try:
            size += file.lstat().st_size
            file.unlink()
        except FileNotFoundError:  # another process was faster
            continue
        except OSError as e:
            raise StoreError(f"{file} cannot be removed: {e.strerror}.", "Check the permissions of the folder.") from e
    return len(files), size


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()] if folder.is_dir() and not folder.is_symlink() else []
