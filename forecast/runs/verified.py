"""One file of a run, held against the digest that the manifest keeps of it, without reading the rest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from forecast.errors import StoreError
from forecast.runs import manifest

_REMEDY: Final = "Restore the run from a copy; `forecast runs verify` says what else is wrong with it."


def read_verified(run: Path, name: str) -> bytes:
    """The bytes of a file of a run. Raises StoreError if the manifest does not name it, or the file is missing or altered."""
    expected = manifest.read_manifest(run).digests.get(name)
    if expected is None:
        raise StoreError(f"Run {run.name} holds no {name}.", _REMEDY)
    try:
        raw = (run / name).read_bytes()
    except OSError as e:
        raise StoreError(f"{run / name} cannot be read: {e.strerror or e}.", _REMEDY) from e
    if hashlib.sha256(raw).hexdigest() != expected:
        raise StoreError(f"{run / name} was altered: its digest is not that of what was written.", _REMEDY)
    return raw
