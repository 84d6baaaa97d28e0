"""`forecast run`: the main job."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import combined_error
from forecast.cli._timetable import steps_of_run

if TYPE_CHECKING:
    from forecast.jobs.publish import Publication


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
    workspace = context.own_workspace
    from forecast.forecasting.inputs import load_workspace
    from forecast.jobs.publish import run_and_publish
    from forecast.runs.run_ids import LATEST

    inputs = load_workspace(workspace, context.as_of, context.now.date())
    steps = steps_of_run(as_of=context.as_of is not None, follows=publish and (workspace.reports / LATEST).is_symlink())
    with context.progress(steps) as progress:
        done = run_and_publish(inputs, workspace.reports, context.surroundings.clock, context.seed, publish, progress, sampler)
    context.record("run", run_id=done.report["run_id"], published=done.published)
    if context.json:
        context.say_json(done.report)
    else:
        for line in lines(done, context.as_of):
            context.say(line)
    if done.troubles:
        raise combined_error(done.troubles)


def lines(done: Publication, as_of: date | None) -> list[str]:
    """For a terminal of 80 columns."""
    from forecast.report.terminal import headline_table

    if done.published:
        what = "Published as reports/latest."
    elif as_of is not None:
        what = "Not published: a run as of an earlier day never is."
    else:
        what = "Not published; `forecast run --publish` does that."
    return [headline_table(done.report), f"Report: {done.path / 'report.html'}", what]
