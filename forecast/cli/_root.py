"""Groups of commands that import a command only when it is used, and turn every failure into a sentence and an exit code."""

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
from forecast.data.suggestions import quoted
from forecast.errors import INTERRUPTED, ForecastError, InputError, UsageError
from forecast.storage.text import text_problem

_LONG_WORD: Final = re.compile(r"(\S{200})\S{100,}")
"""Very long words in a message are shortened."""


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is defined (`module:attribute`), and its one-line help. Listing commands imports none of them."""

    target: str
    help: str

    def load(self) -> click.Command:
        module, attribute = self.target.split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


class Group(click.Group):
    """A noun of the command line. It takes the shared options too, so that they may be given before the command's name.

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
    """The command `forecast`. Here every failure becomes a message on standard error and an exit code."""

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
        """The log starts here, because a command line with errors may never get as far as its options."""
        log = Log(sys.stderr, (extra.get("obj") or Environment()).clock) if FLAG in args else None
        if log:
            log("info", "start", command=shlex.join([info_name or "", *args]))
        try:
            _check_arguments(args)
            ctx = super().make_context(info_name, args, parent, **extra)
        except click.ClickException as e:
            if not log:
                raise
            raise click.exceptions.Exit(_report_usage_error(e, log)) from e
        except click.exceptions.Exit:
            raise
        except (KeyboardInterrupt, Exception) as e:  # click takes an interruption for a failure, with exit code 1
            code = _print_error(*_message(e), log)
            _finish(log, code)
            raise click.exceptions.Exit(code) from e
        if log:
            keep_log(ctx, log)
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        log = log_of(ctx)
        with log.catching() if log else nullcontext():
            try:
                with _interrupted_by(signal.SIGTERM):
                    result = super().invoke(ctx)
            except click.exceptions.Exit as e:
                _finish(log, e.exit_code)
                raise
            except click.ClickException as e:  # click prints these itself: usage errors, with exit code 2
                if not log:
                    raise
                raise click.exceptions.Exit(_report_usage_error(e, log)) from e
            except (KeyboardInterrupt, click.Abort, Exception) as e:
                code = _report_failure(e, ctx)
                _finish(log, code)
                raise click.exceptions.Exit(code) from e
            _finish(log, 0)
            return result


def _check_arguments(words: Sequence[str]) -> None:
    """Raises click's UsageError for an argument with a character that no text may contain."""
    for word in words:
        if wrong := text_problem(word):
            found, expected, remedy = wrong
            raise click.UsageError(f"{quoted(word)} is not a valid argument: found {found}; expected {expected}. {remedy}")


@contextmanager
def _interrupted_by(number: signal.Signals) -> Iterator[None]:
    """A signal ends the block as Ctrl-C does, so that temporary files are removed.

    Python ignores an exception raised while it deletes an object; an interruption at such a moment is repeated shortly after.
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


def _report_failure(failure: BaseException, ctx: click.Context) -> int:
    """Print what went wrong, and return its exit code."""
    message, code = _message(failure)
    details: dict[str, Any] = {}
    if isinstance(failure, InputError) and failure.problems:
        details["problems"] = [asdict(p) for p in failure.problems]
    if verbosity(ctx) >= 2:
        details["traceback"] = "".join(traceback.format_exception(failure))
    return _print_error(message, code, log_of(ctx), **details)


def _print_error(message: str, code: int, log: Log | None, **details: Any) -> int:
    """Print an error as a line of the log, or as text after its traceback. Returns its exit code."""
    if log:
        log("error", "error", message=message, exit_code=code, **details)
    else:
        click.echo(details.get("traceback", "") + message, err=True)
    return code


def _message(failure: BaseException) -> tuple[str, int]:
    if isinstance(failure, (KeyboardInterrupt, click.Abort)):
        return "Interrupted.", INTERRUPTED
    if isinstance(failure, ForecastError):
        return _LONG_WORD.sub(r"\1…", str(failure)), failure.exit_code
    if _is_unusable_name(failure):
        return "A name is too long for a file, or contains a NUL character. Use another.", UsageError.exit_code
    if _is_out_of_memory(failure):
        return "There is not enough memory. Close other programs, or use a larger machine.", ForecastError.exit_code
    if isinstance(failure, OSError) and failure.strerror:
        what = "The operating system refused an operation" if failure.filename is None else f"{failure.filename} could not be used"
        remedy = "Check the path, its permissions and the disk; -v -v prints the traceback."
        return _LONG_WORD.sub(r"\1…", f"{what}: {failure.strerror}. {remedy}"), ForecastError.exit_code
    what = (f"{type(failure).__name__}: {failure}".rstrip(": ").splitlines() or [""])[0]
    return f"Unexpected: {what}. Run again with -v -v for the traceback.", ForecastError.exit_code


def _is_unusable_name(failure: BaseException) -> bool:
    """A path that the operating system cannot take; only the user can have written it."""
    too_long = isinstance(failure, OSError) and failure.errno == errno.ENAMETOOLONG
    return too_long or (isinstance(failure, ValueError) and "embedded null" in str(failure))


def _is_out_of_memory(failure: BaseException) -> bool:
    """Python, the operating system or the loader of a library may report the lack of memory, also as the cause of another error."""
    no_memory = isinstance(failure, OSError) and failure.errno == errno.ENOMEM
    unloaded = isinstance(failure, ImportError) and any(
        words in str(failure) for words in ("Cannot allocate memory", "failed to map segment")
    )
    before = failure.__cause__ or failure.__context__
    return isinstance(failure, MemoryError) or no_memory or unloaded or (before is not None and _is_out_of_memory(before))


def _report_usage_error(failure: click.ClickException, log: Log) -> int:
    """Log a usage error with click's own message. Returns its exit code."""
    log("error", "error", message=failure.format_message(), exit_code=failure.exit_code)
    _finish(log, failure.exit_code)
    return failure.exit_code


def _finish(log: Log | None, code: int) -> None:
    """End a command: report output that could not be printed, and log the exit code."""
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
