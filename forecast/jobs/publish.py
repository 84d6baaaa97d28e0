"""Running and publishing: which run may become `latest`, and the steps that follow.

The steps are done under the lock. First the change since the last published run is attributed. Then the run is written, `latest` is moved
to it, its questions enter the ledger, and the index is written. A crash between two steps loses nothing: `finish_publication` repeats the
later ones at the next start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forecast.errors import ForecastError, StoreError
from forecast.forecasting.inputs import DEFAULT_SEED, Inputs
from forecast.jobs.saved_run import SavedRun
from forecast.progress import Progress, silent
from forecast.runs import publication_lock, store
from forecast.storage import temporary_folder

if TYPE_CHECKING:
    from forecast.forecasting.forecast_result import Forecast
    from forecast.report.models.report import Report

type Clock = Callable[[], datetime]
type Kind = Literal["run", "skipped", "reweighted", "refitted", "refused"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was done, why, and the seconds it took (in a manifest: until it was written).

    k_hat, ess: if reweighted, the worst over readings; k_hat is None if all draws have equal weights.
    """

    kind: Kind
    reason: str
    seconds: float | None = None
    k_hat: float | None = None
    ess: float | None = None

    def after(self, began: float) -> Decision:
        """The same with the time since `began`, a moment of the monotonic clock."""
        return replace(self, seconds=since(began))


def since(began: float) -> float:
    """Seconds since a moment of the monotonic clock."""
    return round(time.monotonic() - began, 2)


@dataclass(frozen=True)
class Publication:
    """A run on disk, its report, whether it was published, and what went wrong after it was written."""

    path: Path
    report: Report
    published: bool
    troubles: tuple[ForecastError, ...] = ()


def run_and_publish(
    inputs: Inputs,
    reports: Path,
    clock: Clock,
    seed: int | None,
    publish: bool,
    progress: Progress = silent,
    engine: Literal["nutpie", "pymc"] = "nutpie",
) -> Publication:
    """Fit, write the run, and publish it if asked to or if nothing was published before.

    A run as of an earlier day is never published. Raises GateError, LockedError or what stands in the way of writing; `latest` then
    stays as it was.
    """
    from forecast.jobs.priors.reference import with_priors_as_of
    from forecast.jobs.run import fit, write_report

    if inputs.as_of is not None or not (publish or store.latest(reports) is None):
        forecast = fit(with_priors_as_of(inputs, progress), DEFAULT_SEED if seed is None else seed, progress, engine)
        finished = write_report(forecast, reports, clock(), progress, inputs)
        trouble = capture_failure("the index", lambda: _index(reports, clock()))[1]
        return Publication(finished.path, finished.report, False, (trouble,) if trouble else ())
    with publication_lock.publisher(reports, "forecast run", clock()) as held:
        check_clock(reports, clock())
        store.check_movable(reports)
        began = time.monotonic()
        forecast = fit(inputs, DEFAULT_SEED if seed is None else seed, progress, engine)
        return publish_forecast(forecast, inputs, reports, clock, Decision("run", "asked for").after(began), held, progress)


def publish_forecast(
    forecast: Forecast,
    inputs: Inputs,
    reports: Path,
    clock: Clock,
    decision: Decision,
    held: publication_lock.Hold,
    progress: Progress = silent,
    previous: SavedRun | None = None,
) -> Publication:
    """Write a run of a finished forecast and make it `latest`.

    previous: the published run, if it was opened before.
    Raises what stands in the way until `latest` is moved; what fails of the rest is in `troubles`, and the forecast stands.
    """
    from forecast.jobs.run import write_report

    previous = previous or previous_publication(reports)
    forecast, troubles = _with_moved(forecast, inputs, previous, progress)
    standing, trouble = capture_failure("how earlier numbers did", lambda: _standing(reports, clock()))
    forecast = forecast if standing is None else replace(forecast, past_performance=standing)
    check_clock(reports, clock())
    finished = write_report(forecast, reports, clock(), progress, inputs, _notes(reports, previous, decision))
    held.check()
    store.publish(reports, finished.run_id)
    all_ = (*troubles, *((trouble,) if trouble else ()), *finish_publication(reports, clock()))
    return Publication(finished.path, finished.report, True, tuple({str(e): e for e in all_}.values()))  # a damaged ledger fails twice


def _standing(reports: Path, now: datetime) -> Mapping[str, Any]:
    from forecast.jobs.questions.score import past_performance

    return past_performance(reports, now.astimezone(UTC).date())


