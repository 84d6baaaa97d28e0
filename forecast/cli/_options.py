"""Options that every command takes, before or after its name, and the examples below its help."""

from __future__ import annotations

import functools
import logging
import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date
from typing import Any, Concatenate, Literal

import click

from forecast.cli._context import Context, Environment
from forecast.cli._streams import FLAG, Log
from forecast.cli._text import continued

type Extra = Literal["as_of", "seed"]
_META, _LOG = "forecast.options", "forecast.log"


class Seconds(click.FloatRange):
    """A time to wait: a number from 0 on, and not NaN."""

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


class Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date of the form YYYY-MM-DD.", param, ctx)


def _collect(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Collect options values at any level of `forecast data check`: the last one counts; -v and -q add up."""
    values = ctx.meta.setdefault(_META, {})
    name = param.name or ""
    if name in ("verbose", "quiet"):
        values[name] = values.get(name, 0) + int(value)
    elif value is not None and value is not False:  # a seed may be 0
        values[name] = value


def _option(*names: str, **how: Any) -> click.Option:
    return click.Option(names, callback=_collect, expose_value=False, **how)


def common_options() -> list[click.Parameter]:
    """New options for one command. They are eager: read before any argument can fail."""
    return [
        _option("--workspace", metavar="DIR", help="The folder with data/, priors/ and reports/.", type=click.Path(), is_eager=True),
        _option("--json", is_flag=True, help="Print one JSON document instead of a table.", is_eager=True),
        _option("-q", "--quiet", count=True, help="Print no progress and no warnings.", is_eager=True),
        _option("-v", "--verbose", count=True, help="Print more; twice for the traceback of an error.", is_eager=True),
        _option(FLAG, is_flag=True, help="Print progress, warnings and errors as JSON, one object a line.", is_eager=True),
    ]


def extra_options(names: tuple[Extra, ...] = ("as_of", "seed")) -> list[click.Parameter]:
    options: dict[Extra, Callable[[], click.Option]] = {
        "as_of": lambda: _option("--as-of", metavar="DATE", type=Day(), help="Use only what was published by this day."),
        "seed": lambda: _option("--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Seed of the random numbers."),
    }
    return [options[name]() for name in names]


def verbosity(ctx: click.Context) -> int:
    values = ctx.meta.get(_META, {})
    return int(values.get("verbose", 0)) - int(values.get("quiet", 0))


def keep_log(ctx: click.Context, log: Log) -> None:
    """Have this command and those below it write to a log."""
    ctx.meta[_LOG] = log


def log_of(ctx: click.Context) -> Log | None:
    """The log, if --log-json was values; quiet once -q was."""
    log = ctx.meta.get(_LOG)
    return replace(log, quiet=verbosity(ctx) < 0) if log else None


def context_of(ctx: click.Context, takes: tuple[Extra, ...] = ()) -> Context:
    """The shared options of a command as it is invoked. Raises click's UsageError for an option that the command does not have."""
    values = ctx.meta.get(_META, {})
    for name, flag in (("as_of", "--as-of"), ("seed", "--seed")):
        if name in values and name not in takes:
            raise click.UsageError(f"`{ctx.command_path}` has no option {flag}.", ctx)
    logger = logging.getLogger("forecast")
    ctx.call_on_close(functools.partial(logger.setLevel, logger.level))  # for whoever calls commands in a process that goes on
    logger.setLevel(logging.ERROR if verbosity(ctx) < 0 else logging.WARNING)
    environment = ctx.find_object(Environment) or Environment()
    today = environment.clock().astimezone(UTC).date()
    if (day := values.get("as_of")) is not None and day > today:
        raise click.UsageError(f"--as-of {day} is in the future; today is {today}.", ctx)
    return Context(
        environment=environment,
        workspace_option=values.get("workspace"),
        json=bool(values.get("json")),
        verbosity=verbosity(ctx),
        seed=values.get("seed"),
        as_of=values.get("as_of"),
        log=log_of(ctx),
    )


def common[**P, R](*takes: Extra) -> Callable[[Callable[Concatenate[Context, P], R]], Callable[P, R]]:
    """Give a command the shared options, and its function a Context as first argument.

        @click.command(epilog=examples("forecast data check"))
        @common("as_of")
        @click.argument("file", required=False)
        def check(context: Context, file: str | None) -> None: ...

    `takes` names those of `as_of` and `seed` that the command has.
    """

    def decorate(function: Callable[Concatenate[Context, P], R]) -> Callable[P, R]:
        @functools.wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(context_of(click.get_current_context(), takes), *args, **kwargs)

        params: list[click.Parameter] = getattr(command, "__click_params__", [])
        command.__click_params__ = [*reversed(common_options() + extra_options(takes)), *params]  # type: ignore[attr-defined]  # how click passes them on
        return command

    return decorate


def force_option[F: Callable[..., Any]](function: F) -> F:
    """`--force`, of every command that writes a file named by the user."""
    return click.option("--force", is_flag=True, help="Replace an existing file.")(function)


def examples(*commands: str) -> str:
    """The examples below a command's help. A test runs each of them in a new copy of the bundled workspace."""
    lines = [line for command in commands for line in continued(_parts(command), 78)]
    return "\b\nExamples:\n" + "\n".join(lines)


def _parts(command: str) -> list[str]:
    """The words of a command as they are typed, an option with its value."""
    parts: list[str] = []
    for word in re.findall(r"(?:[^\s']|'[^']*')+", command):
        if parts and re.fullmatch(r"--[\w-]+", parts[-1]) and not word.startswith("--"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts
