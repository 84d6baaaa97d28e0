"""Runs on disk: `reports/<run-id>/` is whole or absent, and `reports/latest` points to the last one that was published."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from forecast.data.suggestions import nearest_words
from forecast.errors import ForecastError, StoreError, UsageError
from forecast.runs import ledger, manifest
from forecast.runs.manifest import read_manifest
from forecast.storage import atomic, files, temporary_folder
from forecast.storage.files import UnreadableError, read_bounded
from forecast.storage.text import visible

LATEST: Final = "latest"
_RUN_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
FITTED_IN: Final = "fitted_in"
"""In the manifest of a weighted run: the run whose draws it weights."""
FOLLOWS: Final = "follows"
"""In the manifest of a published run: the one published before it."""
FORECAST: Final = "forecast"
"""The kind of an entry of the ledger that freezes the questions of a run."""

_NO_RUN: Final = "`forecast run` makes one."
_PUBLISH: Final = "`forecast runs publish RUN` publishes another that was kept"


def new_run_id(now: datetime, digest: str) -> str:
    """The id of a run made at `now` (any time zone, not naive) from inputs of this hexadecimal digest: `20261124T141500Z-ab12cd`."""
    if now.tzinfo is None:
        raise ValueError("a run is named by a time with its time zone")
    run_id = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest[:6]}"
    if not is_run_id(run_id):
        raise ValueError(f"{digest!r} is not a hexadecimal digest of at least six characters")
    return run_id


def is_run_id(name: str) -> bool:
    try:
        return _RUN_ID.fullmatch(name) is not None and bool(made_at(name))
    except ValueError:  # digits that are no time
        return False


def made_at(run_id: str) -> datetime:
    """When a run was made, in UTC, as its name says."""
    return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run in the store, and whether it is the published one."""

    run_id: str
    path: Path
    latest: bool


def write_run(reports: Path, run_id: str, write: Callable[[Path], None], meta: Mapping[str, Any]) -> Path:
    """Write a run: `write` fills an empty folder, which gets its manifest and then, in one step, its name. Returns the run's folder.

    Before that step nobody sees it, and if `write` fails or the process dies nothing of it stays. `meta` (what JSON can hold) goes into the
    manifest. It does not become `latest`. Raises ForecastError if it cannot be written, for instance because the disk is full.
    """
    if not is_run_id(run_id):
        raise ValueError(f"{run_id!r} is not the id of a run")
    final = reports / run_id
    with files.explained_write_errors(reports):
        reports.mkdir(parents=True, exist_ok=True)
    temporary_folder.remove_abandoned_stages(reports)
    if final.exists():
        raise ForecastError(f"{final} exists already; a run is never overwritten.", "Run again: a second later the name is another.")
    with temporary_folder.staging_folder(reports, run_id) as folder, files.explained_write_errors(final):
        write(folder)
        manifest.seal(folder, run_id, meta)
        os.rename(folder, final)
        files.sync_to_disk(reports)
    return final


def publish(reports: Path, run_id: str) -> None:
    """Make a run `latest`, once every bit of it is verified. Raises StoreError, leaving `latest` as it was, if the run is damaged.

    The caller holds `lock.publisher`.
    """
    manifest.check(reports / run_id)
    check_movable(reports)
    atomic.replace_link(reports / LATEST, run_id)


def check_movable(reports: Path) -> None:
    """StoreError if something that is no link stands where `latest` is to be, so that nothing can be published."""
    link = reports / LATEST
    if link.exists(follow_symlinks=False) and not link.is_symlink():
        kind = "a folder" if link.is_dir() else "a file"
        raise StoreError(
            f"{link} is not a link but {kind}, so it does not say which run is published.",
            "Move it away. Then `forecast runs publish RUN` publishes a run that was kept.",
        )


def latest(reports: Path) -> Path | None:
    """The folder of the published run, None if none was ever published.

    Raises StoreError if `latest` is no link, points out of the store, or points to what is not a run.
    """
    run_id = _linked(reports)
    if run_id is None:
        return None
    run = reports / run_id
    if not (run / manifest.NAME).is_file():
        raise StoreError(f"{reports / LATEST} points to {run.name}, which is not a run.", f"Restore that run, or {_PUBLISH}.")
    return run


def _linked(reports: Path) -> str | None:
    """The id that `latest` holds. A link to anything but the name of a run beside it was not written by this program."""
    check_movable(reports)
    link = reports / LATEST
    if not link.is_symlink():
        return None
    target = os.readlink(link)
    if not is_run_id(target):
        raise StoreError(f"{link} points to {visible(target)}, which is not a run of this store.", f"Remove the link, then {_PUBLISH}.")
    return target


def lost(reports: Path) -> str | None:
    """The id of the newest run that was written to be published, if `latest` is missing all the same; None if nothing is amiss.

    Raises StoreError if `latest` is there and wrong.
    """
    if latest(reports) is not None:
        return None
    for run in reversed(list_runs(reports)):
        with suppress(StoreError):
            if read_manifest(run.path).meta.get("ledger"):
                return run.run_id
    return None


