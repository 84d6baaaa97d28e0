"""Whether anybody tampered with the ledger: its hash chain, the heads that runs noted, and the entries of the runs themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from forecast.errors import StoreError
from forecast.jobs.questions.freeze import forecast_entry, parse_question_ledger, published_runs
from forecast.report.files import load_document
from forecast.runs import ledger, manifest, publication_lock, store
from forecast.runs.ledger import Entry, Head
from forecast.runs.store import FORECAST

MAX_WAIT_SECONDS: Final = 10.0
"""How long to wait for a publisher that is entering its run, which takes a fraction of a second."""
_PAUSE: Final = 0.2


@dataclass(frozen=True)
class LedgerAudit:
    """The result of a check of the ledger.

    head: number of entries and last digest. runs: number of runs compared with their entries.
    problems: signs of tampering or damage. notes: what is unusual but not wrong.
    """

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


def verify_ledger(reports: Path, earlier: Head | None = None) -> LedgerAudit:
    """Look for every kind of tampering. earlier: a head noted elsewhere, which must still be in the chain.

    If somebody rewrites the ledger, all manifests and all reports with their digests, only such a head reveals it. A publisher that has
    moved `latest` but not entered the run yet looks like tampering, so problems count only if nobody is publishing, or after
    MAX_WAIT_SECONDS.
    """
    end = time.monotonic() + MAX_WAIT_SECONDS
    while (audit := _verify_once(reports, earlier)).problems:
        with publication_lock.looking(reports) as publisher:
            if publisher is None or time.monotonic() > end:
                return _verify_once(reports, earlier)
        time.sleep(_PAUSE)
    return audit


def _verify_once(reports: Path, earlier: Head | None) -> LedgerAudit:
    broken = ledger.verify(reports)
    if broken:
        return LedgerAudit(Head(0, ""), 0, broken, ())
    entries = ledger.read(reports)
    problems: list[str] = []
    notes = list(_clock_notes(entries))
    if ledger.lags(reports):
        notes.append(
            "the head is one entry behind: a command was killed while writing, or the entry was added by hand; the next entry mends it"
        )
    try:
        for question in parse_question_ledger(entries).questions.values():
            notes += [f"entry {n} words {question.id} differently, so it is not scored as an answer to it" for n in question.reworded]
    except StoreError as e:
        problems.append(e.message)
    if earlier is not None and not _contains_head(entries, earlier):
        problems.append(f"the chain does not contain the head given: {earlier.entries} entries, the last {earlier.digest[:12]}…")
    problems += _noted_heads(reports, entries)
    problems += _missing_runs(reports, entries)
    compared = [
        (run, entry) for entry in entries if entry.kind == FORECAST and (run := reports / str(entry.content.get("run_id"))).is_dir()
    ]
    for run, entry in compared:
        problems += _differences(run, entry)
    return LedgerAudit(ledger.head_of(entries), len(compared), tuple(problems), tuple(notes))


def _contains_head(entries: Sequence[Entry], earlier: Head) -> bool:
    """As `ledger.holds`, for a digest of which only the beginning may be given."""
    if earlier.entries > len(entries):
        return False
    return ledger.head_of(entries[: earlier.entries]).digest.startswith(earlier.digest)


def _noted_heads(reports: Path, entries: Sequence[Entry]) -> Iterator[str]:
    """Problems with the heads of the ledger that runs noted when they were made."""
    for run in store.list_runs(reports):
        try:
            noted = manifest.read_manifest(run.path).meta.get("ledger")
        except StoreError as e:
            yield f"the head that run {run.run_id} noted cannot be read: {e.message}"
            continue
        if noted and not ledger.holds(entries, Head(int(noted["entries"]), str(noted["digest"]))):
            yield f"run {run.run_id} noted {noted['entries']} entries, the last {str(noted['digest'])[:12] or 'none'}…, not in the ledger"


def _missing_runs(reports: Path, entries: Sequence[Entry]) -> Iterator[str]:
    entered = {entry.content.get("run_id") for entry in entries if entry.kind == FORECAST}
    try:
        for run in published_runs(reports):
            if run.name not in entered and "baselines" in load_document(run):
                yield (
                    f"run {run.name} is published, but its questions are not in the ledger: they were removed, "
                    "or a command was killed while publishing (then the next `forecast refit` enters them)"
                )
    except StoreError as e:
        yield f"the published runs cannot be listed: {e.message}"


def _differences(run: Path, entry: Entry) -> Iterator[str]:
    """Problems of an entry that is not what its run gives on that day."""
    try:
        expected = forecast_entry(run, entry.created)
    except StoreError as e:
        yield f"entry {entry.number} cannot be compared: {e}"
        return
    if expected != dict(entry.content):
        keys = sorted(set(expected or {}) | set(entry.content))
        differ = ", ".join(key for key in keys if (expected or {}).get(key) != entry.content.get(key))
        yield f"entry {entry.number} differs from run {run.name}: {differ}"


def _clock_notes(entries: Sequence[Entry]) -> Iterator[str]:
    for before, after in pairwise(entries):
        if after.created < before.created:
            yield f"entry {after.number} has an earlier time than entry {before.number}; it counts as made at the same time"
