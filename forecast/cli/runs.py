"""`forecast runs`: what the store holds, whether it is sound, and making room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._group import Group
from forecast.cli._options import common, examples
from forecast.errors import StoreError
from forecast.report.words import NONE
from forecast.runs import lock, manifest, store

if TYPE_CHECKING:
    from forecast.report.entry import Entry


@click.group("runs", cls=Group, epilog=examples("forecast runs list", "forecast runs verify"))
def runs() -> None:
    """List, verify and prune the runs in reports/."""


@runs.command("list", epilog=examples("forecast runs list", "forecast runs list --json"))
@common()
def list_(context: Context) -> None:
    """List the runs, newest first: origin, headline with its 80 % interval, what was decided, and which were published."""
    from forecast.jobs.index import as_rows, entries

    found = entries(context.workspace.reports)
    if context.json:
        context.say_json(as_rows(found))
        return
    for line in _table(found):
        context.say(line)
    if not found:
        context.say(f"No run in {context.workspace.reports} yet; `forecast run` makes one.")


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
    """Compare every file of RUN, or of all runs, with the digests its manifest keeps."""
    reports = context.workspace.reports
    paths = [store.resolve(reports, run)] if run else [found.path for found in store.list_runs(reports)]
    if not run:
        store.latest(reports)
    problems = {path.name: list(manifest.verify(path)) for path in paths}
    if context.json:
        context.say_json([{"run_id": name, "problems": found} for name, found in problems.items()])
    else:
        for name, found in problems.items():
            context.say("\n  ".join([f"{name}  {'damaged' if found else 'sound'}", *found]))
        if not problems:
            context.say(f"No run in {reports} yet.")
    if damaged := [name for name, found in problems.items() if found]:
        raise StoreError(f"Damaged: {', '.join(damaged)}.", "Restore it from a copy, or move its folder out of reports/ and run again.")


@runs.command(epilog=examples("forecast runs prune --keep 10"))
@common()
@click.option("--keep", metavar="N", type=click.IntRange(min=0), required=True, help="How many of the newest runs to keep.")
def prune(context: Context, keep: int) -> None:
    """Remove the oldest runs. The published run and the ledger always stay. It works on a full disk too."""
    from forecast.jobs.index import write_index
    from forecast.jobs.publish import tried

    reports = context.own_workspace.reports
    with lock.publisher(reports, "forecast runs prune", context.now, makes_room=True):
        gone = store.prune(reports, keep)
        _, trouble = tried("the index", lambda: write_index(reports, context.now))
    if context.json:
        context.say_json({"removed": list(gone), "workspace": str(reports.parent)})
    else:
        context.say(f"Removed {len(gone)} run{'' if len(gone) == 1 else 's'} from {reports}{': ' if gone else '.'}{', '.join(gone)}")
    if trouble:
        raise trouble
