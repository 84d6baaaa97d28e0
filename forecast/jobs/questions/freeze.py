"""What a published run enters in the ledger: the questions whose windows are still open, with their probabilities and baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from forecast.domain import last_day, month
from forecast.errors import StoreError
from forecast.evaluation.question_ledger import QuestionLedger, replay_ledger
from forecast.priors.edit_log import SHIPPED
from forecast.report.files import is_current, load_document
from forecast.runs import ledger, manifest, store
from forecast.runs.manifest import RESTORE as REMEDY
from forecast.runs.store import FORECAST

_QUESTION_KEYS: Final = (
    "text", "kind", "level", "horizon_months", "window", "resolution_date", "probability", "probability_known", "expected", "interval",
)  # fmt: skip


def enter_published_runs(reports: Path, now: datetime) -> int:
    """Enter the questions of the published runs that are not in the ledger yet, oldest run first; returns the number of questions.

    A question whose window has ended by now is left out: the report has it, but its answer is known. A second call changes nothing. The
    caller holds the publication lock. Raises StoreError if the ledger or such a run is damaged.
    """
    if store.latest(reports) is None:
        return 0
    questions = 0
    with ledger.writing(reports) as writer:
        entered = {entry.content.get("run_id") for entry in writer.entries if entry.kind == FORECAST}
        waiting = list(takewhile(lambda run: run.name not in entered, published_runs(reports)))
        for run in reversed(waiting):
            if content := forecast_entry(run, now):
                writer.append(FORECAST, content, now)
                questions += len(content["questions"])
    return questions


def published_runs(reports: Path) -> Iterator[Path]:
    """The published runs that are still in the store, newest first. Raises StoreError if one of them is damaged."""
    run = store.latest(reports)
    seen: set[str] = set()
    while run is not None and run.is_dir() and run.name not in seen:
        yield run
        seen.add(run.name)
        follows = manifest.read_manifest(run).meta.get("follows")
        run = None if follows is None else reports / str(follows)


def forecast_entry(run: Path, now: datetime) -> dict[str, Any] | None:
    """The content of the entry of a run at the time `now`; it depends on nothing but the run's files and the day.

    None for a run that was made before there was a ledger. Raises StoreError if the run is damaged.
    """
    run_manifest = manifest.read_manifest(run)
    report = load_document(run)
    if "baselines" not in report:
        return None
    try:
        return _entry_content(report, run_manifest, now)
    except (KeyError, TypeError, ValueError, AttributeError) as e:  # made by another version of the program
        raise StoreError(f"Run {run.name} was made by another version of this program, and cannot be entered: {e!r}.", REMEDY) from e


def _entry_content(report: Mapping[str, Any], run_manifest: manifest.Manifest, now: datetime) -> dict[str, Any]:
    base = {row["id"]: row for row in report["baselines"]}
    priors = run_manifest.meta.get("priors") or {}
    day = now.astimezone(UTC).date()
    return {
        "origin": report["origin"],
        "run_id": report["run_id"],
        "run_created": report["created"],
        "report_sha256": run_manifest.digests["report.json"],
        "model_version": report["model_version"],
        "seed": report["seed"],
        "data_digest": report["data_digest"],
        "priors_digest": report["priors_digest"],
        "revisions": {n: r["revision"] for n, r in priors.items() if r.get("revision", SHIPPED) != SHIPPED},
        "headline": f"{report['headline']}@{report['origin']}",
        "resolution": report["resolution"],
        "questions": [
            {
                "id": f"{q['id']}@{report['origin']}",
                **{key: q[key] for key in _QUESTION_KEYS},
                "baselines": {key: base[q["id"]][key] for key in ("persistence", "climatology", "counts")},
            }
            for q in report["questions"]
            if not window_has_ended(q["window"]["end"], day)
        ],
    }  # fmt: skip


def window_has_ended(end: str, day: date) -> bool:
    """Whether a window has ended before the day began."""
    return last_day(month(end)) < day


@dataclass(frozen=True, slots=True)
class OmittedQuestions:
    """Questions of one horizon that were not entered from the newest published run, since their window had ended.

    run_id, origin: of the run; questions: how many; window_end: the month in which the window ended.
    """

    run_id: str
    origin: str
    horizon_months: int
    questions: int
    window_end: str


def omitted_questions(reports: Path, questions: QuestionLedger) -> tuple[OmittedQuestions, ...]:
    """The questions that were not entered from the newest published run, by horizon.

    Empty while there is no run, or the ledger does not have it yet. Raises StoreError if the run is damaged.
    """
    run = store.latest(reports)
    entered = next((known for known in questions.runs if run is not None and known.run_id == run.name), None)
    if run is None or entered is None:
        return ()
    report = load_document(run)
    if not is_current(report):  # made by another version of the program
        return ()
    day = entered.created.date()
    omitted = Counter((q["horizon_months"], q["window"]["end"]) for q in report["questions"] if window_has_ended(q["window"]["end"], day))
    return tuple(OmittedQuestions(run.name, entered.origin, horizon, n, end) for (horizon, end), n in sorted(omitted.items()))


def read_question_ledger(reports: Path) -> QuestionLedger:
    """Every question in the ledger. Raises StoreError if it is damaged."""
    return parse_question_ledger(ledger.read(reports))


def parse_question_ledger(entries: Sequence[ledger.Entry]) -> QuestionLedger:
    """The questions of these entries. Raises StoreError if an entry has correct digests but not the content of its kind."""
    try:
        return replay_ledger(entries)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise StoreError(f"The ledger holds an entry that cannot be understood: {e!r}.", "Restore reports/ledger/ from a copy.") from e
