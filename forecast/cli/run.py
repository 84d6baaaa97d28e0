"""`forecast run` and `forecast refit`: the two jobs that make a forecast."""

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

PUBLISHED = "Published as reports/latest."


@click.command(epilog=examples("forecast run --publish", "forecast run --seed 7", "forecast run --as-of 2025-06-30 --json"))
@common("as_of", "seed")
@click.option("--publish", is_flag=True, help="Publish this run. The first run in an empty reports/ is always published.")
@click.option(
    "--sampler", type=click.Choice(["nutpie", "pymc"]), default="nutpie", show_default=True, help="The NUTS sampler to use; pymc is slower."
)
def run(context: Context, publish: bool, sampler: Literal["nutpie", "pymc"]) -> None:
    """Fit the model, forecast, and write a report.

    The run is written to reports/ under a name made of the date and time. A run as of an earlier day is never published.
    """
    workspace = context.own_workspace
    from forecast.forecasting.inputs import load_workspace
    from forecast.jobs.publish import run_and_publish
    from forecast.runs.store import LATEST

    inputs = load_workspace(workspace, context.as_of, context.now.date())
    steps = steps_of_run(as_of=context.as_of is not None, follows=publish and (workspace.reports / LATEST).is_symlink())
    with context.progress(steps) as progress:
        result = run_and_publish(inputs, workspace.reports, context.environment.clock, context.seed, publish, progress, sampler)
    context.record("run", run_id=result.report.run_id, published=result.published)
    context.show(result.report.document(), run_lines(result, context.as_of))
    if result.troubles:
        raise combined_error(result.troubles)


def run_lines(result: Publication, as_of: date | None) -> list[str]:
    """The result of `forecast run` for a terminal of 80 columns."""
    from forecast.report.text_view import render_text

    if result.published:
        status = PUBLISHED
    elif as_of is not None:
        status = "Not published: a run as of an earlier day never is."
    else:
        status = "Not published; `forecast run --publish` publishes."
    return [render_text(result.report), f"Report: {result.path / 'report.html'}", status]


@click.command(epilog=examples("forecast refit", "forecast refit --wait", "forecast refit --wait 600 --json"))
@common("seed")
@click.option("--pull", is_flag=True, help="Fetch the newest official figures first. The refit goes on if a source cannot be reached.")
@click.option(
    "--wait", metavar="[SECONDS]", is_flag=False, flag_value=inf, default=0.0, type=Seconds(),
    help="If another refit is running, wait for it: at most SECONDS, or until it ends. By default, give up at once.",
)  # fmt: skip
def refit(context: Context, pull: bool, wait: float) -> None:
    """Update the published forecast if data or priors have changed.

    Prints the decision and its reason. skipped: no value has changed. reweighted: the change is small, so the draws of the published run
    get new weights. refitted: the model was fitted again. refused: the data check failed (exit code 3) or the fit did not pass the gate
    (exit code 4); then the published forecast stays as it was.
    """
    where = context.own_workspace
    from forecast.jobs.refit.refit import refit as job
    from forecast.runs.store import LATEST

    clock, environ = context.environment.clock, context.environment.environ
    with context.progress(steps_of_refit(pull, follows=(where.reports / LATEST).is_symlink())) as progress:
        result = job(where, clock, environ, context.seed, pull, wait, progress)
    context.record("decision", **result.as_dict()["decision"])
    if context.json:
        context.say_json(result.as_dict() | {"workspace": str(where.root)})
    else:
        for line in refit_lines(result):
            context.say(line)
        context.say_written(where, ["data/", "reports/"] if pull else ["reports/"])
    if result.errors:
        raise combined_error(result.errors)


def refit_lines(result: Refit) -> list[str]:
    """The result of `forecast refit` for a terminal of 80 columns."""
    from forecast.formatting import month_words
    from forecast.report.text_view import render_text

    decision = result.decision
    out = wrap(sentence(f"{decision.kind}: {decision.reason}"))
    if result.run is None:
        return [*out, "No forecast has been published yet."]
    if result.report is None:
        return [*out, *wrap(sentence(f"{result.run.other_version}; it stays published"))]
    if decision.kind in ("reweighted", "refitted"):
        return [render_text(result.report), *out, f"Report: {result.run.path / 'report.html'}", PUBLISHED]
    if decision.kind == "refused":
        out.append(f"The published forecast stays as it was: run {result.run.name}.")
    if result.stale:
        origin = month_words(result.report.origin)
        out += wrap(f"It is stale: it uses no events after {origin}. A new fit would not change that; newer events would.")
    return out
