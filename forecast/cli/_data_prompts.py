"""Asking for the cells of a new row on a terminal, one by one; `?` explains at every prompt, and what was typed is never lost."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import click

from forecast.cli._context import Context
from forecast.cli._text import continued
from forecast.storage.text import visible

if TYPE_CHECKING:
    from forecast.data.entry.row_input import RowInput
    from forecast.data.tables import Data
    from forecast.errors import InputError, Problem

WIDTH: Final = 80
NOUNS: Final = {"events": "event", "claims": "claim", "polls": "poll"}
COVERAGE: Final = (
    "A row may stand in {file} only up to the day through which the file is complete, because a day without a row then counts as a day "
    "on which nothing happened. Answer y once you have looked for everything up to {day}: writing the row then also raises "
    "covered_through of {file} in coverage.toml. For events.csv the origin of the forecast moves with it. Answer n to give another date."
)
WRITING: Final = "y writes the row as shown above. n writes nothing and prints the command that goes on with what you typed."


def option_flag(column: str) -> str:
    return f"--{column.replace('_', '-')}"


@dataclass
class RowDraft:
    """A row in the making: its table, its cells, and the day through which its file has been read, if that is raised.

    data: the data as they were when the command began; typed: whether anything was answered at a prompt.
    """

    name: str
    cells: dict[str, str]
    data: Data
    covered_through: date | None = None
    typed: bool = False

    @property
    def given(self) -> tuple[RowInput, ...]:
        from forecast.data.entry.row_input import RowInput

        return (RowInput(self.cells),)


@contextmanager
def keep_answers(context: Context, entry: RowDraft) -> Iterator[None]:
    """Whatever ends the block early, be it Ctrl-C, a refusal or a lock: the command is printed that goes on with what was typed."""
    try:
        yield
    except BaseException:
        show_command(context, entry)
        raise


def show_command(context: Context, entry: RowDraft) -> None:
    """Print the command that goes on with what was typed, if anything was."""
    if entry.typed:
        click.echo("\nThis goes on with what you typed:\n", err=True)
        click.echo("\n".join(_command(context, entry)) + "\n", err=True)


def _command(context: Context, entry: RowDraft) -> list[str]:
    """The command in lines that fit a terminal and can be pasted."""
    from forecast.data.entry.add_rows import missing_columns

    unfinished = bool(missing_columns(entry.data, entry.name, entry.cells))
    parts = [f"forecast data add {NOUNS[entry.name]}"]
    # An answer left empty matters only while there is more to ask: given as empty, it is not asked again.
    parts += [f"{option_flag(column)} {shlex.quote(visible(text))}" for column, text in entry.cells.items() if text or unfinished]
    parts += [f"--covered-through {entry.covered_through}"] if entry.covered_through else []
    parts += [f"--workspace {shlex.quote(context.workspace_option)}"] if context.workspace_option else []
    return continued(parts, WIDTH)


def ask_missing(context: Context, entry: RowDraft) -> None:
    """Ask for every column that applies to the row and has no cell yet."""
    from forecast.data.entry.form import LABELS, column_applies

    click.echo("Enter takes what is in brackets, ? explains, Ctrl-C ends and keeps your answers.", err=True)
    for column in LABELS[entry.name]:
        if column not in entry.cells and column_applies(entry.name, column, entry.cells):
            _answer(context, entry, column)


def ask_for_refused(context: Context, entry: RowDraft) -> None:
    """Ask again for each cell that was given as an option and cannot stand by itself."""
    for column, text in list(entry.cells.items()):
        if (problem := _refused(context, entry, column, text)) is not None:
            _tell(problem, column)
            _answer(context, entry, column)


def ask_again(context: Context, entry: RowDraft, error: InputError) -> bool:
    """Say why the row was refused and ask again for the columns at fault; False, with nothing asked, where something else is at fault."""
    from forecast.data.entry.form import LABELS
    from forecast.data.read import read_data
    from forecast.data.tables import RECORDS

    file, columns = RECORDS[entry.name].file, {problem.column for problem in error.problems}
    if not columns or any(problem.file != file for problem in error.problems) or not columns <= set(LABELS[entry.name]):
        return False
    click.echo(f"\nThe row can't stand in {file} yet.", err=True)
    for problem in error.problems:
        _tell(problem, problem.column or "")
    entry.data = read_data(context.workspace.data)
    for column in LABELS[entry.name]:
        if column in columns:
            _answer(context, entry, column)
    return True


def confirmed(question: str, explanation: str) -> bool:
    """A yes or a no; Enter means no, ? explains."""
    while True:
        answer = click.prompt(f"{question} [y/N]", default="", show_default=False, prompt_suffix=" ", err=True).strip().lower()
        if answer in ("", "n", "no"):
            return False
        if answer in ("y", "yes"):
            return True
        _echo(explanation if answer == "?" else "Answer y or n; ? explains.")


def _answer(context: Context, entry: RowDraft, column: str) -> None:
    """Ask for one cell until it can stand, and enter it. What stood there is offered again."""
    from forecast.data.entry.defaults import proposed_value
    from forecast.data.entry.form import LABELS, choices, required_columns
    from forecast.data.tables import RECORDS

    others = {c: text for c, text in entry.cells.items() if c != column}
    follows, before = proposed_value(entry.data, entry.name, column, others) or "", entry.cells.get(column, "")
    proposed = (follows or before) if column in RECORDS[entry.name].key else (before or follows)  # a name may be taken by now
    if proposed and _cell_problem(context, entry, column, proposed):
        proposed = ""
    needed = column in required_columns(entry.name, others)
    words = choices(entry.name, column, others)
    empty = "" if needed else "; a blank leaves it empty" if proposed else "; may be empty"
    _echo(f"{column}: {LABELS[entry.name][column]}{empty}", indent="")
    if words:
        _echo(f"one of {', '.join(words)}")
    while True:
        shown = f"  [{visible(proposed)}]" if proposed else " "
        text = click.prompt(shown, default=proposed, show_default=False, prompt_suffix=" > ", err=True).strip()
        if text == "?":
            _explain(context, entry, column, needed)
        elif not text and needed:
            _echo("It can't be empty.")
        elif text and (problem := _refused(context, entry, column, text)):
            _tell(problem)
        else:
            entry.cells[column] = text
            entry.typed = True
            return


def _refused(context: Context, entry: RowDraft, column: str, text: str) -> Problem | str | None:
    """Why a cell cannot stand; None if it can. A day after the file's coverage can once the coverage is raised, which is asked for."""
    from forecast.data.entry.form import beyond_coverage, offered_coverage
    from forecast.data.tables import RECORDS

    if not text:
        return None
    if (problem := _cell_problem(context, entry, column, text)) is not None:
        return problem
    file = RECORDS[entry.name].file
    through = max(entry.data.coverage[file], entry.covered_through or date.min)
    if (day := beyond_coverage(entry.name, column, text, through)) is None:
        return None
    offered = offered_coverage(day, context.now.date())
    entry.cells[column], entry.typed = text, True  # an interruption of the question keeps the day
    _echo(f"{text} lies after {through}, the day through which {file} has been read.")
    if confirmed(f"  Have you read all there is through {offered}?", COVERAGE.format(file=file, day=offered)):
        entry.covered_through = offered
        return None
    return f"Then the row can't stand in {file} yet. Give another date, or end with Ctrl-C."


