"""One file of a run, held against the digest that the manifest keeps of it, without reading the rest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from forecast.errors import StoreError
from forecast.runs import manifest
from forecast.runs.manifest_form import MAX_BYTES
from forecast.storage.reading import UnreadableError, read_bounded

REMEDY: Final = "Restore the run from a copy; `forecast runs verify` says what else is wrong with it."


def read_verified(run: Path, name: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file of a run. Raises StoreError if the manifest does not name it, or the file is missing, altered or no file."""
    held = manifest.read_manifest(run)
    expected = held.digests.get(name)
    if expected is None:
        raise StoreError(f"Run {run.name} holds no {name}.", REMEDY)
    try:
        raw = read_bounded(run / name, min(limit, held.sizes[name]))
    except UnreadableError as e:
        raise StoreError(f"{run / name} cannot be read: {e.found} was found where {e.expected} was expected.", REMEDY) from e
    if hashlib.sha256(raw).hexdigest() != expected:
        raise StoreError(f"{run / name} was altered: its digest is not that of what was written.", REMEDY)
    return raw
