"""What CODEBOOK.md says of a column: the passages that name it, found in the file, so that the rules are written once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from forecast.storage.text import read_text

ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "family": ("role",),
    "operation_level": ("level",),
    "instrument": ("channel",),
    "field_end": ("published_basis",),
}
"""Columns whose rule stands where another is named."""

RULES: Final = range(1, 8)
"""The sections that hold rules; those after them are reliability and cases."""


def rules(folder: Path, column: str) -> list[str]:
    """The passages on a column in the codebook of a data folder, indented below their sections' headings; none if there is no file."""
    text, problems = read_text(folder / "CODEBOOK.md", "CODEBOOK.md")
    names = (column, *ALSO.get(column, ()))
    told: list[str] = []
    under = ""
    for section, block in [] if problems else _blocks(text):
        if any(_names(block, name) for name in names):
            told += [section] if section != under else []
            told += [f"  {line}" for line in _plain(block)]
            under = section
    return told


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Paragraphs, bullets and tables of the sections with rules, each with its section's heading."""
    for part in re.split(r"^## ", text.replace("\r\n", "\n"), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        number = re.match(r"\d+", heading)
        if number and int(number[0]) in RULES:
            for block in re.split(r"\n\s*\n|\n(?=- )", body):
                if block.strip():
                    yield f"Codebook, section {heading.strip()}", block.strip()


def _names(block: str, column: str) -> bool:
    """Whether a block speaks of a column: by its name in backticks, or a table by a heading."""
    heads = [cell.strip() for cell in block.splitlines()[0].split("|")] if block.startswith("|") else []
    return f"`{column}`" in block or column in heads


def _plain(block: str) -> Iterator[str]:
    """A block without its markup; a table gives a line a row."""
    if not block.startswith("|"):
        yield _unmarked(block.removeprefix("- "))
        return
    heads, _, *rows = ([_unmarked(cell) for cell in line.strip().strip("|").split("|")] for line in block.splitlines())
    for first, *rest in rows:
        told = [
            cell if i == 0 or len(rest) == 1 else f"{head}: {cell}" for i, (head, cell) in enumerate(zip(heads[1:], rest, strict=False))
        ]
        yield f"{first}: {'; '.join(told)}"


def _unmarked(text: str) -> str:
    return re.sub(r"[`*]", "", " ".join(text.split()))
