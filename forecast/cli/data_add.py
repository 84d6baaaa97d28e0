"""`forecast data add`: a new event, claim or poll, shown with what it changes before it is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._group import Group
from forecast.cli._options import Day, common, examples
from forecast.data.ask import LABELS

if TYPE_CHECKING:
    from forecast.data.given import Given
    from forecast.jobs.add import Proposal

NEAR = 6
"""Rows near a new one that are shown."""


@click.group(
    "add",
    cls=Group,
    epilog=examples("forecast data add claim --help", "forecast data add poll --help"),
)
def add() -> None:
    """Add an event, a claim or a poll, after showing what will change."""


def _flag(column: str) -> str:
    return f"--{column.replace('_', '-')}"


def columns(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for every column of a table, and those that all three commands take."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        options: list[Callable[[Any], Any]] = [
            click.option(_flag(column), column, metavar="TEXT", help=f"{what}.") for column, what in LABELS[name].items()
        ]
        options += [
            click.option("--from", "from_file", metavar="FILE", help="Rows from a CSV or JSON file, - for standard input."),
            click.option("--covered-through", metavar="DATE", type=Day(), help="Also say that all through this day has been read."),
            click.option("--dry-run", is_flag=True, help="Show what would change and write nothing."),
            click.option("--yes", is_flag=True, help="Write without asking."),
        ]
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@add.command(
    epilog=examples(
        "forecast data add event --family D --date 2026-06-12 --published 2026-06-12 --channel data --evidence source_read "
        "--confidence high --source CDC --description Release. --dry-run"
    )
)
@common()
@columns("events")
def event(context: Context, **words: Any) -> None:
    """Add an act or a statement to events.csv: asks on a terminal, else takes flags or --from."""
    _add(context, "events", **words)


@add.command(
    epilog=examples(
        "forecast data add claim --start 2026-06 --level 2 --published 2026-06-30 --stance documented --confidence low "
        "--why Unchanged. --yes"
    )
)
@common()
@columns("claims")
def claim(context: Context, **words: Any) -> None:
    """Add a claim about the level of some months to outcome_claims.csv: asks on a terminal, else takes flags or --from."""
    _add(context, "claims", **words)


@add.command(
    epilog=examples(
        "forecast data add poll --pollster Reforma --topic mx_us_troops --wording force_unqualified --field-start 2026-05 "
        "--field-end 2026-05 --opposed-pct 61 --use yes --source Reforma --confidence high --question Troops? --dry-run"
    )
)
@common()
@columns("polls")
def poll(context: Context, **words: Any) -> None:
    """Add a poll to polls.csv: asks on a terminal, else takes flags or --from."""
    _add(context, "polls", **words)


def on_terminal() -> bool:
    """Whether there is someone to ask."""
    return sys.stdin.isatty()


def _add(context: Context, name: str, from_file: str | None, covered_through: Any, dry_run: bool, yes: bool, **cells: str | None) -> None:
    from forecast.errors import UsageError
    from forecast.jobs.add import add as run

    where = context.workspace if dry_run else context.own_workspace
    asks = on_terminal() and from_file != "-"
    written = {column: text for column, text in cells.items() if text is not None}
    if from_file is not None and written:
        raise UsageError("Rows come from --from or from flags, not from both.", f"Leave out {_flag(next(iter(written)))}, or --from.")
    given = _read(context, name, from_file) if from_file is not None else (_from_flags(context, name, written, asks),)
    if not (asks or yes or dry_run):
        raise UsageError("There is nobody to ask whether the row shall be written.", "Add --yes to write it, or --dry-run to see it.")

    def confirm(proposal: Proposal) -> bool:
        if not context.json or asks:
            _show(context, proposal, err=context.json)
        return not dry_run and (yes or click.confirm(f"Write to {proposal.addition.file}?", default=False, err=True))

    proposal, done = run(where, name, given, confirm, covered_through, context.now.date())
    if context.json:
        context.say_json(proposal.as_dict(done) | {"workspace": str(where.root)})
    elif done:
        ids = ", ".join(str(getattr(new.record, new.record.key[0])) for new in proposal.addition.rows)
        context.say(f"Added {ids} to {proposal.addition.file}.")
        context.say_written(where, [f"data/{file}" for file in proposal.addition.contents])
    else:
        context.say("Nothing was written.")


def _read(context: Context, name: str, source: str) -> tuple[Given, ...]:
    from forecast.data.given import read_given
    from forecast.storage.reading import MAX_BYTES

    if source == "-":
        return read_given(sys.stdin.buffer.read(MAX_BYTES + 1), tuple(LABELS[name]), "standard input")
    return read_given(context.surroundings.cwd / source, tuple(LABELS[name]), Path(source).name)


def _from_flags(context: Context, name: str, written: Mapping[str, str], asks: bool) -> Given:
    """The row that the flags make, the rest asked for where someone can answer. Raises UsageError naming every flag that is missing."""
    from forecast.cli.data_ask import ask
    from forecast.data.add import lacking
    from forecast.data.given import Given
    from forecast.data.read import read_data
    from forecast.errors import UsageError

    data = read_data(context.workspace.data)
    missing = lacking(data, name, written)
    if missing and not asks:
        raise UsageError(f"Missing: {', '.join(map(_flag, missing))}.", "Give them too, or run the command on a terminal to be asked.")
    return Given(ask(context, data, name, written) if missing else written)


def _show(context: Context, proposal: Proposal, err: bool) -> None:
    """The row as it will stand, what lies near it, and what changes."""
    from forecast.data.show import BRIEF, as_text, cell, printable

    made = proposal.addition
    lines = []
    for new, near, does in zip(made.rows, proposal.similar, proposal.effects, strict=True):
        lines += [f"{made.file}, line {new.line}, as it will stand:", f"  {printable(new.text)}", ""]
        filled = {column: as_text(cell(column, getattr(new.record, column))) for column in LABELS[made.name]}
        lines += [f"  {column:<{max(map(len, filled))}}  {printable(text)}" for column, text in filled.items() if text]
        lines += ["", "Near it (same fortnight), perhaps the same:" if near else "Nothing like it in the same fortnight."]
        brief = BRIEF[made.name]
        lines += ["  " + "  ".join(printable(t) for c in brief if (t := as_text(cell(c, getattr(row, c)))))[:160] for row in near[:NEAR]]
        lines += [f"  and {len(near) - NEAR} more"] if len(near) > NEAR else []
        lines += ["What changes:", *(f"  {told}" for told in does.told)]
    before, after = proposal.origins
    if made.covered:
        lines.append(f"  {made.file} is covered through {made.covered[1]}, until now {made.covered[0]}.")
    if before != after:
        lines.append(f"  The origin of a forecast moves from {before} to {after}.")
    lines += [f"  Odd: {p}" for p in made.warnings]
    for line in lines:
        click.echo(line, err=True) if err else context.say(line)