def list_runs(reports: Path) -> tuple[StoredRun, ...]:
    """All runs in the store, oldest first, damaged ones too; those in the making are not runs."""
    try:
        published = _linked(reports)
    except StoreError:  # then no run is the published one; `latest` says why
        published = None
    found = sorted(p for p in reports.glob("*") if is_run_id(p.name) and p.is_dir())
    return tuple(StoredRun(p.name, p, p.name == published) for p in found)


def resolve(reports: Path, name: str) -> Path:
    """The folder of the run that a person named: `latest`, an id, the beginning of one only, or a path.

    Raises UsageError if no run or several are meant, with the ids that come nearest, StoreError if `latest` points nowhere.
    """
    if name == LATEST:
        if (published := latest(reports)) is None:
            raise UsageError(f"No run was published in {reports} yet.", _NO_RUN)
        return published
    runs = list_runs(reports)
    begin = [run.path for run in runs if name and run.run_id.startswith(name)]
    if len(begin) == 1:
        return begin[0]
    if begin:
        raise UsageError(f"{name!r} may mean {_join(p.name for p in begin)}.", "Write more of the id.")
    path = Path(name)
    if name and (path / manifest.NAME).is_file():
        return path.resolve()
    if name and path.is_dir():
        raise UsageError(f"{name} is a folder, but not a run: it has no {manifest.NAME}.", _NO_RUN)
    if not runs:
        raise UsageError(f"{name!r} is not a run: there is none in {reports} yet.", _NO_RUN)
    near = nearest_words(name, [run.run_id for run in runs], cutoff=0.3) or [run.run_id for run in runs[-3:]]
    raise UsageError(f"{name!r} is not a run in {reports}.", f"The nearest: {_join(near)}. `forecast runs list` shows all.")


def prune(reports: Path, keep: int, needed: Collection[str] = ()) -> tuple[str, ...]:
    """Remove all but the newest `keep` runs; the published one and those needed stay whatever their age. The ids removed.

    The ledger is not touched. The caller holds `lock.publisher`.
    """
    if keep < 0:
        raise ValueError("the number of runs to keep is not negative")
    temporary_folder.remove_abandoned_stages(reports)
    runs = list_runs(reports)
    gone = [run for run in runs[: max(0, len(runs) - keep)] if not run.latest and run.run_id not in needed]
    for run in gone:
        temporary_folder.discard_folder(run.path)
    return tuple(run.run_id for run in gone)


def _join(ids: Iterable[str]) -> str:
    return ", ".join(ids)


@dataclass(frozen=True)
class KeptRun:
    """A run that was fitted, published or not, and its probability of every question by id."""

    run_id: str
    probabilities: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "probabilities": dict(self.probabilities)}


def find_fitted_run(reports: Path, meta: Mapping[str, Any], priors_digest: str, seed: int | None = None) -> KeptRun | None:
    """The newest run fitted by the same model to the same data as a run with this `meta`, under priors with this digest; None if none is.

    seed: only a run with this seed. Runs whose manifest cannot be trusted are passed over, as are those that were weighted, not fitted.
    """
    same = ("data_digest", "model_version")
    asked = (
        {key: meta.get(key) for key in same}
        | {"priors_digest": priors_digest, "fitted_in": None}
        | ({} if seed is None else {"seed": seed})
    )
    if None in (asked["data_digest"], asked["model_version"]):
        return None
    for run in reversed(list_runs(reports)):
        with suppress(StoreError, UnreadableError):
            if priors_digest.encode() not in read_bounded(run.path / manifest.NAME):  # most are of other priors, and not worth verifying
                continue
            found = read_manifest(run.path).meta
            if all(key in found and found[key] == value for key, value in asked.items()) and isinstance(found.get("probabilities"), dict):
                return KeptRun(run.run_id, {str(id_): float(p) for id_, p in found["probabilities"].items()})
    return None


def runs_to_keep(reports: Path) -> frozenset[str]:
    """Ids of the runs that must stay: the published one, the one before it, those whose draws the two weight, and those that were
    published and whose questions are not in the ledger yet.

    Raises StoreError if `latest`, a run of these, or the ledger is damaged, so that nothing is known for certain.
    """
    if (unpublished := lost(reports)) is not None:
        raise StoreError(
            f"`latest` is missing, though run {unpublished} was published, so it is not known which runs are needed.",
            f"`forecast runs publish {unpublished}` sets it again.",
        )
    published = latest(reports)
    if published is None:
        return frozenset()
    pair = [published.name, *([before] if (before := _noted(reports, published.name).get(FOLLOWS)) else [])]
    fits = [fit for run_id in pair if (fit := _noted(reports, run_id).get(FITTED_IN))]
    return frozenset([*pair, *fits, *_not_entered(reports, published.name)])


def _not_entered(reports: Path, latest: str) -> list[str]:
    entered = {entry.content.get("run_id") for entry in ledger.read(reports) if entry.kind == FORECAST}
    waiting: list[str] = []
    at: str | None = latest
    while at is not None and at not in entered and at not in waiting and (reports / at).is_dir():
        waiting.append(at)
        at = _noted(reports, at).get(FOLLOWS)
    return waiting


def _noted(reports: Path, run_id: str) -> dict[str, Any]:
    """What the manifest of a run notes; nothing if the run is gone."""
    run = reports / run_id
    return dict(read_manifest(run).meta) if run.is_dir() else {}
