"""Whether the forecast is well: what is published, what happens to it, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Self

from forecast.domain import is_stale, month
from forecast.errors import ForecastError, InputError, LockedError, StoreError
from forecast.jobs.publish import check_clock
from forecast.jobs.saved_run import SavedRun
from forecast.jobs.workspace_state import WorkspaceState, workspace_state
from forecast.report.figures.attribution import attribution_alarm
from forecast.runs import ledger, manifest, publication_lock, refit_attempts, store
from forecast.runs.draws_files import DRAWS
from forecast.workspace import Workspace

WELL: Final = (0, 6)
"""Exit codes of a refit that leave nothing to mend: done, or a source was down while the rest went on."""
LONG: Final = timedelta(hours=6)
"""Whoever publishes is at work for some minutes; after so long it hangs."""
NOISE: Final = 2.0
"""A change within so many standard errors is not distinguishable from chance."""


@dataclass(frozen=True, slots=True)
class Published:
    """The published run. decision: how it came about (run, refitted, reweighted), None if it is not recorded."""

    run_id: str
    created: str
    age_days: int
    decision: str | None
    origin: str
    stale: bool
    headline: str
    probability: float
    gate: str

    @classmethod
    def of(cls, run: SavedRun, today: date) -> Self:
        """Of a run, on a day."""
        report, decision = run.report, run.meta.get("decision")
        return cls(
            run_id=report.run_id,
            created=report.created,
            age_days=(today - date.fromisoformat(report.created[:10])).days,
            decision=decision and decision["kind"],
            origin=report.origin,
            stale=is_stale(month(report.origin), today),
            headline=report.sentences.short,
            probability=report.headline_question.probability,
            gate=report.diagnostics.status,
        )


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """The headline's probability in the run published before and in this one; noise_se: what chance alone may do, one standard error."""

    from_run: str
    before: float
    after: float
    noise_se: float

    @property
    def is_noise(self) -> bool:
        return abs(self.after - self.before) <= NOISE * self.noise_se


@dataclass(frozen=True, slots=True)
class Last:
    """The newest attempt at a refit.

    state: running, died (begun, and nobody holds the lock), well, failed, or superseded: it died or failed, and a run was published since.
    """

    attempt: refit_attempts.Attempt
    state: Literal["running", "died", "well", "failed", "superseded"]


@dataclass(frozen=True, slots=True)
class Questions:
    """How many questions of the ledger wait for their day, wait for a resolution, or have one that is disputed."""

    open: int
    due: int
    disputed: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that needs a person, and what to do."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a workspace's forecast; `troubles` is empty if it is healthy."""

    workspace: str
    run: Published | None
    change: PublishedChange | None
    present: WorkspaceState
    lock: publication_lock.Owner | None
    last: Last | None
    questions: Questions | None
    troubles: tuple[Trouble, ...]

    @property
    def late(self) -> tuple[str, ...]:
        return tuple(s.series for s in self.present.series if s.status == "late")

    def as_dict(self) -> dict[str, Any]:
        """For a program. Facts of a run that is not there are null."""
        blank = dict.fromkeys(Published.__slots__)
        return {
            "workspace": self.workspace,
            **(asdict(self.run) if self.run else blank),
            "change": self.change and asdict(self.change) | {"indistinguishable_from_noise": self.change.is_noise},
            "inputs": {"differ": self.present.differ, "refused": self.present.refused},
            "series": [asdict(s) for s in self.present.series],
            "late": list(self.late),
            "lock": self.lock and _plain(asdict(self.lock)),
            "last_attempt": self.last and _plain(asdict(self.last.attempt)) | {"state": self.last.state},
            "questions": self.questions and asdict(self.questions),
            "coming": [{"date": day, "what": what} for day, what in self.present.coming],
            "healthy": not self.troubles,
            "troubles": [asdict(t) for t in self.troubles],
        }


def examine(where: Workspace, now: datetime) -> Status:
    """Read the published run, the store, the ledger, and the present data and priors, and say how they stand at `now`; write nothing."""
    reports, today = where.reports, now.astimezone(UTC).date()
    attempt, owner = _at_work(reports)
    saved, troubles = _published(reports)
    run = Published.of(saved, today) if saved else None
    last = _last(attempt, owner, run) if attempt else None
    now_read = workspace_state(where, saved, today)
    questions, found = _questions(reports, saved, today)
    troubles += [*_of_run(run, saved), *_of_inputs(now_read), *_of_last(last, now), *_of_owner(owner, now), *found]
    troubles += _of_clock(reports, now)
    return Status(
        workspace=str(where.data.parent),
        run=run,
        change=change_since(saved) if saved else None,
        present=now_read,
        lock=owner,
        last=last,
        questions=questions,
        troubles=tuple(troubles),
    )


def _published(reports: Path) -> tuple[SavedRun | None, list[Trouble]]:
    """The published run, every digest verified; None, and why, if there is none that can be trusted."""
    try:
        run = SavedRun.latest(reports)
        if run:
            run.check()
            if DRAWS in run.manifest.digests and not run.is_other_version:
                _ = run.draws  # their form; `runs verify` and whoever uses them read the values
            _ = run.report  # refused here if another version wrote it
        missing = store.lost(reports) if run is None else None
    except StoreError as e:
        message = " ".join(e.message.split()).rstrip(".")
        return None, [Trouble(f"the store is damaged: {message}", "`forecast runs verify` says what is left.")]
    except InputError as e:
        return None, [Trouble(e.message.rstrip("."), "`forecast refit` makes a new run.")]
    if missing:
        return None, [Trouble(f"`latest` is missing, though run {missing} was published", f"`forecast runs publish {missing}`.")]
    if run is None:
        return None, [Trouble("no run has been published", "`forecast run` makes and publishes the first.")]
    return run, []


