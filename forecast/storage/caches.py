"""The cache of compiled code: in the home folder, or in a temporary folder if that cannot be written."""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

FLAGS: Final = "PYTENSOR_FLAGS"
NUMBA: Final = "NUMBA_CACHE_DIR"


def use_writable_caches(environ: MutableMapping[str, str] = os.environ) -> None:
    """Make PyTensor and Numba keep compiled code in a temporary folder if the home folder cannot be written; a warning is logged.

    To be called before either is imported. Nothing is changed afterwards, or if PYTENSOR_FLAGS names a folder.
    """
    flags = environ.get(FLAGS, "")
    usual = Path(os.path.expanduser("~")) / ".pytensor"
    if "pytensor" in sys.modules or "compiledir" in flags or _writable(usual):
        return
    folder = _temporary()
    environ[FLAGS] = ",".join(filter(None, (flags, f"base_compiledir={folder / 'pytensor'}")))
    environ.setdefault(NUMBA, str(folder / "numba"))
    logging.getLogger(__name__).warning("%s cannot be written, so compiled code is kept in %s; the next fit may be slower.", usual, folder)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _temporary() -> Path:
    """The same folder each time, so that code is compiled once; a new one if others could write to it, since code is run from it."""
    folder = Path(tempfile.gettempdir()) / f"forecast-cache-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="forecast-cache-"))
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
    return folder if private else Path(tempfile.mkdtemp(prefix="forecast-cache-"))
