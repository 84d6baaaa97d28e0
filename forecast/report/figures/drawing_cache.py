"""Drawings kept between processes, so that a page made again draws nothing and does not even import the chart library.

A file of the cache holds the drawings of one page. Its name is a digest of everything that they depend on: what the page shows, the source
of this program, and the versions of the libraries. It is used only if it is the user's own and its digest is right.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from forecast.storage.atomic import replace_file
from forecast.storage.caches import CHARTS, cache_folder, read_own
from forecast.storage.files import MissingError, UnreadableError

KEPT: Final = 32
"""Pages whose drawings are kept; of more than these the oldest are removed. One of a report takes half a megabyte."""
_LIMIT: Final = 20_000_000
_LOG: Final = logging.getLogger(__name__)


def kept_drawings(inputs: str, draw: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The SVG elements that `draw` makes, by name: from the cache if it has those of the same inputs, else drawn and kept.

    inputs: all data that the drawings depend on, as text.
    """
    folder = cache_folder() / CHARTS
    path = folder / f"{_digest(inputs, _code())}.json"
    try:
        return _checked(read_own(path, _LIMIT))
    except MissingError:
        pass
    except UnreadableError as e:
        _LOG.warning("%s is not used, and the charts are drawn again: %s", path, e)
    drawings = draw()
    _keep(path, drawings)
    return drawings


def _checked(raw: bytes) -> dict[str, str]:
    """UnreadableError if the file is not as it was written."""
    digest, _, text = raw.partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise UnreadableError("other bytes than were written", "those", "It is replaced.")
    drawings: dict[str, str] = json.loads(text)
    return drawings


def _keep(path: Path, drawings: dict[str, str]) -> None:
    """Write a file of the cache, for this user alone. If that fails the next page draws again."""
    text = json.dumps(drawings).encode()
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(path, hashlib.sha256(text).hexdigest().encode() + b"\n" + text, 0o600)
        for entry in sorted(os.scandir(path.parent), key=_age, reverse=True)[KEPT:]:
            Path(entry).unlink(missing_ok=True)
    except OSError as e:
        _LOG.warning("%s cannot be written, so the next page draws its charts again: %s.", path, e.strerror)


def _age(entry: os.DirEntry[str]) -> int:
    """When a file was last written; 0 if another process has just removed it."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return 0


@cache
def _code() -> str:
    """Digest of this program's source and of the versions of the libraries that draw."""
    package = Path(__file__).parents[2]
    sources = [str(file.relative_to(package)) + file.read_text(encoding="utf-8") for file in sorted(package.rglob("*.py"))]
    return _digest(*sources, *(importlib.metadata.version(name) for name in ("altair", "vl-convert-python")))


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