def change_since(run: SavedRun) -> PublishedChange | None:
    """The change since the run published before, if there was one: as the report explains it, else from that run's manifest."""
    id_, attribution = run.report.headline, run.report.attribution
    if attribution and id_ in attribution.questions:
        q = attribution.questions[id_]
        return PublishedChange(attribution.from_run, q.before, q.after, q.noise_se)
    follows = run.meta.get("follows")
    if follows is None:
        return None
    try:
        before = (manifest.read_manifest(run.path.parent / follows).meta.get("probabilities") or {}).get(id_)
    except StoreError:  # it was removed
        return None
    if before is None:  # it did not ask that
        return None
    now = run.report.headline_question
    return PublishedChange(follows, before, now.probability, 2**0.5 * (now.mcse or 0.0))  # as if both had the same error


def _at_work(reports: Path) -> tuple[refit_attempts.Attempt | None, publication_lock.Owner | None]:
    """The newest attempt, and who held the lock while it was the newest: else one that just began or ended would seem to have died."""
    while True:
        attempt, owner = refit_attempts.last(reports), publication_lock.owner(reports)
        if refit_attempts.last(reports) == attempt:
            return attempt, owner


def _last(attempt: refit_attempts.Attempt, owner: publication_lock.Owner | None, run: Published | None) -> Last:
    if attempt.ended is None and owner and owner.pid in (0, attempt.pid):
        return Last(attempt, "running")
    if attempt.exit_code in WELL:
        return Last(attempt, "well")
    if run and _superseded(attempt, run):
        return Last(attempt, "superseded")
    return Last(attempt, "died" if attempt.ended is None else "failed")


def _superseded(attempt: refit_attempts.Attempt, run: Published) -> bool:
    """Whether the published run was made after an attempt. Of one that died only its beginning is known, and it may have made that run."""
    made = datetime.fromisoformat(run.created)
    return attempt.ended < made if attempt.ended else attempt.started < made and run.decision == "run"


def _questions(reports: Path, published: SavedRun | None, today: date) -> tuple[Questions | None, list[Trouble]]:
    from forecast.jobs.questions.freeze import parse_question_ledger

    remedy = "Restore reports/ledger/ from a copy; `forecast questions verify` says what is wrong."
    try:
        entries = ledger.read(reports)
        known = published and published.meta.get("ledger")
        states = [q.state(today) for q in parse_question_ledger(entries).questions.values()]
    except LockedError:
        return None, []
    except StoreError as e:
        return None, [Trouble(" ".join(e.message.split()).rstrip("."), remedy)]
    if known and not ledger.holds(entries, ledger.Head(known["entries"], known["digest"])):
        return None, [Trouble("the ledger lacks entries that it had when the run was published", remedy)]
    return Questions(states.count("open"), states.count("due"), states.count("disputed")), []


def _of_run(run: Published | None, saved: SavedRun | None) -> Iterator[Trouble]:
    if run is None or saved is None:
        return
    if run.stale:
        yield Trouble(
            f"the forecast is stale: it uses nothing from after {run.origin}",
            "Bring the ledger of events up to date, raise covered_through in data/coverage.toml, then `forecast refit`.",
        )
    if run.gate != "pass":
        yield Trouble("the published run did not pass the gate", "`forecast run --publish --seed N` fits again.")
    if unexplained := attribution_alarm(saved.report):
        yield Trouble(unexplained.rstrip("."), "Fit again with another --seed. If the change remains, see `forecast explain`.")


def _of_inputs(found: WorkspaceState) -> Iterator[Trouble]:
    if found.damage:
        what = f"the history of the priors is damaged: {found.damage.rstrip('.')}"
        yield Trouble(what, "Restore it from a copy or from version control.")
    elif found.refused:
        yield Trouble("the present data or priors are refused", "`forecast data check` and `forecast priors check` name every problem.")


def _of_last(last: Last | None, now: datetime) -> Iterator[Trouble]:
    if last is None or last.state not in ("died", "failed"):
        return
    attempt = last.attempt
    if last.state == "died":
        what = f"the last refit, begun {ago(now - attempt.started)} ago, was killed or the machine stopped"
        yield Trouble(what, "`forecast refit` starts again; the published forecast is intact.")
    else:
        what = f"the last refit ended with exit code {attempt.exit_code}: {' '.join(attempt.reason.split()).rstrip('.')}"
        yield Trouble(what, "Correct that, then `forecast refit`.")


def _of_owner(owner: publication_lock.Owner | None, now: datetime) -> Iterator[Trouble]:
    if owner and owner.started and now - owner.started > LONG:
        what = f"{owner} has been at work for {ago(now - owner.started)}"
        yield Trouble(what, f"If it hangs, `kill {owner.pid}` on {owner.host} ends it; it removes its unfinished files.")


def _of_clock(reports: Path, now: datetime) -> Iterator[Trouble]:
    try:
        check_clock(reports, now)
    except ForecastError as e:
        yield Trouble(e.message.rstrip("."), e.remedy)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Times as text."""
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in facts.items()}


def ago(span: timedelta) -> str:
    """A span of time in one round number."""
    minutes = span.total_seconds() / 60
    n, unit = (minutes, "minute") if minutes < 90 else (minutes / 60, "hour") if minutes < 36 * 60 else (minutes / 1440, "day")
    return f"{round(n)} {unit}{'' if round(n) == 1 else 's'}" if n >= 1 else "less than a minute"
