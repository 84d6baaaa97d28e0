"""The manifest: written last into a run, it says what the run holds and makes any later change of a bit visible."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.errors import StoreError
from forecast.runs import files
from forecast.runs.manifest_form import check_manifest
from forecast.storage.line_ends import alteration
from forecast.storage.reading import MissingError, UnreadableError, read_bounded

NAME: Final = "manifest.json"
MAX_BYTES: Final = 16_000_000
"""No manifest is larger: one has twenty kilobytes."""
_REMEDY: Final = "Restore the run from a copy, or move its folder out of reports/ and run again."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run holds: SHA-256 and size in bytes of each file by its name in the run's folder, and what the writer noted of the run."""

    run_id: str
    digests: Mapping[str, str]
    sizes: Mapping[str, int]
    meta: Mapping[str, Any]


def seal(folder: Path, run_id: str, meta: Mapping[str, Any]) -> None:
    """Bring every file of a finished folder to disk and write the manifest last. ValueError for what a manifest cannot say."""
    held = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        files.sync(path)
        held[path.relative_to(folder).as_posix()] = {"sha256": files.digest(path), "bytes": path.stat().st_size}
    for inner in (p for p in folder.rglob("*") if p.is_dir()):
        files.sync(inner)
    body = {"run_id": run_id, "files": held, "meta": dict(meta)}
    text = _text(body)
    check_manifest(body)
    (folder / NAME).write_text(text, encoding="utf-8")
    files.sync(folder / NAME)
    files.sync(folder)


def read_manifest(run: Path) -> Manifest:
    """The manifest of a run's folder. Raises StoreError if it is missing, unreadable or altered."""
    path = run / NAME
    try:
        raw = read_bounded(path, MAX_BYTES)  # bytes: reading as text would take one kind of line end for another
        if not _as_written(raw):
            raise ValueError(alteration(raw, _as_written))
        body = json.loads(raw)
        check_manifest(body)
    except MissingError:
        raise StoreError(f"{run} has no {NAME}: it is not a finished run.", _REMEDY) from None
    except UnreadableError as e:
        raise StoreError(f"{path} cannot be read: {e.found} was found where {e.expected} was expected.", _REMEDY) from e
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise StoreError(f"{path} cannot be trusted: {e}.", _REMEDY) from e
    held = body["files"]
    return Manifest(
        run_id=body["run_id"],
        digests={name: entry["sha256"] for name, entry in held.items()},
        sizes={name: entry["bytes"] for name, entry in held.items()},
        meta=body["meta"],
    )


def verify(run: Path) -> tuple[str, ...]:
    """All that is wrong with a run, in words: a manifest that cannot be trusted, files that are missing or altered. Empty if it is sound.

    Files that the manifest does not name are none of its business.
    """
    try:
        manifest = read_manifest(run)
    except StoreError as e:
        return (e.message,)
    problems = [] if manifest.run_id == run.name else [f"{run.name} holds the manifest of run {manifest.run_id}"]
    for name, expected in manifest.digests.items():
        problems += _altered(run / name, expected, manifest.sizes[name])
    return tuple(problems)


def check(run: Path) -> None:
    """Raises StoreError with all that `verify` found."""
    if problems := verify(run):
        raise StoreError("\n  ".join([f"Run {run.name} is damaged:", *problems, _REMEDY]))


def _altered(path: Path, expected: str, size: int) -> list[str]:
    try:
        raw = read_bounded(path, max(size, 1))  # of an empty file a longer one is told by its size below
    except MissingError:
        return [f"{path} is missing"]
    except UnreadableError as e:
        return [f"{path} cannot be read: {e.found} was found where {size:,} bytes were written"]
    if len(raw) != size:
        return [f"{path} has {len(raw):,} bytes; {size:,} were written"]
    return [] if hashlib.sha256(raw).hexdigest() == expected else [f"{path} was altered: its digest is not that of what was written"]


def _as_written(raw: bytes) -> bool:
    body = json.loads(raw)
    del body["sha256"]
    return raw.decode() == _text(body)


def _text(body: Mapping[str, Any]) -> str:
    """The one way in which a manifest of this content is written, with its own digest at the end."""
    own = hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()).hexdigest()
    return json.dumps({**body, "sha256": own}, indent=2, ensure_ascii=False) + "\n"
