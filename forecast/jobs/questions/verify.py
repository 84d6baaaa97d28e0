"""Whether the ledger is what it was: its own chain, the heads that runs noted when they were made, and the runs that it says it froze."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from forecast.errors import StoreError
from forecast.jobs.questions.freeze import book_of, frozen, published
from forecast.report.files import load_document
from forecast.runs import ledger, manifest, publication_lock, store
from forecast.runs.ledger import Entry, Head
from forecast.runs.store import FORECAST

PATIENCE: Final = 10.0
"""Seconds to wait for a publisher to enter its run, which takes it a fraction of one."""
_PAUSE: Final = 0.2


@dataclass(frozen=True)
class Audit:
    """The head as it stands, all that is wrong, and what is odd without being wrong. `runs`: how many were compared with their entries."""

    head: Head
    runs: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "entries": self.head.entries,
            "digest": self.head.digest,
            "runs": self.runs,
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


def audit(reports: Path, earlier: Head | None = None) -> Audit:
    """Look for every kind of tampering. `earlier`: a head noted elsewhere, which must still be in the chain.

    Whoever rewrites the ledger, every manifest and every report together, digests and all, is seen only by such a head. Between moving
    `latest` and entering the run, a publisher leaves what looks like tampering: what is found counts if it is still there when nobody
    publishes, or after PATIENCE seconds.
    """
    end = time.monotonic() + PATIENCE
    while (found := _audit(reports, earlier)).problems:
        with publication_lock.looking(reports) as publisher:
            if publisher is None or time.monotonic() > end:
                return _audit(reports, earlier)
        time.sleep(_PAUSE)
    return found


def _audit(reports: Path, earlier: Head | None) -> Audit:
    broken = ledger.verify(reports)
    if broken:
        return Audit(Head(0, ""), 0, broken, ())
    entries = ledger.read(reports)
    problems: list[str] = []
    notes = list(_odd(entries))
    if ledger.lags(reports):
        notes.append(
            "the head is one entry behind: a command was killed as it wrote, or the entry was put in by hand; the next one mends it"
        )
    try:
        for asked in book_of(entries).questions.values():
            notes += [f"entry {n} puts {asked.id} in other words: it is scored as no answer to it" for n in asked.reworded]
    except StoreError as e:
        problems.append(e.message)
    if earlier is not None and not _holds(entries, earlier):
        problems.append(f"it does not go on from the head that was noted: {earlier.entries} entries, the last {earlier.digest[:12]}…")
    problems += _anchors(reports, entries)
    problems += _missing(reports, entries)
    compared = [
        (run, entry) for entry in entries if entry.kind == FORECAST and (run := reports / str(entry.content.get("run_id"))).is_dir()
    ]
    for run, entry in compared:
        problems += _differs(run, entry)
    return Audit(ledger.head_of(entries), len(compared), tuple(problems), tuple(notes))


def _holds(entries: Sequence[Entry], earlier: Head) -> bool:
    """As `ledger.holds`, for a digest that may be cut short."""
    if earlier.entries > len(entries):
        return False
    return ledger.head_of(entries[: earlier.entries]).digest.startswith(earlier.digest)


def _anchors(reports: Path, entries: Sequence[Entry]) -> Iterator[str]:
    """Every run notes the head of the ledger when it is made."""
    for run in store.list_runs(reports):
        try:
            noted = manifest.read_manifest(run.path).meta.get("ledger")
        except StoreError as e:
            yield f"run {run.run_id} can't bear witness: {e.message}"
            continue
        if noted and not ledger.holds(entries, Head(int(noted["entries"]), str(noted["digest"]))):
            yield f"run {run.run_id} saw {noted['entries']} entries, the last {str(noted['digest'])[:12] or 'none'}…: they are not there"


def _missing(reports: Path, entries: Sequence[Entry]) -> Iterator[str]:
    entered = {entry.content.get("run_id") for entry in entries if entry.kind == FORECAST}
    try:
        for run in published(reports):
            if run.name not in entered and "baselines" in load_document(run):
                yield (
                    f"run {run.name} is published, but its questions are not in the ledger: taken out, "
                    "or a command was killed as it published (then the next `forecast refit` enters them)"
                )
    except StoreError as e:
        yield f"the published runs can't be followed: {e.message}"


def _differs(run: Path, entry: Entry) -> Iterator[str]:
    """An entry must be what its run gives when it is entered on that day."""
    try:
        made = frozen(run, entry.created)
    except StoreError as e:
        yield f"entry {entry.number} can't be compared: {e}"
        return
    if made != dict(entry.content):
        keys = sorted(set(made or {}) | set(entry.content))
        differ = ", ".join(key for key in keys if (made or {}).get(key) != entry.content.get(key))
        yield f"entry {entry.number} does not say what run {run.name} says: {differ}"


def _odd(entries: Sequence[Entry]) -> Iterator[str]:
    for before, after in pairwise(entries):
        if after.created < before.created:
            yield f"entry {after.number} was made by a clock behind that of entry {before.number}; it counts as made with it"
