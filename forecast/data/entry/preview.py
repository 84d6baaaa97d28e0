"""The data as they would be with some files changed, before any file is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from forecast.data.read import read_data
from forecast.data.tables import RECORDS, Data
from forecast.storage.reading import read_bounded
from forecast.storage.temporary_folder import temporary_folder
from forecast.storage.text import decoded

COVERAGE: Final = "coverage.toml"
FILES: Final = (*(record.file for record in RECORDS.values()), COVERAGE, "questions.toml", "scales.toml", "sources.toml")
"""All that a data folder is read from."""


def read_with_changes(folder: Path, contents: Mapping[str, bytes], today: date | None = None) -> Data:
    """The data as they would be read with these files changed: the same reader, on a folder that shows the others as they are."""
    with temporary_folder() as stage:
        for file in FILES:
            if file in contents:
                (stage / file).write_bytes(contents[file])
            else:
                (stage / file).symlink_to((folder / file).resolve())
        return read_data(stage, today)


def moved(folder: Path, file: str, through: date) -> bytes:
    """The bytes of coverage.toml with the day through which `file` is read moved to `through`; comments and all else stay."""
    import tomlkit

    raw = read_bounded(folder / COVERAGE)
    document = tomlkit.parse(decoded(raw, COVERAGE)[0])  # without the byte-order mark
    document[file]["covered_through"] = through
    mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
    return mark + tomlkit.dumps(document).encode("utf-8")
