"""A table before it is HTML, and its two other forms: Markdown and plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.formatting import percent_range
from forecast.storage.markup import markdown_inline, markdown_link, web_address
from forecast.storage.text import visible

if TYPE_CHECKING:
    from forecast.report.models.base import Interval


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads somewhere. It becomes an anchor only where `url` is http(s); anything else stays text."""

    text: str
    url: str | None

    @property
    def safe_url(self) -> str | None:
        return web_address(self.url)


type Cell = str | Link
type Row = Sequence[Cell | None]


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and their rows. `numeric` columns (by index) are set flush right; the first column names its row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()


def table(columns: Sequence[str], rows: Iterable[Row], numeric: Iterable[int] = ()) -> Table:
    """A table whose empty cells hold a dash; ValueError if a row has not as many cells as there are columns."""
    filled = tuple(tuple("–" if cell is None or cell == "" else cell for cell in row) for row in rows)
    if any(len(row) != len(columns) for row in filled):
        raise ValueError(f"every row needs {len(columns)} cells: {', '.join(columns)}")
    return Table(tuple(columns), filled, frozenset(numeric))


def interval_cell(interval: Interval | None) -> str | None:
    return None if interval is None else percent_range(interval.low, interval.high)


def markdown_table(t: Table) -> str:
    """A pipe table; empty if there are no rows."""
    if not t.rows:
        return ""
    rule = ["---:" if i in t.numeric else "---" for i in range(len(t.columns))]
    lines = [[markdown_inline(c) for c in t.columns], rule, *([_markdown_cell(cell) for cell in row] for row in t.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown_cell(cell: Cell) -> str:
    return markdown_link(cell.text, cell.url) if isinstance(cell, Link) else markdown_inline(cell)


def text_table(t: Table, width: int) -> str:
    """The table in lines of at most `width` columns; the first column gives way where there is no room."""
    rows = [[visible(c.text if isinstance(c, Link) else c, line=True) for c in row] for row in (t.columns, *t.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(t.columns))]
    widths[0] = min(widths[0], width - sum(w + 2 for w in widths[1:]))
    lines = [_text_row(row, widths) for row in rows]
    return "\n".join([lines[0], "─" * min(width, sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


def _text_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = shortened(cells[0], widths[0]).ljust(widths[0])
    return "  ".join([first, *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))]).rstrip()


def shortened(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis if it is longer than `width`."""
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"
