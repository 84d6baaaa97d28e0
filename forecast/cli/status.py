"""`forecast status`: what is newest and whether it is sound."""

from __future__ import annotations

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples


@click.command(epilog=examples("forecast status", "forecast status --json"))
@common()
def status(context: Context) -> None:
    """Say what is newest, how old it is and whether it is sound.

    The exit code is 0 if there is a sound and fresh published run, and 8 if it is stale or damaged or there is none.
    """
    from forecast.errors import UnhealthyError
    from forecast.jobs.status import examine, lines

    found = examine(context.workspace, context.now)
    if context.json:
        context.say_json(found.as_dict())
    else:
        for line in lines(found):
            context.say(line)
    if found.troubles:
        raise UnhealthyError("; ".join(found.troubles) + ".", found.remedy)
