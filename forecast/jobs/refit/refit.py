"""The scheduled job: decide whether the forecast must be brought up to its inputs, and do it. All of it happens under the lock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.domain import is_stale, month
from forecast.errors import INTERRUPTED, ForecastError, GateError, InputError, SourceError, StoreError
from forecast.forecasting.inputs import DEFAULT_SEED, Inputs, load_workspace
from forecast.jobs.publish import (
    Clock,
    Decision,
    capture_failure,
    check_clock,
    finish_publication,
    previous_publication,
    publish_forecast,
    since,
)
from forecast.jobs.refit.decision import RefitPlan, decide
from forecast.jobs.saved_run import SavedRun
from forecast.progress import Progress, silent, within
from forecast.runs import publication_lock, refit_attempts, store
from forecast.workspace import Workspace

if TYPE_CHECKING:
    from forecast.forecasting.forecast_result import Forecast
    from forecast.report.models.report import Report


@dataclass(frozen=True)
class Refit:
    """The outcome of a refit.

    decision: what was decided, and why.
    run: the published run as it is now; None if there is none.
    report: its report; None if another version made the run.
    stale: whether the run's origin lies so far back that the forecast is marked stale.
    errors: all that went wrong; the first sets the exit code.
    """

    decision: Decision
    run: SavedRun | None
    report: Report | None
    stale: bool
    errors: tuple[ForecastError, ...]

    @property
    def exit_code(self) -> int:
        return self.errors[0].exit_code if self.errors else 0

    def as_dict(self) -> dict[str, Any]:
        """For a program: the decision, and beside it report.json of the published run."""
        decision = asdict(self.decision) | {
            "run_id": _name(self.run),
            "stale": self.stale,
            "errors": [{"exit_code": e.exit_code, "message": str(e)} for e in self.errors],
        }
        return {"decision": decision, "report": self.report and self.report.document()}


@dataclass(frozen=True)
class _Job:
    """What every step of one refit needs; `began` is a moment of the monotonic clock."""

    where: Workspace
    clock: Clock
    environ: Mapping[str, str]
    seed: int | None
    progress: Progress
    began: float
    held: publication_lock.Hold


def refit(
    where: Workspace,
    clock: Clock,
    environ: Mapping[str, str],
    seed: int | None = None,
    pull: bool = False,
    wait: float = 0.0,
    progress: Progress = silent,
) -> Refit:
    """Bring the published forecast up to its inputs, if they no longer mean what they meant when it was made.

    pull: fetch the newest official figures first; if a source is down the rest goes on. wait: seconds to wait for another that holds the
    lock, `math.inf` for as long as it takes. What the data check, the gate or a source refuses, and damage to the history of the priors, is
    in `errors`; raised are LockedError, StoreError for a published run that is damaged, and what stands in the way of writing. Every
    attempt that gets the lock is written down, however it ends.
    """
    began = time.monotonic()
    what = f"forecast refit{' --pull' if pull else ''}"
    with publication_lock.publisher(where.reports, what, clock(), wait, lambda words: progress("waiting", None, words)) as held:
        job = _Job(where, clock, environ, seed, progress, began, held)
        attempt = refit_attempts.start(where.reports, what, clock())
        try:
            made = _refit(job, pull)
        except BaseException as e:
            with suppress(ForecastError):  # what stands in the way of writing is on its way already
                name = _name(previous_publication(where.reports))
                refit_attempts.end(where.reports, attempt, clock(), None, _words(e), _exit_code(e), name, since(began))
            raise
        decision = made.decision
        try:
            refit_attempts.end(
                where.reports, attempt, clock(), decision.kind, decision.reason, made.exit_code, _name(made.run), decision.seconds
            )
        except ForecastError as e:
            return replace(made, errors=(*made.errors, e))
        return made


def _refit(job: _Job, pull: bool) -> Refit:
    reports = job.where.reports
    check_clock(reports, job.clock())
    errors = finish_publication(reports, job.clock())
    published = SavedRun.latest(reports)
    if published:
        published.check()
        _report_of(published)
    failed: tuple[ForecastError, ...] = ()
    try:
        failed = _pulled(job) if pull else ()
        inputs = load_workspace(job.where, today=job.clock().astimezone(UTC).date())
        plan = decide(inputs, reports, published)
        decision = Decision("skipped", plan.reason)
        if plan.action != "skip":
            decision, errors = _follow(job, inputs, plan, published)
    except (GateError, InputError, StoreError) as e:
        decision, errors = Decision("refused", _words(e)), (e, *errors)
    published = _newest(reports, published)
    report = _report_of(published) if published else None
    stale = bool(report and is_stale(month(report.origin), job.clock().astimezone(UTC).date()))
    return Refit(decision.after(job.began), published, report, stale, (*errors, *failed))


def _newest(reports: Path, known: SavedRun | None) -> SavedRun | None:
    """The published run, verified: the one that is known if it is still that."""
    run = SavedRun.latest(reports)
    if run and known and run.path == known.path:
        return known
    if run:
        run.check()
    return run


def _report_of(run: SavedRun) -> Report | None:
    """The report of a run; None if another version made it. Raises StoreError if it is damaged."""
    return None if run.is_other_version else run.report


def _follow(job: _Job, inputs: Inputs, plan: RefitPlan, published: SavedRun | None) -> tuple[Decision, tuple[ForecastError, ...]]:
    """Publish what the inputs say now; the decision as it was made, and what went wrong once the forecast was published."""
    reports = job.where.reports
    if plan.action == "finish" and plan.run is not None:
        job.held.check()
        store.publish(reports, plan.run.name)
        meta = plan.run.meta
        decision = Decision(meta["decision"]["kind"], plan.reason, k_hat=meta.get("k_hat"), ess=meta.get("ess"))
        return decision, finish_publication(reports, job.clock())
    from forecast.jobs.run import fit

    seed = DEFAULT_SEED if job.seed is None else job.seed
    decision, forecast = Decision("refitted", plan.reason), None
    troubles: tuple[ForecastError, ...] = ()
    if plan.action == "reweight" and plan.run is not None:
        decision, forecast, troubles = _reweighted(job, inputs, plan.run, plan.reason)
    if forecast is None:
        forecast = fit(inputs, seed, job.progress)
    decision = decision.after(job.began)
    done = publish_forecast(forecast, inputs, reports, job.clock, decision, job.held, job.progress, published)
    return decision, troubles + done.troubles


def _reweighted(job: _Job, inputs: Inputs, run: SavedRun, why: str) -> tuple[Decision, Forecast | None, tuple[ForecastError, ...]]:
    """The forecast from the reweighted draws of an earlier run; None if the rule forbids it, with the reason in the decision."""
    from forecast.jobs.refit.reweight import reweight_run

    found, trouble = capture_failure("reweighting the draws", lambda: reweight_run(inputs, run, job.progress))
    if found is None:  # a fit does not need it
        return Decision("refitted", f"{why}; reweighting the draws of run {run.name} failed"), None, (trouble,) if trouble else ()
    if found.forecast is None or found.forecast.draws_source is None:
        return Decision("refitted", f"{why}; the draws of run {found.fitted_in} are too far from the new inputs: {found.reason}"), None, ()
    rests = found.forecast.draws_source
    return Decision("reweighted", f"{why}; {found.reason}", k_hat=rests.k_hat, ess=rests.ess), found.forecast, ()


def _pulled(job: _Job) -> tuple[ForecastError, ...]:
    """Pull every source; those that are down, as an error. Raises InputError for data that are refused before anybody is asked."""
    from forecast.jobs.data.pull import pull_sources

    try:
        pull_sources(job.where, now=job.clock(), environ=job.environ, progress=within(job.progress, "pull"))
    except SourceError as e:
        return (e,)
    return ()


def _name(run: SavedRun | None) -> str | None:
    return run.name if run else None


def _words(failure: BaseException) -> str:
    if isinstance(failure, KeyboardInterrupt):
        return "interrupted"
    return failure.message if isinstance(failure, ForecastError) else f"{type(failure).__name__}: {failure}"


def _exit_code(failure: BaseException) -> int:
    if isinstance(failure, ForecastError):
        return failure.exit_code
    return INTERRUPTED if isinstance(failure, KeyboardInterrupt) else ForecastError.exit_code
