"""What a table is before it is HTML or Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forecast.storage.markup import web_address


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads somewhere. It becomes an anchor only where `url` is http(s); anything else stays text."""

    text: str
    url: str | None

    @property
    def safe_url(self) -> str | None:
        return web_address(self.url)


Cell = str | Link


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and their rows. `numeric` columns (by index) are set flush right; the first column names its row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell | None]], numeric: Iterable[int] = ()) -> Table:
    """A table whose empty cells hold a dash; ValueError if a row has not as many cells as there are columns."""
    held = tuple(tuple("–" if cell is None or cell == "" else cell for cell in row) for row in rows)
    if any(len(row) != len(columns) for row in held):
        raise ValueError(f"every row needs {len(columns)} cells: {', '.join(columns)}")
    return Table(tuple(columns), held, frozenset(numeric))
