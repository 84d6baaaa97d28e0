"""`forecast runs`: list, verify, publish and remove runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group
from forecast.cli._text import combined_error, counted, table
from forecast.errors import StoreError
from forecast.formatting import NONE
from forecast.runs import publication_lock, store

if TYPE_CHECKING:
    from pathlib import Path

    from forecast.jobs.republish import Republished
    from forecast.report.run_index import RunSummary


OTHER_VERSION = "* made by another version of this program: `forecast report --json` prints its report, `forecast refit` makes a new run."


@click.group("runs", cls=Group, epilog=examples("forecast runs list", "forecast runs verify"))
def runs() -> None:
    """List, verify, publish and prune the runs in reports/."""


@runs.command("list", epilog=examples("forecast runs list", "forecast runs list --json"))
@common()
def list_(context: Context) -> None:
    """List the runs, newest first.

    The table shows origin, headline with its 80 % interval, decision, and whether the run was published.
    """
    from forecast.jobs.index import as_rows, entries

    reports = context.workspace.reports
    listed = entries(reports)
    context.show(as_rows(listed), _lines(listed) if listed else f"No run in {reports} yet; `forecast run` makes one.")
    if trouble := _latest(reports):
        context.warn(str(trouble))


def _latest(reports: Path) -> StoreError | None:
    """The problem with `latest`; None if it is sound."""
    try:
        lost = store.lost(reports)
    except StoreError as e:
        return e
    if lost is None:
        return None
    return StoreError(
        f"`latest` is missing in {reports}, though run {lost} was published.", f"`forecast runs publish {lost}` sets it again."
    )


def _lines(runs: Sequence[RunSummary]) -> Iterator[str]:
    """A table of the sound runs for a terminal of 80 columns, then the damaged ones."""
    rows = [
        (
            e.run_id,
            e.origin or NONE,
            e.headline,
            e.decision or NONE,
            f"{'latest' if e.latest else 'yes' if e.published else 'no'}{' *' if e.other_version else ''}",
        )
        for e in reversed(runs)
        if not e.damage
    ]
    if rows:
        yield from table(("run, made (UTC)", "origin", "headline (80 %)", "decision", "published"), rows)
    for e in reversed(runs):
        if e.damage:
            yield f"{e.run_id}  damaged{', and the newest published' if e.latest else ''}: `forecast runs verify`"
    if any(e.other_version for e in runs):
        yield OTHER_VERSION


@runs.command(epilog=examples("forecast runs verify", "forecast runs verify --json"))
@common()
@click.argument("run", required=False)
def verify(context: Context, run: str | None) -> None:
    """Check that the files of RUN, or of all runs, were not changed.

    Every file is compared with its digest in the manifest. Report and draws are also read.
    """
    from forecast.jobs.saved_run import SavedRun

    reports = context.workspace.reports
    paths = [store.resolve(reports, run)] if run else [stored.path for stored in store.list_runs(reports)]
    saved = [SavedRun(path) for path in paths]
    problems = {run.name: list(run.problems()) for run in saved}
    others = {run.name for run in saved if not problems[run.name] and run.is_other_version}
    document = [{"run_id": name, "problems": listed, "other_version": name in others} for name, listed in problems.items()]
    lines = [
        "\n  ".join([f"{name}  {'damaged' if listed else 'sound'}{' *' if name in others else ''}", *listed])
        for name, listed in problems.items()
    ]
    lines += [OTHER_VERSION] if others else []
    context.show(document, lines or f"No run in {reports} yet.")
    if damaged := [name for name, listed in problems.items() if listed]:
        raise StoreError(f"Damaged: {', '.join(damaged)}.", "Restore it from a copy, or move its folder out of reports/ and run again.")
    if not run and (trouble := _latest(reports)):
        raise trouble


@runs.command(epilog=examples("forecast runs publish 20261124T141500Z-ab12cd"))
@common()
@click.argument("run")
def publish(context: Context, run: str) -> None:
    """Publish an earlier RUN again, and add its questions to the ledger.

    The run must be sound, of this version, not as of an earlier day, and must have passed the gate. The next `forecast refit` uses the data
    and priors of the workspace, as always.
    """
    from forecast.jobs.republish import republish

    where = context.own_workspace
    result = republish(where.reports, run, context.environment.clock)
    context.show(result.as_dict() | {"workspace": str(where.root)}, _published(result))
    if not context.json:
        context.say_written(where, ["reports/"])
    if result.troubles:
        raise combined_error(result.troubles)


def _published(result: Republished) -> Iterator[str]:
    if result.before == result.run_id:
        yield f"Run {result.run_id} was published already."
    else:
        yield f"Published run {result.run_id}{f' in place of run {result.before}' if result.before else ''}."
    if result.questions:
        yield f"{result.questions} questions were added to the ledger."
    elif not result.troubles:
        yield "No question was added to the ledger: they are there already, or their windows have ended."
    yield "`forecast refit` uses the data and priors of the workspace, whichever run is published."


@runs.command(epilog=examples("forecast runs prune --keep 10"))
@common()
@click.option("--keep", metavar="N", type=click.IntRange(min=0), required=True, help="How many of the newest runs to keep.")
def prune(context: Context, keep: int) -> None:
    """Remove the oldest runs. This works on a full disk too.

    Never removed: the ledger, the published run and the one before it, the runs whose draws these two use, and a run whose questions are
    not in the ledger yet.
    """
    from forecast.jobs.index import entries, write_index
    from forecast.jobs.publish import capture_failure
    from forecast.runs.store import runs_to_keep

    reports = context.own_workspace.reports
    with publication_lock.publisher(reports, "forecast runs prune", context.now, makes_room=True):
        removed = store.prune(reports, keep, runs_to_keep(reports))
        _, trouble = capture_failure("the index", lambda: write_index(reports, context.now))
        others = [e.run_id for e in entries(reports) if e.other_version]
    text = f"Removed {counted(len(removed), 'run')} from {reports}{': ' if removed else '.'}{', '.join(removed)}"
    text += f"\nMade by another version, and still there: {', '.join(others)}" if others else ""
    context.show({"removed": list(removed), "runs_of_other_versions": others, "workspace": str(reports.parent)}, text)
    if trouble:
        raise trouble
