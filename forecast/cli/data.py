"""`forecast data check` and `show`, and the group that they belong to."""

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
    """Check all data, priors and scenarios: list every error and warning.

    Errors end with exit code 3. Warnings also name what a forecast made today would leave out. The models of the drivers are fitted too;
    if one of them fails, no forecast can be made (exit code 4).
    """
    from forecast.data.problems import problem_document, problem_lines, problem_summary
    from forecast.errors import InputError
    from forecast.jobs.data.check import check_workspace

    try:
        checked = check_workspace(context.workspace, context.now.date())
    except InputError as e:
        if not e.problems:
            raise
        if context.json:
            context.say_json(problem_document(e.problems, None))
        else:
            for line in problem_lines(e.problems):
                context.say(line)
        raise InputError(problem_summary(e.problems), "Correct them and check again.") from e
    if context.json:
        context.say_json(problem_document(checked.odd, checked.data))
    else:
        for line in problem_lines(checked.odd):
            context.say(line)
        context.say(problem_summary(checked.odd))
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
@click.option("--where", metavar="COL=VALUE", multiple=True, help="Only rows with this value in the column; repeat to narrow further.")
@click.option("--from", "first", metavar="MONTH", help="Only rows about this month (YYYY-MM) or later ones.")
@click.option("--to", "last", metavar="MONTH", help="Only rows about this month or earlier ones.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most the last N of the rows.")
def show(context: Context, file: str | None, where: tuple[str, ...], first: str | None, last: str | None, limit: int | None) -> None:
    """Print the rows of FILE, or the list of files if none is named.

    A single row is shown in full. Output that is not a terminal has all columns of each row, separated by tabs.
    """
    from forecast.data.row_query import SHORT_COLUMNS, Selection, columns_of, overview, select_rows, table_of_file

    read = _read(context)
    if file is None:
        print_rows(context, *overview(read), fold=True)
        return
    name = table_of_file(file)
    rows = select_rows(read, name, Selection.parse(name, where, first, last, limit))
    print_rows(context, columns_of(name), rows, SHORT_COLUMNS.get(name, ()))


def _read(context: Context) -> Data:
    from forecast.data.as_of import as_of
    from forecast.data.read import read_data

    read = read_data(context.workspace.data)
    return as_of(read, context.as_of) if context.as_of else read
