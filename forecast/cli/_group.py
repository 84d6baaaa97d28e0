"""A group of commands that imports a command only when it is invoked, and turns every failure into a sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from forecast.cli._context import ReaderGone
from forecast.cli._options import common_options, extra_options, verbosity
from forecast.errors import ForecastError

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is defined (`module:attribute`), and its one-line help, so that listing commands imports none of them."""

    target: str
    help: str

    def load(self) -> click.Command:
        module, attribute = self.target.split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


class Group(click.Group):
    """A noun of the command line. It takes the shared options too, so that they may stand before the command's name.

    Use: `@click.group("data", cls=Group)`; `lazy={"reference": Lazy("forecast.cli.reference:reference", "...")}` adds commands that other
    files define.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy] | None = None, **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.lazy = dict(lazy or {})
        self.params += common_options() + extra_options()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.lazy:
            return self.lazy[cmd_name].load()
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise click.NoSuchCommand(args[0], possibilities=self.list_commands(ctx), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, lazy.help) for name, lazy in self.lazy.items()]
        rows += [(name, command.get_short_help_str(100)) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Root(Group):
    """The command itself: the one place where a failure becomes words on standard error and an exit code."""

    def __init__(self, *args: Any, **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        how: dict[str, Any] = {"is_flag": True, "is_eager": True, "expose_value": False}
        self.params.append(click.Option(["--version"], help="Show the version.", callback=_version, **how))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):  # click itself says these, a usage error with exit code 2
            raise
        except (KeyboardInterrupt, click.Abort, Exception) as e:
            raise click.exceptions.Exit(_end(e, ctx)) from e


def _end(failure: BaseException, ctx: click.Context) -> int:
    """Say what went wrong in a sentence, and return the exit code that stands for it."""
    if isinstance(failure, ReaderGone):  # what is still buffered must not fail again when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if verbosity(ctx) >= 2:
        traceback.print_exception(failure)
    if isinstance(failure, (KeyboardInterrupt, click.Abort)):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    if isinstance(failure, ForecastError):
        click.echo(str(failure), err=True)
        return failure.exit_code
    what = (f"{type(failure).__name__}: {failure}".rstrip(": ").splitlines() or [""])[0]
    click.echo(f"Unexpected: {what}. Run again with -v -v for the traceback.", err=True)
    return ForecastError.exit_code


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        import forecast

        click.echo(f"forecast {forecast.__version__}")
        ctx.exit()