def _cell_problem(context: Context, entry: RowDraft, column: str, text: str) -> Problem | None:
    from forecast.data.entry.form import cell_problem, day_problem

    found = cell_problem(entry.name, column, text, entry.cells)
    return found or day_problem(entry.name, column, text, entry.cells, context.now.date())


def _tell(problem: Problem | str, column: str = "") -> None:
    where = f"{column}: f" if column else "F"
    _echo(problem if isinstance(problem, str) else f"{where}ound {problem.found}; expected {problem.expected}. {problem.remedy}")


def _explain(context: Context, entry: RowDraft, column: str, needed: bool) -> None:
    """What the column means, the words that earlier rows have in it, and the codebook's passages on it."""
    from forecast.data.entry.form import codebook_passages, words_in_use
    from forecast.data.tables import RECORDS

    _echo("It has to be filled in." if needed else "It may be left empty: press Enter.")
    if used := words_in_use(entry.data, entry.name, column):
        _echo(f"Used so far: {', '.join(used)}.")
    if column in RECORDS[entry.name].key:
        otherwise = "Other rows name this one by it: take a word that no row has yet."
    else:
        otherwise = "The codebook has no rule on this column: write what the source says."
    for line in codebook_passages(context.workspace.data, column) or [otherwise]:
        indent = "  " if line.startswith("  ") else ""
        _echo(line.strip(), indent=f"  {indent}")


def _echo(text: str, indent: str = "  ") -> None:
    for line in wrap(visible(text), WIDTH, initial_indent=indent, subsequent_indent=indent or "  ", break_on_hyphens=False):
        click.echo(line, err=True)
