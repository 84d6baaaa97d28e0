"""`forecast runs publish`: a run that was kept becomes the published one again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from forecast.errors import ForecastError, GateError, StoreError, UsageError
from forecast.jobs.publish import check_clock, finish_publication
from forecast.jobs.saved_run import SavedRun
from forecast.runs import ledger, publication_lock, store
from forecast.runs.store import FORECAST


@dataclass(frozen=True)
class Republished:
    """The run that is published now, the one that was before (None if none was, or `latest` was lost), and what the ledger got.

    questions: how many questions entered the ledger; 0 if the run's are in it already, or their windows have ended. troubles: what went
    wrong once the run was published.
    """

    run_id: str
    before: str | None
    questions: int
    troubles: tuple[ForecastError, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "before": self.before, "questions_entered": self.questions}


def republish(reports: Path, name: str, clock: Callable[[], datetime]) -> Republished:
    """Make a run of the store `latest`, and enter its questions in the ledger as those of any published run.

    Raises UsageError for a name that means no run of this store or a run as of an earlier day, StoreError for a damaged one, InputError for
    one of another version, GateError for one that did not pass the gate, and LockedError while another publishes; `latest` then stays.
    """
    with publication_lock.publisher(reports, "forecast runs publish", clock()) as held:
        check_clock(reports, clock())
        run = SavedRun(_of_store(reports, name))
        _check(run)
        before = _published(reports)
        store.check_movable(reports)
        finish_publication(reports, clock())  # what the published run still has to enter, it enters first; what fails is reported below
        held.check()
        number = _entries(reports)
        store.publish(reports, run.name)
        troubles = finish_publication(reports, clock())
        return Republished(run.name, before, _asked(reports, number), troubles)


def _of_store(reports: Path, name: str) -> Path:
    run = store.resolve(reports, name)
    if run.parent.resolve() != reports.resolve():
        raise UsageError(f"{run} is not in {reports}, so it cannot be published there.", "`forecast runs list` shows the runs that can be.")
    return run


def _check(run: SavedRun) -> None:
    if wrong := run.problems():
        raise StoreError("\n  ".join([f"Run {run.name} is damaged:", *wrong]), "Publish another: `forecast runs list` shows all.")
    report = run.report
    if report.as_of is not None:
        raise UsageError(
            f"Run {run.name} uses nothing that was published after {report.as_of}, so it is never published.",
            "Publish a run that was not made with --as-of.",
        )
    if report.diagnostics.status != "pass":
        raise GateError(f"Run {run.name} did not pass the gate, so it is not published.", "The last published forecast stays as it was.")


def _published(reports: Path) -> str | None:
    """The id of the run that is published; None if there is none, or if `latest` is wrong, which this is to mend."""
    try:
        found = store.latest(reports)
    except StoreError:
        return None
    return found.name if found else None


def _entries(reports: Path) -> int:
    """How many entries the ledger has; 0 if it is damaged, which `finish_publication` reports."""
    try:
        return len(ledger.read(reports))
    except StoreError:
        return 0


def _asked(reports: Path, after: int) -> int:
    """How many questions entered the ledger after so many entries."""
    try:
        return sum(len(e.content["questions"]) for e in ledger.read(reports)[after:] if e.kind == FORECAST)
    except StoreError:
        return 0
