"""`forecast schedule`: settings for cron or systemd, printed to be copied. Nothing is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import time
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._root import Group

if TYPE_CHECKING:
    from forecast.jobs.schedule import Schedule


class Clock(click.ParamType[time]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> time:
        hour, colon, minute = str(value).partition(":")
        if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and int(hour) < 24 and int(minute) < 60):
            self.fail(f"{value!r} is not a time of the form HH:MM.", param, ctx)
        return time(int(hour), int(minute))


def when[F: Callable[..., Any]](function: F) -> F:
    """The options of every scheduler."""
    options = (
        click.option(
            "--every", metavar="WHEN", default="day", show_default=True, help="day, week, month, or an expression of the scheduler."
        ),
        click.option("--time", "at", metavar="HH:MM", type=Clock(), help="The time of day by this machine's clock.  [default: 06:17]"),
        click.option("--pull", is_flag=True, help="Fetch the newest official figures each time."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group("schedule", cls=Group, epilog=examples("forecast schedule cron --pull", "forecast schedule systemd --pull"))
def schedule() -> None:
    """Print settings with which cron or systemd runs the refit."""


@schedule.command(epilog=examples("forecast schedule cron --pull"))
@common()
@when
def cron(context: Context, every: str, at: time | None, pull: bool) -> None:
    """Print lines for `crontab -e` that refit this workspace. WHEN may also be the five fields of cron."""
    from forecast.jobs import schedule as job

    text = job.cron(_plan(context, every, at, pull))
    context.show({"crontab": text}, text.rstrip("\n"))


@schedule.command(epilog=examples("forecast schedule systemd --pull", "forecast schedule systemd --every 'Mon..Fri 06:17' --part timer"))
@common()
@when
@click.option("--part", type=click.Choice(["service", "timer"]), help="Print only this file, to redirect it to its place.")
def systemd(context: Context, every: str, at: time | None, pull: bool, part: str | None) -> None:
    """Print a service and a timer that refit this workspace. WHEN may also be an OnCalendar expression."""
    from forecast.jobs import schedule as job

    plan = _plan(context, every, at, pull)
    files = {f"{job.UNIT}.service": job.service(plan), f"{job.UNIT}.timer": job.timer(plan)}
    chosen = {name: text for name, text in files.items() if part is None or name.endswith(part)}
    context.show(chosen, "\n".join(chosen.values()).rstrip("\n"))


def _plan(context: Context, every: str, at: time | None, pull: bool) -> Schedule:
    import forecast
    from forecast.errors import UsageError
    from forecast.jobs.schedule import EVERY, Schedule, find_program

    if at is not None and every not in EVERY:
        raise UsageError(f"--time cannot be combined with --every {every!r}.", "Write the time in the expression.")
    root = context.own_workspace.root.absolute()  # a schedule writes
    plan = Schedule(find_program(sys.executable, forecast.__version__), root, every, pull=pull)
    return plan if at is None else Schedule(plan.program, root, every, at, pull)