def finish_publication(reports: Path, now: datetime) -> tuple[ForecastError, ...]:
    """Sweep up what dead writers left, and do what comes after publishing, as far as it is not done; what failed of it.

    The caller holds the lock. Doing it again changes nothing.
    """
    temporary_folder.remove_abandoned_stages(reports)
    if not store.list_runs(reports):
        return ()
    found = capture_failure("the ledger", lambda: _enter(reports, now))[1], capture_failure("the index", lambda: _index(reports, now))[1]
    return tuple(trouble for trouble in found if trouble)


def _enter(reports: Path, now: datetime) -> None:
    from forecast.jobs.questions.freeze import enter_published_runs

    enter_published_runs(reports, now)


def _index(reports: Path, now: datetime) -> None:
    """Write the index, unless it was written today (a forecast goes stale by the day) and since the newest run."""
    from forecast.jobs.index import INDEX, write_index

    path = reports / INDEX
    if path.is_file():
        shown = [reports / store.LATEST, *(run.path for run in store.list_runs(reports))]
        written, newest = path.stat().st_mtime, max(p.lstat().st_mtime for p in shown if p.exists())
        if written > newest and datetime.fromtimestamp(written, UTC).date() == now.astimezone(UTC).date():
            return
    write_index(reports, now)


def previous_publication(reports: Path) -> SavedRun | None:
    """The published run that the next one follows; None if there is none that can be read."""
    try:
        return SavedRun.latest(reports)
    except StoreError:
        return None


def check_clock(reports: Path, now: datetime) -> None:
    """Raises ForecastError if the clock stands before the newest run was made: names of runs, and the ledger, go by time."""
    runs = store.list_runs(reports)
    if runs and (made := store.made_at(runs[-1].run_id)) > now:
        raise ForecastError(
            f"The clock says {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC, but run {runs[-1].run_id} was made at {made:%Y-%m-%d %H:%M}; "
            "nothing is published by a clock that was set back.",
            "Set the clock right. If that run's time is the wrong one, move its folder out of reports/ and `forecast run --publish`.",
        )


def _with_moved(
    forecast: Forecast, inputs: Inputs, previous: SavedRun | None, progress: Progress
) -> tuple[Forecast, tuple[ForecastError, ...]]:
    """The forecast with what moved it since the published run before; without it if that run kept no inputs or is of another version."""
    if previous is None or not previous.keeps_inputs or _is_other_version(previous):
        return forecast, ()
    found, trouble = capture_failure("what moved the forecast", lambda: _moved(previous, forecast, inputs, progress))
    moved, unexplained = found or ({}, None)
    return replace(forecast, moved=moved), tuple(e for e in (trouble, unexplained) if e)


def _is_other_version(run: SavedRun) -> bool:
    try:
        return run.is_other_version
    except StoreError:  # attribution reports it
        return False


def _moved(previous: SavedRun, forecast: Forecast, inputs: Inputs, progress: Progress) -> tuple[Mapping[str, Any], ForecastError | None]:
    """What moved the forecast, and the error to report if the parts do not explain the whole.

    What is refused on the way is no refusal of this forecast, which passed its check and the gate: the command must not end as if it were.
    """
    from forecast.jobs.explain import failure, moved

    try:
        found = moved(previous, forecast, inputs, progress)
    except StoreError:
        raise
    except ForecastError as e:
        raise ForecastError(f"What moved the forecast could not be worked out: {e.message}", e.remedy) from e
    return found, failure(found)


def capture_failure[T](what: str, step: Callable[[], T]) -> tuple[T | None, ForecastError | None]:
    """What a step gives, or how it failed. A forecast that passed the gate is not lost for what comes after it."""
    try:
        return step(), None
    except ForecastError as e:
        return None, e
    except Exception as e:
        trouble = ForecastError(f"Unexpected, in {what}: {type(e).__name__}: {e}.", "Run again with -v -v for the traceback.")
        trouble.__cause__ = e
        return None, trouble


def _notes(reports: Path, previous: SavedRun | None, decision: Decision) -> dict[str, Any]:
    """What only the manifest of a published run records."""
    from forecast.runs.ledger import head

    try:
        known = asdict(head(reports))
    except StoreError:  # `finish_publication` reports it
        known = None
    decided = {"kind": decision.kind, "reason": decision.reason, "seconds": decision.seconds}
    weights = {"k_hat": decision.k_hat, "ess": decision.ess}
    return {"follows": previous.name if previous else None, "decision": decided, "ledger": known} | weights
