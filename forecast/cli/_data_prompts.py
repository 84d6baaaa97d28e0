"""Prompts for the cells of a new row, one by one. `?` explains at every prompt, and typed answers are never lost."""

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
    "No row of {file} may be dated after the day through which the file has been read, because a day without a row means that nothing "
    "happened. Answer y if you have looked for everything up to {day}: writing the row then also raises covered_through of {file} in "
    "coverage.toml, and for events.csv the origin of the forecast moves with it. Answer n to give another date."
)
WRITING: Final = "y writes the row as shown above. n writes nothing and prints the command that continues with your answers."


def option_flag(column: str) -> str:
    return f"--{column.replace('_', '-')}"


@dataclass
class RowDraft:
    """A row that is being entered.

    name: its table. cells: texts by column. data: the data when the command began. covered_through: the day to which the coverage of its
    file is raised, None if it is not. typed: whether a prompt was answered.
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
def keep_answers(context: Context, draft: RowDraft) -> Iterator[None]:
    """If the block ends early, by Ctrl-C, a refusal or a lock, print the command that continues with the answers."""
    try:
        yield
    except BaseException:
        show_command(context, draft)
        raise


def show_command(context: Context, draft: RowDraft) -> None:
    """Print the command that continues with the answers, if there are any."""
    if draft.typed:
        click.echo("\nThis command continues with your answers:\n", err=True)
        click.echo("\n".join(_command(context, draft)) + "\n", err=True)


def _command(context: Context, draft: RowDraft) -> list[str]:
    """The command in lines that fit a terminal and can be pasted."""
    from forecast.data.entry.add_rows import missing_columns

    unfinished = bool(missing_columns(draft.data, draft.name, draft.cells))
    parts = [f"forecast data add {NOUNS[draft.name]}"]
    # An empty answer matters only while there is more to ask: given as empty, it is not asked again.
    parts += [f"{option_flag(column)} {shlex.quote(visible(text))}" for column, text in draft.cells.items() if text or unfinished]
    parts += [f"--covered-through {draft.covered_through}"] if draft.covered_through else []
    parts += [f"--workspace {shlex.quote(context.workspace_option)}"] if context.workspace_option else []
    return continued(parts, WIDTH)


def ask_missing(context: Context, draft: RowDraft) -> None:
    """Ask for every column that applies to the row and has no answer yet."""
    from forecast.data.entry.form import LABELS, column_applies

    click.echo("Enter takes what is in brackets, ? explains, Ctrl-C ends and keeps your answers.", err=True)
    for column in LABELS[draft.name]:
        if column not in draft.cells and column_applies(draft.name, column, draft.cells):
            _answer(context, draft, column)


def ask_for_refused(context: Context, draft: RowDraft) -> None:
    """Ask again for each cell that was given as an option and is not valid."""
    for column, text in list(draft.cells.items()):
        if (problem := _refused(context, draft, column, text)) is not None:
            _show_problem(problem, column)
            _answer(context, draft, column)


def ask_again(context: Context, draft: RowDraft, error: InputError) -> bool:
    """Say why the row was refused and ask again for the columns with problems; False, with nothing asked, for any other problem."""
    from forecast.data.entry.form import LABELS
    from forecast.data.read import read_data
    from forecast.data.tables import RECORDS

    file, columns = RECORDS[draft.name].file, {problem.column for problem in error.problems}
    if not columns or any(problem.file != file for problem in error.problems) or not columns <= set(LABELS[draft.name]):
        return False
    click.echo(f"\nThe row is not valid in {file} yet.", err=True)
    for problem in error.problems:
        _show_problem(problem, problem.column or "")
    draft.data = read_data(context.workspace.data)
    for column in LABELS[draft.name]:
        if column in columns:
            _answer(context, draft, column)
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


def _answer(context: Context, draft: RowDraft, column: str) -> None:
    """Ask for one cell until it is valid, and enter it. An earlier answer is offered again."""
    from forecast.data.entry.defaults import proposed_value
    from forecast.data.entry.form import LABELS, choices, required_columns
    from forecast.data.tables import RECORDS

    others = {c: text for c, text in draft.cells.items() if c != column}
    default, before = proposed_value(draft.data, draft.name, column, others) or "", draft.cells.get(column, "")
    proposed = (default or before) if column in RECORDS[draft.name].key else (before or default)  # a name may be taken by now
    if proposed and _cell_problem(context, draft, column, proposed):
        proposed = ""
    needed = column in required_columns(draft.name, others)
    words = choices(draft.name, column, others)
    empty = "" if needed else "; a blank leaves it empty" if proposed else "; may be empty"
    _echo(f"{column}: {LABELS[draft.name][column]}{empty}", indent="")
    if words:
        _echo(f"one of {', '.join(words)}")
    while True:
        shown = f"  [{visible(proposed)}]" if proposed else " "
        text = click.prompt(shown, default=proposed, show_default=False, prompt_suffix=" > ", err=True).strip()
        if text == "?":
            _explain(context, draft, column, needed)
        elif not text and needed:
            _echo("It cannot be empty.")
        elif text and (problem := _refused(context, draft, column, text)):
            _show_problem(problem)
        else:
            draft.cells[column] = text
            draft.typed = True
            return


def _refused(context: Context, draft: RowDraft, column: str, text: str) -> Problem | str | None:
    """Why a cell is refused; None if it is valid. For a day after the file's coverage, ask whether to raise the coverage."""
    from forecast.data.entry.form import beyond_coverage, offered_coverage
    from forecast.data.tables import RECORDS

    if not text:
        return None
    if (problem := _cell_problem(context, draft, column, text)) is not None:
        return problem
    file = RECORDS[draft.name].file
    through = max(draft.data.coverage[file], draft.covered_through or date.min)
    if (day := beyond_coverage(draft.name, column, text, through)) is None:
        return None
    offered = offered_coverage(day, context.now.date())
    draft.cells[column], draft.typed = text, True  # an interrupted question keeps the day
    _echo(f"{text} is after {through}, the day through which {file} has been read.")
    if confirmed(f"  Have you looked for everything through {offered}?", COVERAGE.format(file=file, day=offered)):
        draft.covered_through = offered
        return None
    return f"Then the row is not valid in {file} yet. Give another date, or press Ctrl-C."


