"""Asking for the cells of a new row on a terminal, one by one; `?` prints the codebook's rule for the column."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from forecast.cli._context import Context

if TYPE_CHECKING:
    from forecast.data.tables import Data

WIDTH = 100


def ask(context: Context, data: Data, name: str, written: Mapping[str, str]) -> dict[str, str]:
    """The cells written so far and the answers to every column that applies to the row. Ctrl-C gives up; nothing is written by asking."""
    from forecast.data.ask import LABELS, applies, required

    click.echo("Empty takes what is in brackets, ? prints the codebook's rule, Ctrl-C gives up.", err=True)
    cells = dict(written)
    for column in LABELS[name]:
        if column not in cells and applies(name, column, cells):
            cells[column] = _answer(context, data, name, column, cells, column in required(name, cells))
    return cells


def _answer(context: Context, data: Data, name: str, column: str, cells: Mapping[str, str], needed: bool) -> str:
    from forecast.data.ask import LABELS, cell_problem, choices
    from forecast.data.propose import proposal

    proposed = proposal(data, name, column, cells) or ""
    words = choices(name, column, cells)
    told = (
        f"{column}: {LABELS[name][column]}" + (f" ({', '.join(words)})" if words else "") + ("" if needed or proposed else ", may be empty")
    )
    while True:
        text = click.prompt(told, default=proposed, show_default=bool(proposed), err=True).strip()
        if text == "?":
            _explain(context, column)
            continue
        if needed and not text:
            click.echo("  It can't be empty.", err=True)
            continue
        problem = cell_problem(name, column, text, cells) if text else None
        if problem is None:
            return str(text)
        click.echo(f"  Found {problem.found}; expected {problem.expected}. {problem.remedy}", err=True)


def _explain(context: Context, column: str) -> None:
    from forecast.data.codebook import rules

    for line in rules(context.workspace.data, column) or ["The codebook has no rule on this column: write what the source says."]:
        indent = "  " if line.startswith("  ") else ""
        for part in wrap(line, WIDTH, initial_indent=indent, subsequent_indent=2 * indent):
            click.echo(f"  {part}", err=True)
