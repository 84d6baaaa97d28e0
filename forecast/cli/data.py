"""`forecast data`: what the data are, and what is wrong or odd in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group, Lazy
from forecast.cli._text import print_rows

if TYPE_CHECKING:
    from forecast.data.tables import Data


@click.group(
    "data",
    cls=Group,
    lazy={
        "add": Lazy("forecast.cli.data_add:add", "Add an event, a claim or a poll, after showing what will change."),
        "pull": Lazy("forecast.cli.data_sources:pull", "Fetch the newest official figures and add what is new."),
        "sources": Lazy("forecast.cli.data_sources:sources", "List every series: its use, its newest month, whether it is late."),
    },
    epilog=examples("forecast data check", "forecast data show events --where family=A --from 2026-01"),
)
def data() -> None:
    """Check, show, add to and pull the data."""


@data.command(epilog=examples("forecast data check", "forecast data check --json"))
@common()
def check(context: Context) -> None:
    """Read every file strictly and list all that is wrong (exit 3), odd, or left out of a forecast made today; say what the gate of the
    drivers would let no forecast rest on (exit 4).
    """
    from forecast.data.problems import document, listing, summary
    from forecast.errors import InputError
    from forecast.jobs.data.check import check_workspace

    try:
        checked = check_workspace(context.workspace, context.now.date())
    except InputError as e:
        if not e.problems:
            raise
        if context.json:
            context.say_json(document(e.problems, None))
        else:
            for line in listing(e.problems):
                context.say(line)
        raise InputError(summary(e.problems), "Correct them and check again.") from e
    if context.json:
        context.say_json(document(checked.odd, checked.data))
    else:
        for line in listing(checked.odd):
            context.say(line)
        context.say(summary(checked.odd))
    if checked.gate is not None:
        raise checked.gate


@data.command(
    epilog=examples(
        "forecast data show",
        "forecast data show polls --where wording=force_unqualified --limit 5",
        "forecast data show events --where family=B --where kind=measure --from 2025-01 --as-of 2025-06-30",
        "forecast data show outcome_claims.csv --json",
    )
)
@common("as_of")
@click.argument("file", required=False)
@click.option("--where", metavar="COL=VALUE", multiple=True, help="Only rows whose column has this value; repeat to narrow.")
@click.option("--from", "first", metavar="MONTH", help="Only rows that tell of this month (YYYY-MM) or later ones.")
@click.option("--to", "last", metavar="MONTH", help="Only rows that tell of this month or earlier ones.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most the last N of the rows.")
def show(context: Context, file: str | None, where: tuple[str, ...], first: str | None, last: str | None, limit: int | None) -> None:
    """Print the rows of FILE, or without it the list of files.

    A single row is shown in full. Into a pipe go all columns of each row, between tabs.
    """
    from forecast.data.row_query import BRIEF, Selection, chosen, columns_of, overview, table_named

    read = _read(context)
    if file is None:
        print_rows(context, *overview(read), fold=True)
        return
    name = table_named(file)
    rows = chosen(read, name, Selection.parse(name, where, first, last, limit))
    print_rows(context, columns_of(name), rows, BRIEF.get(name, ()))


def _read(context: Context) -> Data:
    from forecast.data.as_of import as_of
    from forecast.data.read import read_data

    read = read_data(context.workspace.data)
    return as_of(read, context.as_of) if context.as_of else read
