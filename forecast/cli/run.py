"""`forecast run`: the main job."""

from __future__ import annotations

from typing import Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples


@click.command(epilog=examples("forecast run --publish", "forecast run --seed 7", "forecast run --as-of 2025-06-30 --json"))
@common("as_of", "seed")
@click.option("--publish", is_flag=True, help="Make this run the published one. A first run in an empty reports/ is published anyway.")
@click.option(
    "--sampler", type=click.Choice(["nutpie", "pymc"]), default="nutpie", show_default=True, help="Whose NUTS to use; pymc is slower."
)
def run(context: Context, publish: bool, sampler: Literal["nutpie", "pymc"]) -> None:
    """Fit the model, forecast, and write a report.

    The run is written to reports/ and named by its time. A run as of an earlier day is never published.
    """
    from forecast.jobs.publish import run_and_publish
    from forecast.jobs.workspace import load_workspace
    from forecast.report.terminal import headline_table

    workspace = context.workspace
    inputs = load_workspace(workspace, context.as_of)
    with context.progress() as progress:
        done = run_and_publish(inputs, workspace.reports, context.surroundings.clock, context.seed, publish, progress, sampler)
    if context.json:
        context.say_json(done.report)
        return
    context.say(headline_table(done.report))
    context.say(f"Report: {done.path / 'report.html'}")
    if done.published:
        context.say("Published as reports/latest.")
    elif context.as_of is not None:
        context.say("Not published: a run as of an earlier day never is.")
    else:
        context.say("Not published; `forecast run --publish` does that.")
