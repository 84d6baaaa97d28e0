"""The manifest: written last into a run, it lists what the run holds, with digests that reveal any later change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.errors import StoreError
from forecast.runs.manifest_form import MAX_BYTES as MAX_FILE_BYTES
from forecast.runs.manifest_form import check_manifest
from forecast.storage import files
from forecast.storage.files import MissingError, UnreadableError, read_bounded
from forecast.storage.hash_chain import explain_alteration

NAME: Final = "manifest.json"
MAX_BYTES: Final = 16_000_000
"""No manifest is larger: one has twenty kilobytes."""
RESTORE: Final = "Restore the run from a copy; `forecast runs verify` says what else is wrong with it."
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
        files.sync_to_disk(path)
        held[path.relative_to(folder).as_posix()] = {"sha256": files.file_digest(path), "bytes": path.stat().st_size}
    for inner in (p for p in folder.rglob("*") if p.is_dir()):
        files.sync_to_disk(inner)
    body = {"run_id": run_id, "files": held, "meta": dict(meta)}
    text = _text(body)
    check_manifest(body)
    (folder / NAME).write_text(text, encoding="utf-8")
    files.sync_to_disk(folder / NAME)
    files.sync_to_disk(folder)


def read_manifest(run: Path) -> Manifest:
    """The manifest of a run's folder. Raises StoreError if it is missing, unreadable or altered."""
    path = run / NAME
    try:
        raw = read_bounded(path, MAX_BYTES)  # bytes: reading as text would take one kind of line end for another
        if not _as_written(raw):
            raise ValueError(explain_alteration(raw, _as_written))
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


def read_verified(run: Path, name: str, limit: int = MAX_FILE_BYTES, held: Manifest | None = None) -> bytes:
    """The bytes of one file of a run, whose digest is that of the manifest; the other files are not read.

    held: the manifest of the run, if it was read before. Raises StoreError if the manifest does not name the file, or if the file is
    missing, altered or no regular file.
    """
    held = held or read_manifest(run)
    expected = held.digests.get(name)
    if expected is None:
        raise StoreError(f"Run {run.name} holds no {name}.", RESTORE)
    try:
        raw = read_bounded(run / name, min(limit, held.sizes[name]))
    except UnreadableError as e:
        raise StoreError(f"{run / name} cannot be read: {e.found} was found where {e.expected} was expected.", RESTORE) from e
    if hashlib.sha256(raw).hexdigest() != expected:
        raise StoreError(f"{run / name} was altered: its digest is not that of what was written.", RESTORE)
    return raw


def verify(run: Path) -> tuple[str, ...]:
    """All that is wrong with a run, in words: a manifest that cannot be trusted, files that are missing or altered. Empty if it is sound.

    Files that the manifest does not name do not count.
    """
    try:
        held = read_manifest(run)
    except StoreError as e:
        return (e.message,)
    return verify_files(run, held, {})


def verify_files(run: Path, held: Manifest, verified: MutableMapping[str, bytes], keep: Container[str] = ()) -> tuple[str, ...]:
    """All that is wrong with the files of a run, whose manifest was read before.

    verified: bytes by name of files that were verified before and are not read again. Those named in `keep` that are sound are added.
    """
    problems = [] if held.run_id == run.name else [f"{run.name} holds the manifest of run {held.run_id}"]
    for name, expected in held.digests.items():
        if name in verified:
            continue
        raw, problem = _read_whole(run / name, expected, held.sizes[name])
        if problem:
            problems.append(problem)
        elif name in keep:
            verified[name] = raw
    return tuple(problems)


def check(run: Path) -> None:
    """Raises StoreError with all that `verify` finds."""
    refuse(run, verify(run))


def refuse(run: Path, problems: tuple[str, ...]) -> None:
    """Raises StoreError if there are problems, with all of them."""
    if problems:
        raise StoreError("\n  ".join([f"Run {run.name} is damaged:", *problems, _REMEDY]))


def _read_whole(path: Path, expected: str, size: int) -> tuple[bytes, str]:
    """The bytes of a file, and what is wrong with it; empty words if nothing is."""
    try:
        raw = read_bounded(path, max(size, 1))  # an empty file that grew is recognised by its size below
    except MissingError:
        return b"", f"{path} is missing"
    except UnreadableError as e:
        return b"", f"{path} cannot be read: {e.found} was found where {size:,} bytes were written"
    if len(raw) != size:
        return b"", f"{path} has {len(raw):,} bytes; {size:,} were written"
    if hashlib.sha256(raw).hexdigest() != expected:
        return b"", f"{path} was altered: its digest is not that of what was written"
    return raw, ""


def _as_written(raw: bytes) -> bool:
    body = json.loads(raw)
    del body["sha256"]
    return raw.decode() == _text(body)


def _text(body: Mapping[str, Any]) -> str:
    """The one way in which a manifest of this content is written, with its own digest at the end."""
    own = hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()).hexdigest()
    return json.dumps({**body, "sha256": own}, indent=2, ensure_ascii=False) + "\n"
