"""`forecast data add`: a new event, claim or poll, shown with what it changes before it is written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._data_prompts import (
    WIDTH,
    WRITING,
    RowDraft,
    ask_again,
    ask_for_refused,
    ask_missing,
    confirmed,
    keep_answers,
    option_flag,
    show_command,
)
from forecast.cli._options import Day, common, examples
from forecast.cli._root import Group
from forecast.cli._text import sentence, wrap
from forecast.data.entry.form import LABELS, choices_text

if TYPE_CHECKING:
    from forecast.data.entry.row_input import RowInput
    from forecast.jobs.data.add_rows import Proposal

MAX_SIMILAR = 6
"""Possible duplicates of a new row that are shown."""


@click.group(
    "add",
    cls=Group,
    epilog=examples("forecast data add claim --help", "forecast data add poll --help"),
)
def add() -> None:
    """Add an event, a claim or a poll, after showing what will change."""


def columns(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for every column of a table, and those that all three commands take."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        options: list[Callable[[Any], Any]] = [
            click.option(option_flag(column), column, metavar="TEXT", help=_help(name, column)) for column in LABELS[name]
        ]
        options += [
            click.option("--from", "from_file", metavar="FILE", help="Rows from a CSV or JSON file, - for standard input."),
            click.option(
                "--covered-through",
                metavar="DATE",
                type=Day(),
                help="Also raise the day through which the file has been read; needed for a row dated later.",
            ),
            click.option("--dry-run", is_flag=True, help="Show what would change and write nothing."),
            click.option("--yes", is_flag=True, help="Write without asking."),
        ]
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _help(name: str, column: str) -> str:
    words = choices_text(name, column)
    return sentence(LABELS[name][column]) + (f" {sentence(words)}" if words else "")


@add.command(
    epilog=examples(
        "forecast data add event --family D --date 2026-06-12 --published 2026-06-12 --channel data --evidence source_read "
        "--confidence high --source CDC --description Release. --dry-run"
    )
)
@common()
@columns("events")
def event(context: Context, **words: Any) -> None:
    """Add an act or a statement to events.csv.

    On a terminal the command asks for each column that you did not give as an option; type ? at a prompt for an explanation. Without a
    terminal, give all required columns as options or use --from, and add --yes. The row and what it changes are shown before it is written.
    """
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
    """Add a claim about the level of some months to outcome_claims.csv.

    On a terminal the command asks for each column that you did not give as an option; type ? at a prompt for an explanation. Without a
    terminal, give all required columns as options or use --from, and add --yes. The row and what it changes are shown before it is written.
    """
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
    """Add a poll to polls.csv.

    On a terminal the command asks for each column that you did not give as an option; type ? at a prompt for an explanation. Without a
    terminal, give all required columns as options or use --from, and add --yes. The row and what it changes are shown before it is written.
    """
    _add(context, "polls", **words)


def on_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def _add(context: Context, name: str, from_file: str | None, covered_through: Any, dry_run: bool, yes: bool, **cells: str | None) -> None:
    from forecast.data.entry.row_input import RowInput
    from forecast.errors import UsageError
    from forecast.jobs.data.add_rows import add_rows as run

    where = context.workspace if dry_run else context.own_workspace
    can_ask = on_terminal() and from_file != "-"
    written = {column: text for column, text in cells.items() if text is not None}
    if from_file is not None and written:
        raise UsageError(
            "Rows come from --from or from options, not from both.", f"Leave out {option_flag(next(iter(written)))}, or --from."
        )
    if from_file is None and not can_ask:
        _refuse_missing(context, name, written)
    if not (can_ask or yes or dry_run):
        raise UsageError("Not a terminal, so no confirmation is possible.", "Add --yes to write it, or --dry-run to see it.")

    def confirm(proposal: Proposal) -> bool:
        if not context.json or can_ask:
            _show(context, proposal, err=context.json)
        return not dry_run and (yes or confirmed(f"Write to {proposal.addition.file}?", WRITING))

    if from_file is None and can_ask:
        proposal, done = _asked(context, name, written, covered_through, confirm, yes)
    else:
        given = _read(context, name, from_file) if from_file is not None else (RowInput(written),)
        proposal, done = run(where, name, given, confirm, covered_through, context.now.date())
    if context.json:
        context.say_json(proposal.as_dict(done) | {"workspace": str(where.root)})
    elif done:
        ids = ", ".join(str(getattr(new.record, new.record.key[0])) for new in proposal.addition.rows)
        context.say(f"Added {ids} to {proposal.addition.file}.")
        context.say_written(where, [f"data/{file}" for file in proposal.addition.contents])
    else:
        context.say("Nothing was written.")


def _asked(
    context: Context, name: str, written: dict[str, str], covered_through: Any, confirm: Callable[[Proposal], bool], yes: bool
) -> tuple[Proposal, bool]:
    """Ask for what the options lack, then propose the row; ask again for refused columns."""
    from forecast.data.entry.add_rows import missing_columns
    from forecast.data.read import read_data
    from forecast.errors import InputError
    from forecast.jobs.data.add_rows import add_rows as run

    draft = RowDraft(name, written, read_data(context.workspace.data), covered_through)
    with keep_answers(context, draft):
        missing = missing_columns(draft.data, name, draft.cells)
        if missing or not yes:
            ask_for_refused(context, draft)
        if missing:
            ask_missing(context, draft)
        while True:
            try:
                proposal, done = run(context.workspace, name, draft.given, confirm, draft.covered_through, context.now.date())
                break
            except InputError as e:
                if not ((draft.typed or not yes) and ask_again(context, draft, e)):
                    raise
    if not done:
        show_command(context, draft)
    return proposal, done


def _read(context: Context, name: str, source: str) -> tuple[RowInput, ...]:
    from forecast.data.entry.row_input import read_rows

    file, called = context.read_argument(source)
    return read_rows(file, tuple(LABELS[name]), called)


def _refuse_missing(context: Context, name: str, written: Mapping[str, str]) -> None:
    """UsageError naming every missing option, since nobody can be asked."""
    from forecast.data.entry.add_rows import missing_columns
    from forecast.data.read import read_data
    from forecast.errors import UsageError

    if missing := missing_columns(read_data(context.workspace.data), name, written):
        raise UsageError(
            f"Missing: {', '.join(map(option_flag, missing))}.", "Give them too, or run the command on a terminal to be asked."
        )


def _show(context: Context, proposal: Proposal, err: bool) -> None:
    """Show the row as it will be written, its possible duplicates, and what changes."""
    from forecast.data.row_query import SHORT_COLUMNS, cell_value, value_text
    from forecast.storage.text import visible

    addition = proposal.addition
    lines = []
    for new, similar, effects in zip(addition.rows, proposal.similar, proposal.effects, strict=True):
        lines += [f"{addition.file}, line {new.line}, as it will be written:", f"  {visible(new.text, line=True)}", ""]
        filled = {column: value_text(cell_value(column, getattr(new.record, column))) for column in LABELS[addition.name]}
        lines += [f"  {column:<{max(map(len, filled))}}  {visible(text, line=True)}" for column, text in filled.items() if text]
        lines += ["", "Similar rows within a fortnight, perhaps the same act:" if similar else "No similar row within a fortnight."]
        columns = SHORT_COLUMNS[addition.name]
        lines += [
            "  " + "  ".join(visible(t, line=True) for c in columns if (t := value_text(cell_value(c, getattr(row, c)))))[:160]
            for row in similar[:MAX_SIMILAR]
        ]
        lines += [f"  and {len(similar) - MAX_SIMILAR} more"] if len(similar) > MAX_SIMILAR else []
        lines += ["What changes:", *(line for text in effects.explanation for line in wrap(text, WIDTH, "  ", "    "))]
    before, after = proposal.origins
    if addition.covered:
        lines.append(f"  {addition.file} is covered through {addition.covered[1]}, until now {addition.covered[0]}.")
    if before != after:
        lines.append(f"  The origin of a forecast moves from {before} to {after}.")
    lines += [line for p in proposal.warnings for line in wrap(f"Odd: {p}", WIDTH, "  ", "    ")]
    for line in lines:
        click.echo(line, err=True) if err else context.say(line)
