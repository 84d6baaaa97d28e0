"""What a published run leaves in the ledger: the text of every question whose window is still open, and all that was said to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
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

_SAID: Final = (
    "text", "kind", "level", "horizon_months", "window", "resolution_date", "probability", "probability_known", "expected", "interval",
)  # fmt: skip


def enter(reports: Path, now: datetime) -> int:
    """Freeze the questions of the published runs that are not in the ledger yet, oldest first; how many questions were entered.

    A question whose window has ended by now is left out: the report has it, but nothing could be learnt from it any more. Done twice it
    does nothing the second time. The caller holds `lock.publisher`. Raises StoreError if the ledger or such a run is damaged.
    """
    if store.latest(reports) is None:
        return 0
    asked = 0
    with ledger.writing(reports) as book:
        entered = {entry.content.get("run_id") for entry in book.entries if entry.kind == FORECAST}
        waiting = []
        for run in published(reports):
            if run.name in entered:
                break
            waiting.append(run)
        for run in reversed(waiting):
            content = frozen(run, now)
            if content is not None:
                book.append(FORECAST, content, now)
                asked += len(content["questions"])
    return asked


def published(reports: Path) -> Iterator[Path]:
    """The published runs that are still in the store, the newest first. Raises StoreError if one of them is damaged."""
    run = store.latest(reports)
    seen: set[str] = set()
    while run is not None and run.is_dir() and run.name not in seen:
        yield run
        seen.add(run.name)
        follows = manifest.read_manifest(run).meta.get("follows")
        run = None if follows is None else reports / str(follows)


def frozen(run: Path, now: datetime) -> dict[str, Any] | None:
    """What the ledger says of a run if it is entered at `now`: a function of the run's own files and of the day.

    None for a run that was made before there was a ledger. Raises StoreError if the run is damaged.
    """
    made = manifest.read_manifest(run)
    report = load_document(run)
    if "baselines" not in report:
        return None
    try:
        return _frozen(report, made, now)
    except (KeyError, TypeError, ValueError, AttributeError) as e:  # of another version: what this one writes was validated
        raise StoreError(f"What run {run.name} says, by another version of this program, cannot be entered: {e!r}.", REMEDY) from e


def _frozen(report: Mapping[str, Any], made: manifest.Manifest, now: datetime) -> dict[str, Any]:
    base = {row["id"]: row for row in report["baselines"]}
    day = now.astimezone(UTC).date()
    return {
        "origin": report["origin"],
        "run_id": report["run_id"],
        "run_created": report["created"],
        "report_sha256": made.digests["report.json"],
        "model_version": report["model_version"],
        "seed": report["seed"],
        "data_digest": report["data_digest"],
        "priors_digest": report["priors_digest"],
        "revisions": {n: r["revision"] for n, r in (made.meta.get("priors") or {}).items() if r.get("revision", SHIPPED) != SHIPPED},
        "headline": f"{report['headline']}@{report['origin']}",
        "resolution": report["resolution"],
        "questions": [
            {
                "id": f"{q['id']}@{report['origin']}",
                **{key: q[key] for key in _SAID},
                "baselines": {key: base[q["id"]][key] for key in ("persistence", "climatology", "counts")},
            }
            for q in report["questions"]
            if not ended(q["window"]["end"], day)
        ],
    }  # fmt: skip


def ended(end: str, day: date) -> bool:
    """Whether a window has ended before the day began."""
    return last_day(month(end)) < day


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Questions of one horizon that the ledger never took from the newest published run: how many, and the month their window ended in."""

    run_id: str
    origin: str
    horizon_months: int
    questions: int
    window_end: str


def left_out(reports: Path, book: QuestionLedger) -> tuple[LeftOut, ...]:
    """What `enter` left out of the newest published run, by horizon: the windows that had ended by then.

    Empty while there is no run, or the ledger does not have it yet. Raises StoreError if the run is damaged.
    """
    run = store.latest(reports)
    entered = next((known for known in book.runs if run is not None and known.run_id == run.name), None)
    if run is None or entered is None:
        return ()
    report = load_document(run)
    if not is_current(report):  # another version of the program made it
        return ()
    counts: Counter[tuple[int, str]] = Counter()
    for q in report["questions"]:
        if ended(q["window"]["end"], entered.made.date()):
            counts[q["horizon_months"], q["window"]["end"]] += 1
    return tuple(LeftOut(run.name, entered.origin, horizon, n, end) for (horizon, end), n in sorted(counts.items()))


def read_book(reports: Path) -> QuestionLedger:
    """Every question in the ledger. Raises StoreError if it is damaged."""
    return book_of(ledger.read(reports))


def book_of(entries: tuple[ledger.Entry, ...] | list[ledger.Entry]) -> QuestionLedger:
    """Raises StoreError for entries whose digests hold, but which do not say what such entries say."""
    try:
        return replay_ledger(entries)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise StoreError(f"The ledger holds an entry that cannot be understood: {e!r}.", "Restore reports/ledger/ from a copy.") from e
