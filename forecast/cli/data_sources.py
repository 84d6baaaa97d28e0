"""`forecast data pull` and `forecast data sources`: the newest official figures, and the source of every series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.errors import SourceError

if TYPE_CHECKING:
    from forecast.jobs.data.pull import PullOutcome
    from forecast.workspace import Workspace


@click.command(epilog=examples("forecast data pull --dry-run", "forecast data pull --dry-run overdose gpr"))
@common()
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Show which addresses would be asked, and ask none.")
def pull(context: Context, names: tuple[str, ...], dry_run: bool) -> None:
    """Fetch the newest official figures and add what is new.

    Existing rows are never overwritten: a revision is a new row. Without SOURCE, all publishers are asked. If one fails, its data stay as
    they were, the others go on, and the exit code is 6.
    """
    if dry_run:
        _plan(context, names)
        return
    where = context.own_workspace
    from forecast.jobs.data.pull import pull_sources

    pulled: list[PullOutcome] = []
    try:
        with context.progress() as progress:
            environ = context.environment.environ
            pull_sources(where, names, now=context.now, environ=environ, progress=progress, on_outcome=pulled.append)
    except SourceError:
        _print(context, where, pulled)
        raise
    _print(context, where, pulled)


@click.command(epilog=examples("forecast data sources", "forecast data sources --json"))
@common()
def sources(context: Context) -> None:
    """List every series: its use, its newest month, whether it is late."""
    from forecast.cli._text import print_rows
    from forecast.jobs.data.pull import list_sources

    rows = [asdict(row) for row in list_sources(context.workspace, context.now.date())]
    columns = ("series", "used_for", "newest", "status", "pulled_by", "file", "publisher", "url", "terms", "citation")
    print_rows(context, columns, rows, ("series", "used_for", "newest", "pulled_by", "status"))


def _plan(context: Context, names: tuple[str, ...]) -> None:
    from forecast.cli._text import print_rows
    from forecast.jobs.data.pull import plan_pull

    rows = [
        {"source": p.source, "file": p.file, "used_for": _uses(p.used_for), "address": address}
        for p in plan_pull(context.workspace, names)
        for address in p.addresses
    ]
    print_rows(context, ("source", "file", "used_for", "address"), rows)


def _print(context: Context, where: Workspace, pulled: list[PullOutcome]) -> None:
    from forecast.cli._text import print_rows

    for outcome in pulled:
        context.record("source", **asdict(outcome))
    if context.json:
        context.say_json({"pulled": [asdict(outcome) for outcome in pulled], "workspace": str(where.root)})
        return
    rows = [{"source": p.source, "file": p.file, "used_for": _uses(p.used_for), "status": _status(p)} for p in pulled]
    print_rows(context, ("source", "file", "used_for", "status"), rows)
    if files := sorted({f"data/{p.file}" for p in pulled if p.rows}):
        context.warn(f"Written in {where.root}: {', '.join(files)}.")  # not among the rows, which a program may read


def _status(outcome: PullOutcome) -> str:
    text = f"{outcome.rows} new rows" if outcome.status == "new rows" else outcome.status
    return f"{text}: {outcome.detail}" if outcome.detail else text


def _uses(used_for: Mapping[str, str]) -> str:
    return ", ".join(f"{series} {use}" for series, use in used_for.items()) or "nothing"
