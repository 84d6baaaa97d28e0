"""The inputs of a run beside it: every file of data/ and priors/ as it was read, byte for byte, in `<run>/inputs/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = "inputs"


def write_inputs(folder: Path, snapshot: Mapping[str, bytes]) -> None:
    """Write the files of a snapshot ("data/events.csv" → bytes) below `folder`/inputs."""
    for name, raw in snapshot.items():
        path = folder / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
