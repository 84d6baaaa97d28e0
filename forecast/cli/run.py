"""`forecast run`: the main job."""

from __future__ import annotations

from datetime import date
from math import inf
from typing import TYPE_CHECKING, Literal

import click

from forecast.cli._context import Context
from forecast.cli._options import Seconds, common, examples
from forecast.cli._progress import steps_of_refit, steps_of_run
from forecast.cli._text import combined_error, sentence, wrap

if TYPE_CHECKING:
    from forecast.jobs.publish import Publication
    from forecast.jobs.refit.refit import Refit

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
        done = run_and_publish(inputs, workspace.reports, context.environment.clock, context.seed, publish, progress, sampler)
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


@click.command(epilog=examples("forecast refit", "forecast refit --wait", "forecast refit --wait 600 --json"))
@common("seed")
@click.option("--pull", is_flag=True, help="Fetch the newest official figures first; a source that is down stops nothing.")
@click.option(
    "--wait", metavar="[SECONDS]", is_flag=False, flag_value=inf, default=0.0, type=Seconds(),
    help="Wait for another refit instead of giving up at once: so many seconds, or without a number until it ends.",
)  # fmt: skip
def refit(context: Context, pull: bool, wait: float) -> None:
    """Bring the published forecast up to its data and priors, if they changed.

    Says what was decided and why: skipped (all means what it meant), reweighted (a small addition that the draws carry), refitted, or
    refused by the data check (exit code 3) or the gate (4); then the last good forecast stands.
    """
    where = context.own_workspace
    from forecast.jobs.refit.refit import refit as job
    from forecast.runs.run_ids import LATEST

    clock, environ = context.environment.clock, context.environment.environ
    with context.progress(steps_of_refit(pull, follows=(where.reports / LATEST).is_symlink())) as progress:
        done = job(where, clock, environ, context.seed, pull, wait, progress)
    context.record("decision", **done.as_dict()["decision"])
    if context.json:
        context.say_json(done.as_dict() | {"workspace": str(where.root)})
    else:
        for line in lines(done):
            context.say(line)
        context.say_written(where, ["data/", "reports/"] if pull else ["reports/"])
    if done.errors:
        raise combined_error(done.errors)


def lines(done: Refit) -> list[str]:
    """For a terminal of 80 columns."""
    from forecast.report.terminal import headline_table
    from forecast.report.words import month_words

    said = done.decision
    out = wrap(sentence(f"{said.kind}: {said.reason}"), 80)
    if done.path is None:
        return [*out, "No forecast has been published yet."]
    if done.report is None:
        return [*out, *wrap(f"Run {done.path.name} stays published. Another version of this program reported it, in another form.", 80)]
    if said.kind in ("reweighted", "refitted"):
        return [headline_table(done.report), *out, f"Report: {done.path / 'report.html'}", "Published as reports/latest."]
    if said.kind == "refused":
        out.append(f"The last good forecast stands: run {done.path.name}.")
    if done.stale:
        out += wrap(f"It is stale: it knows nothing after {month_words(done.report['origin'])}. That alone is no reason to fit again.", 80)
    return out
