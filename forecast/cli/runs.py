"""`forecast runs`: what the store holds, whether it is sound, and making room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group
from forecast.errors import StoreError
from forecast.report.words import NONE
from forecast.runs import publication_lock, store

if TYPE_CHECKING:
    from pathlib import Path

    from forecast.jobs.republish import Republished
    from forecast.report.entry import Entry


@click.group("runs", cls=Group, epilog=examples("forecast runs list", "forecast runs verify"))
def runs() -> None:
    """List, verify, publish and prune the runs in reports/."""


@runs.command("list", epilog=examples("forecast runs list", "forecast runs list --json"))
@common()
def list_(context: Context) -> None:
    """List the runs, newest first: origin, headline with its 80 % interval, what was decided, and which were published."""
    from forecast.jobs.index import as_rows, entries

    reports = context.workspace.reports
    found = entries(reports)
    if context.json:
        context.say_json(as_rows(found))
    else:
        for line in _table(found):
            context.say(line)
        if not found:
            context.say(f"No run in {reports} yet; `forecast run` makes one.")
    if trouble := _latest(reports):
        context.warn(str(trouble))


def _latest(reports: Path) -> StoreError | None:
    """What is wrong with `latest`; None if nothing is."""
    try:
        lost = store.lost(reports)
    except StoreError as e:
        return e
    if lost is None:
        return None
    return StoreError(
        f"`latest` is missing in {reports}, though run {lost} was published.", f"`forecast runs publish {lost}` sets it anew."
    )


def _table(found: Sequence[Entry]) -> Iterator[str]:
    """For a terminal of 80 columns."""
    if found:
        yield f"{'run, made (UTC)':<25}{'origin':<9}{'headline (80 %)':<18}{'decision':<12}published"
    for e in reversed(found):
        if e.damage:
            yield f"{e.run_id:<25}damaged{', and the newest published' if e.latest else ''}: `forecast runs verify`"
            continue
        said = "latest" if e.latest else "yes" if e.published else "no"
        yield f"{e.run_id:<25}{e.origin or NONE:<9}{e.headline:<18}{e.decision or NONE:<12}{said}"


@runs.command(epilog=examples("forecast runs verify", "forecast runs verify --json"))
@common()
@click.argument("run", required=False)
def verify(context: Context, run: str | None) -> None:
    """Compare every file of RUN, or of all runs, with the digests its manifest keeps, and read its report and draws."""
    from forecast.jobs.soundness import problems as wrong

    reports = context.workspace.reports
    paths = [store.resolve(reports, run)] if run else [found.path for found in store.list_runs(reports)]
    problems = {path.name: list(wrong(path)) for path in paths}
    if context.json:
        context.say_json([{"run_id": name, "problems": found} for name, found in problems.items()])
    else:
        for name, found in problems.items():
            context.say("\n  ".join([f"{name}  {'damaged' if found else 'sound'}", *found]))
        if not problems:
            context.say(f"No run in {reports} yet.")
    if damaged := [name for name, found in problems.items() if found]:
        raise StoreError(f"Damaged: {', '.join(damaged)}.", "Restore it from a copy, or move its folder out of reports/ and run again.")
    if not run and (trouble := _latest(reports)):
        raise trouble


@runs.command(epilog=examples("forecast runs publish 20261124T141500Z-ab12cd"))
@common()
@click.argument("run")
def publish(context: Context, run: str) -> None:
    """Make a kept RUN the published one again, and enter its questions in the ledger.

    It must be sound, of this version, not as of an earlier day, and have passed the gate. The next `forecast refit` follows the data and
    priors of the workspace as always.
    """
    from forecast.cli._text import combined_error
    from forecast.jobs.republish import republish

    where = context.own_workspace
    done = republish(where.reports, run, context.environment.clock)
    if context.json:
        context.say_json(done.as_dict() | {"workspace": str(where.root)})
    else:
        context.say("\n".join(_published(done)))
        context.say_written(where, ["reports/"])
    if done.troubles:
        raise combined_error(done.troubles)


def _published(done: Republished) -> Iterator[str]:
    if done.before == done.run_id:
        yield f"Run {done.run_id} was published already."
    else:
        yield f"Published run {done.run_id}{f' in place of run {done.before}' if done.before else ''}."
    if done.questions:
        yield f"{done.questions} questions entered the ledger."
    elif not done.troubles:
        yield "No question entered the ledger: it has them already, or their windows have ended."
    yield "`forecast refit` follows the data and priors of the workspace, whatever run is published."


@runs.command(epilog=examples("forecast runs prune --keep 10"))
@common()
@click.option("--keep", metavar="N", type=click.IntRange(min=0), required=True, help="How many of the newest runs to keep.")
def prune(context: Context, keep: int) -> None:
    """Remove the oldest runs. It works on a full disk too.

    What other things rest on always stays: the ledger, the published run and the one before it, the runs whose draws these two weigh, and
    a run whose questions are not in the ledger yet.
    """
    from forecast.jobs.index import write_index
    from forecast.jobs.publish import capture_failure
    from forecast.runs.retention import needed

    reports = context.own_workspace.reports
    with publication_lock.publisher(reports, "forecast runs prune", context.now, makes_room=True):
        gone = store.prune(reports, keep, needed(reports))
        _, trouble = capture_failure("the index", lambda: write_index(reports, context.now))
    if context.json:
        context.say_json({"removed": list(gone), "workspace": str(reports.parent)})
    else:
        context.say(f"Removed {len(gone)} run{'' if len(gone) == 1 else 's'} from {reports}{': ' if gone else '.'}{', '.join(gone)}")
    if trouble:
        raise trouble