def _cell_problem(context: Context, draft: RowDraft, column: str, text: str) -> Problem | None:
    from forecast.data.entry.form import cell_problem, day_problem

    problem = cell_problem(draft.name, column, text, draft.cells)
    return problem or day_problem(draft.name, column, text, draft.cells, context.now.date())


def _show_problem(problem: Problem | str, column: str = "") -> None:
    where = f"{column}: f" if column else "F"
    _echo(problem if isinstance(problem, str) else f"{where}ound {problem.found}; expected {problem.expected}. {problem.remedy}")


def _explain(context: Context, draft: RowDraft, column: str, needed: bool) -> None:
    """What the column means, the words that earlier rows have in it, and the codebook's passages on it."""
    from forecast.data.entry.form import codebook_passages, words_in_use
    from forecast.data.tables import RECORDS

    _echo("It is required." if needed else "It may be left empty: press Enter.")
    if used := words_in_use(draft.data, draft.name, column):
        _echo(f"Used so far: {', '.join(used)}.")
    if column in RECORDS[draft.name].key:
        otherwise = "Other rows refer to this one by it: choose a name that no row has yet."
    else:
        otherwise = "The codebook has no rule on this column: write what the source says."
    for line in codebook_passages(context.workspace.data, column) or [otherwise]:
        indent = "  " if line.startswith("  ") else ""
        _echo(line.strip(), indent=f"  {indent}")


def _echo(text: str, indent: str = "  ") -> None:
    for line in wrap(visible(text), WIDTH, initial_indent=indent, subsequent_indent=indent or "  ", break_on_hyphens=False):
        click.echo(line, err=True)
