"""`forecast status`: the newest forecast, its age, and whether anything needs a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import WIDTH, counted, sentence, table, wrap

if TYPE_CHECKING:
    from forecast.jobs.status import Last, Published, PublishedChange, Status
    from forecast.jobs.workspace_state import Series

LABEL = 11


@click.command(epilog=examples("forecast status", "forecast status -v", "forecast status --json"))
@common()
def status(context: Context) -> None:
    """Show the published forecast, its age, and whether anything needs attention.

    Lists the series that are late, with -v all series. The exit code is 8 if something needs a person: the published run is stale, damaged
    or missing, or did not pass the gate; data or priors are refused; the last refit failed, was killed or hangs; the ledger is damaged; the
    clock was set back. Otherwise it is 0. Late series, questions that are due and changed inputs do not change the exit code.
    """
    from forecast.errors import UnhealthyError
    from forecast.jobs.status import examine

    now = context.now
    status = examine(context.workspace, now)
    context.show(status.as_dict(), lines(status, now, context.verbosity > 0))
    if status.troubles:
        raise UnhealthyError("\n".join(f"{sentence(t.what)} {t.remedy}" for t in status.troubles))


def lines(status: Status, now: datetime, all_series: bool = False) -> Iterator[str]:
    """For a terminal of 80 columns: a fact a line, then the series that are late, or all."""
    for label, text in _facts(status, now):
        yield from wrap(text, WIDTH, f"{label:<{LABEL}}", " " * LABEL)
    for i, (day, what) in enumerate(status.present.coming):
        yield from wrap(f"{day:<10}  {what}", WIDTH, f"{'' if i else 'coming':<{LABEL}}", " " * (LABEL + 12))
    yield from _table([s for s in status.present.series if all_series or s.status == "late"], len(status.present.series))


def _facts(status: Status, now: datetime) -> Iterator[tuple[str, str]]:
    yield "workspace", status.workspace
    if status.run:
        yield from _of_run(status.run)
    if status.change:
        yield "change", _change(status.change)
    present = status.present
    if present.refused:
        yield "inputs", f"refused: {counted(present.refused, 'problem')}"
    elif status.run:
        yield "inputs", f"changed since: {present.differ}; a refit would follow" if present.differ else "as in the published run"
    yield "last refit", _last(status.last, now) if status.last else "none yet"
    yield "lock", str(status.lock) if status.lock else "free"
    if q := status.questions:
        due = f"{q.due} due for resolution (`forecast questions list`)" if q.due else "none due for resolution"
        yield "questions", f"{q.open} open, {due}{f', {q.disputed} disputed' if q.disputed else ''}"


def _of_run(run: Published) -> Iterator[tuple[str, str]]:
    from forecast.formatting import month_words

    days = {0: "today", 1: "yesterday"}.get(run.age_days, f"{run.age_days} days ago")
    how = f" ({run.decision})" if run.decision and run.decision != "run" else ""
    yield "run", f"{run.run_id}{how}, made {run.created[:16].replace('T', ' ')} UTC, {days}"
    yield "headline", run.headline
    yield "origin", f"{month_words(run.origin)}{', STALE' if run.stale else ''}"
    yield "gate", run.gate


def _change(change: PublishedChange) -> str:
    from forecast.formatting import fixed_points, percent

    text = f"{fixed_points(change.after - change.before)} points since run {change.from_run}"
    text += f" ({percent(change.before)} → {percent(change.after)})"
    noise = "indistinguishable from noise" if change.is_noise else "more than noise"
    return f"{text}: {noise}; sampling noise alone is up to ±{200 * change.noise_se:.2f}"


def _last(last: Last, now: datetime) -> str:
    from forecast.jobs.status import ago

    a = last.attempt
    if last.state == "running":
        return f"{a.what}, running since {a.started:%Y-%m-%d %H:%M} UTC"
    when = a.ended or a.started
    time = f"{when:%Y-%m-%d %H:%M} UTC, {ago(now - when)} ago"
    since = "; a run was published since" if last.state == "superseded" else ""
    if a.ended is None:
        return f"started {time}; it never ended{since}"
    code = f", exit code {a.exit_code}" if a.exit_code else ""
    reason = " ".join(a.reason.split())
    return f"{time}: {a.decision or 'no decision'}{code}; {reason.rstrip('.') if since else reason}{since}"


def _table(rows: list[Series], n: int) -> Iterator[str]:
    if not n:
        return
    late = sum(s.status == "late" for s in rows)
    yield ""
    yield f"{late} of {n} series {'is' if late == 1 else 'are'} late." if late else f"None of {n} series is late."
    if not rows:
        return
    cells = [
        (s.series, s.used_for, s.newest or "–", (s.due or "–") + ("*" if s.by == "reading" and s.due else ""), s.status.split(" ")[0])
        for s in rows
    ]
    yield from table(("series", "used for", "newest", "due", ""), cells)
    if any(s.by == "reading" and s.due for s in rows):
        yield from wrap("* has no timetable: by this day someone should have read further and raised covered_through.", WIDTH)
