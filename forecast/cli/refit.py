"""`forecast refit`: the scheduled job."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context
from forecast.cli._options import Seconds, common, examples
from forecast.cli._text import combined_error, sentence, wrap
from forecast.cli._timetable import steps_of_refit

if TYPE_CHECKING:
    from forecast.jobs.refit.refit import Refit


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

    clock, environ = context.surroundings.clock, context.surroundings.environ
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
