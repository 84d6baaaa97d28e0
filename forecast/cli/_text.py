"""Text for a terminal: lines that fit, the one table printer, sentences that end."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from forecast.errors import ForecastError

if TYPE_CHECKING:
    from forecast.cli._context import Context

WIDTH: Final = 80
"""Columns of output whose layout does not depend on the terminal."""
GAP: Final = 2
"""Spaces between the columns of a table."""
FIRST, WIDEST, LAST = 30, 24, 28
"""Columns of a terminal in `print_rows`: the most for the first column, which names the row, and for any other; the least for the last."""


def terminal_width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns


def wrap(text: str, width: int = WIDTH, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    """Lines of at most `width` characters. Words break only at spaces, and a number stays with its per cent sign."""
    lines = textwrap.wrap(
        text.replace(" %", "\u00a0%"), width, initial_indent=initial_indent, subsequent_indent=subsequent_indent, break_on_hyphens=False
    )
    return [line.replace("\u00a0", " ") for line in lines]


def cut(text: str, width: int) -> str:
    """The text, or its beginning and … if it is wider."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None = None,
    *,
    right: Collection[int] = (),
    fold: bool = False,
    indent: str = "",
) -> list[str]:
    """A table as lines: a heading, then the rows.

    columns  headings, one a column
    rows     cells, as many as there are headings
    width    columns of the terminal; if a row is wider, its last cell is cut. None (for a pipe or a file) cuts nothing
    right    numbers of the columns that are aligned to the right
    fold     continue a last cell that is too wide on the next line instead of cutting it
    """
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    before = len(indent) + sum(w + GAP for w in widths[:-1])
    if width is not None:
        widths[-1] = min(widths[-1], max(width - before, 1))
    lines: list[str] = []
    for row in (columns, *rows):
        cells = [cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))]
        start = indent + "".join(cell + " " * GAP for cell in cells[:-1])
        if len(row[-1]) <= widths[-1]:
            lines.append((start + cells[-1]).rstrip())
        elif fold:
            lines += wrap(row[-1], before + widths[-1], start, " " * before)
        else:
            lines.append(start + cut(row[-1], widths[-1]))
    return lines


def print_rows(
    context: Context, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], brief: Sequence[str] = (), *, fold: bool = False
) -> None:
    """Print rows of one kind.

    With --json as a list. On a terminal as a table of the columns that fit (`brief`: those to choose from), or a single row in full.
    Elsewhere a line a row, with all columns between tabs. fold: wrap the last column where it would be cut.
    """
    from forecast.data.row_query import printable

    if context.json:
        context.say_json(rows)
    elif not rows:
        context.warn("No rows match.")
    elif not sys.stdout.isatty():
        context.say("\t".join(columns))
        for row in rows:
            context.say("\t".join(printable(row[column]) for column in columns))
    elif len(rows) == 1:
        for line in record_lines(columns, rows[0], terminal_width()):
            context.say(line)
    else:
        for line in _fitted(brief or columns, rows, terminal_width(), fold):
            context.say(line)


def record_lines(columns: Sequence[str], row: Mapping[str, Any], width: int) -> list[str]:
    """One row in full: a column a line, wrapped where it is long."""
    from forecast.data.row_query import printable

    names = max(map(len, columns)) + GAP
    lines: list[str] = []
    for column in columns:
        name = f"{column:<{names}}"
        lines += wrap(printable(row[column]), width, name, " " * names) or [name.rstrip()]
    return lines


def _fitted(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], width: int, fold: bool) -> list[str]:
    """A table of the columns from the left that there is room for, and of the last one, which takes the rest of the width."""
    from forecast.data.row_query import printable

    *others, last = columns
    cells = {column: [printable(row[column]) for row in rows] for column in columns}
    shown: list[str] = []
    room = width
    for column in others:
        most = WIDEST if shown else FIRST
        cells[column] = [cut(cell, most) for cell in cells[column]]
        needed = max(map(len, [column, *cells[column]])) + GAP
        if room - needed >= LAST:
            room -= needed
            shown.append(column)
    numbers = [i for i, column in enumerate(shown) if all(isinstance(row[column], int | float | None) for row in rows)]
    return table([*shown, last], list(zip(*(cells[c] for c in (*shown, last)), strict=True)), width, right=numbers, fold=fold)


def continued(parts: Sequence[str], width: int = WIDTH) -> list[str]:
    """A command in lines that fit and can be pasted: broken between its parts, each line but the last ending in a backslash."""
    lines = [f"  {parts[0]}"]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 3 > width:
            lines[-1] += " \\"
            lines.append(f"    {part}")
        else:
            lines[-1] += f" {part}"
    return lines


def sentence(text: str) -> str:
    """The text with a capital letter and one full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def counted(n: int, noun: str, plural: str = "") -> str:
    """A number and its noun: 1 run, 2 runs."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def combined_error(errors: Sequence[ForecastError]) -> ForecastError:
    """Several failures as one, of the first one's kind and exit code. `errors` is not empty."""
    if len(errors) == 1:
        return errors[0]
    combined = type(errors[0])("\n".join(map(str, errors)))
    combined.__cause__ = errors[0].__cause__ or errors[0]
    return combined
