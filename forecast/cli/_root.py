"""A group of commands that imports a command only when it is invoked, and turns every failure into a sentence and an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Final

import click

from forecast.cli._context import Environment
from forecast.cli._options import common_options, extra_options, keep_log, log_of, verbosity
from forecast.cli._streams import FLAG, Log, safe_streams, unprinted
from forecast.data.suggestions import shown
from forecast.errors import INTERRUPTED, ForecastError, InputError, UsageError
from forecast.storage.text import text_problem

_LONG_WORD: Final = re.compile(r"(\S{200})\S{100,}")
"""What a person wrote is not said again in thousands of characters."""


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

    def main(self, *args: Any, **extra: Any) -> Any:
        """All that click and the commands print goes through streams that never fail."""
        completing = "_FORECAST_COMPLETE" in os.environ  # for a shell, to which click writes bytes
        with nullcontext() if completing else safe_streams():
            return super().main(*args, **extra)

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """The log begins here, since a command may be written too wrongly for its options to be known."""
        log = Log(sys.stderr, (extra.get("obj") or Environment()).clock) if FLAG in args else None
        if log:
            log("info", "start", command=shlex.join([info_name or "", *args]))
        try:
            _check_words(args)
            ctx = super().make_context(info_name, args, parent, **extra)
        except click.ClickException as e:
            if not log:
                raise
            raise click.exceptions.Exit(_refused(e, log)) from e
        except click.exceptions.Exit:
            raise
        except (KeyboardInterrupt, Exception) as e:  # click takes an interruption for a failure, with exit code 1
            code = _say(*_words(e), log)
            _finish(log, code)
            raise click.exceptions.Exit(code) from e
        if log:
            keep_log(ctx, log)
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        log = log_of(ctx)
        with log.catching() if log else nullcontext():
            try:
                with _ended_by(signal.SIGTERM):
                    result = super().invoke(ctx)
            except click.exceptions.Exit as e:
                _finish(log, e.exit_code)
                raise
            except click.ClickException as e:  # click itself says these: a usage error, with exit code 2
                if not log:
                    raise
                raise click.exceptions.Exit(_refused(e, log)) from e
            except (KeyboardInterrupt, click.Abort, Exception) as e:
                code = _end(e, ctx)
                _finish(log, code)
                raise click.exceptions.Exit(code) from e
            _finish(log, 0)
            return result


def _check_words(words: Sequence[str]) -> None:
    """Raises click's UsageError for a word with a character that no text may hold."""
    for word in words:
        if wrong := text_problem(word):
            found, expected, remedy = wrong
            raise click.UsageError(f"{shown(word)} is no argument: found {found}; expected {expected}. {remedy}")


@contextmanager
def _ended_by(number: signal.Signals) -> Iterator[None]:
    """A signal ends the block as Ctrl-C does: what is half-made is cleared away first.

    Python drops what is raised while it disposes of an object; an interruption that came at such a moment is made again a moment later.
    """

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
        else:
            hook(what)

    hook, sys.unraisablehook = sys.unraisablehook, dropped
    before = {each: signal.signal(each, stop) for each in (number, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)
        sys.unraisablehook = hook


def _end(failure: BaseException, ctx: click.Context) -> int:
    """Say what went wrong in a sentence, and return the exit code that stands for it."""
    said, code = _words(failure)
    more: dict[str, Any] = {}
    if isinstance(failure, InputError) and failure.problems:
        more["problems"] = [asdict(p) for p in failure.problems]
    if verbosity(ctx) >= 2:
        more["traceback"] = "".join(traceback.format_exception(failure))
    return _say(said, code, log_of(ctx), **more)


def _say(said: str, code: int, log: Log | None, **more: Any) -> int:
    """An error, as a line of the log or in words after its traceback; returns its exit code."""
    if log:
        log("error", "error", message=said, exit_code=code, **more)
    else:
        click.echo(more.get("traceback", "") + said, err=True)
    return code


def _words(failure: BaseException) -> tuple[str, int]:
    if isinstance(failure, (KeyboardInterrupt, click.Abort)):
        return "Interrupted.", INTERRUPTED
    if isinstance(failure, ForecastError):
        return _LONG_WORD.sub(r"\1…", str(failure)), failure.exit_code
    if _is_no_name(failure):
        return "A name that was given is too long for a file, or holds a NUL. Write another.", UsageError.exit_code
    if _is_short_of_memory(failure):
        return "There is too little memory for this. Close other programs, or run it on a larger machine.", ForecastError.exit_code
    if isinstance(failure, OSError) and failure.strerror:
        what = "The system refused something" if failure.filename is None else f"{failure.filename} could not be used"
        remedy = "Check the path, its permissions and the disk; -v -v shows where."
        return _LONG_WORD.sub(r"\1…", f"{what}: {failure.strerror}. {remedy}"), ForecastError.exit_code
    what = (f"{type(failure).__name__}: {failure}".rstrip(": ").splitlines() or [""])[0]
    return f"Unexpected: {what}. Run again with -v -v for the traceback.", ForecastError.exit_code


def _is_no_name(failure: BaseException) -> bool:
    """Only what a person wrote can be a path that no system takes."""
    too_long = isinstance(failure, OSError) and failure.errno == errno.ENAMETOOLONG
    return too_long or (isinstance(failure, ValueError) and "embedded null" in str(failure))


def _is_short_of_memory(failure: BaseException) -> bool:
    """Python, the system, or the loader of a library below another, may be the one who finds no memory."""
    lacking = isinstance(failure, OSError) and failure.errno == errno.ENOMEM
    unloaded = isinstance(failure, ImportError) and any(
        words in str(failure) for words in ("Cannot allocate memory", "failed to map segment")
    )
    before = failure.__cause__ or failure.__context__
    return isinstance(failure, MemoryError) or lacking or unloaded or (before is not None and _is_short_of_memory(before))


def _refused(failure: click.ClickException, log: Log) -> int:
    """What click would have said of a command that is written wrongly."""
    log("error", "error", message=failure.format_message(), exit_code=failure.exit_code)
    _finish(log, failure.exit_code)
    return failure.exit_code


def _finish(log: Log | None, code: int) -> None:
    """The last words of a command: what could not be printed, and in a log the exit code."""
    if (lost := unprinted()) and log:
        log("warning", "warning", message=lost)
    elif lost:
        click.echo(lost, err=True)
    if log:
        log.end(code)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        import forecast

        click.echo(f"forecast {forecast.__version__}")
        ctx.exit()
