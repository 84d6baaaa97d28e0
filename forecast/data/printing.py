"""A value of a table as text, for a file or a terminal. It imports no tables, which take half a second to define."""

from __future__ import annotations

from typing import Any


def as_text(value: Any) -> str:
    """A cell as the file has it, but for the spelling of numbers."""
    return "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)


def printable(value: Any) -> str:
    """A cell on one line of a terminal, control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in as_text(value))
