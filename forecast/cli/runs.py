"""`forecast runs`: what the store holds, whether it is sound, and making room."""

from __future__ import annotations

import click

from forecast.cli._context import Context
from forecast.cli._group import Group
from forecast.cli._options import common, examples
from forecast.errors import StoreError
from forecast.runs import lock, manifest, names, store


@click.group("runs", cls=Group, epilog=examples("forecast runs list", "forecast runs verify"))
def runs() -> None:
    """List, verify and prune the runs in reports/."""


@runs.command("list", epilog=examples("forecast runs list", "forecast runs list --json"))
@common()
def list_(context: Context) -> None:
    """List the runs, newest first; the published one is marked."""
    found = store.list_runs(context.workspace.reports)[::-1]
    if context.json:
        context.say_json([{"run_id": r.run_id, "created": names.made_at(r.run_id).isoformat(), "latest": r.latest} for r in found])
        return
    if not found:
        context.say(f"No run in {context.workspace.reports} yet; `forecast run` makes one.")
    for run in found:
        context.say(f"{run.run_id}  {names.made_at(run.run_id):%Y-%m-%d %H:%M} UTC{'  latest' if run.latest else ''}")


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
    """Remove the oldest runs. The published run and the ledger always stay."""
    reports = context.workspace.reports
    with lock.publisher(reports, "forecast runs prune", context.now):
        gone = store.prune(reports, keep)
    if context.json:
        context.say_json({"removed": list(gone)})
    else:
        context.say(f"Removed {len(gone)} run{'' if len(gone) == 1 else 's'}{': ' if gone else '.'}{', '.join(gone)}")
