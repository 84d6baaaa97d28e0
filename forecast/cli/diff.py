"""`forecast diff`: what differs between two runs."""

from __future__ import annotations

from typing import Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples


@click.command(
    epilog=examples("forecast diff latest latest", "forecast diff latest latest --format markdown", "forecast diff latest latest --json")
)
@common()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True, help="Markdown is for a pull request."
)
@click.option("--all", "everything", is_flag=True, help="Show every row and every question.")
def diff(context: Context, first: str, second: str, form: Literal["text", "markdown"], everything: bool) -> None:
    """Say what differs between run A and run B: data, priors, settings, code, forecast.

    A run is named by its id, a unique beginning of it, `latest`, or a folder. `forecast explain` says what made the forecast differ.
    """
    from forecast.jobs.diff import diff as compare
    from forecast.report.diff_view import render_diff
    from forecast.runs import store

    reports = context.workspace.reports
    found = compare(store.resolve(reports, first), store.resolve(reports, second))
    if context.json:
        context.say_json(found)
    else:
        context.say(render_diff(found, form, everything).rstrip("\n"))
