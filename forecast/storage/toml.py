"""A TOML file as tables: one way for data, priors, scenarios and the history, with the line of every key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.errors import Problem, limited
from forecast.storage.outline import Lines, OutlineError, outline
from forecast.storage.text import read_text, refused_lines, text_problem

MAX_TOML: Final = 4_000_000
"""Bytes of a file. The largest, a year of the priors' history, has some hundred bytes an edit."""

_LARGEST: Final = 2**63
"""Whole numbers of TOML lie below it; Python reads larger ones, and fails to print them."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and on which lines: a key by its path, `("leverage", "scale")`, an element of a list by its number."""

    tables: dict[str, Any]
    lines: Lines

    def line(self, path: tuple[str | int, ...]) -> int | None:
        """The line of a key, else that of the nearest table or list around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_toml_file(path: Path, name: str) -> tuple[Document | None, list[Problem]]:
    """A TOML file, or None and what is wrong with it; `name` is what problems call it."""
    text, problems = read_text(path, name, MAX_TOML)
    return (None, problems) if problems else parsed(text, name)


def parsed(text: str, name: str) -> tuple[Document | None, list[Problem]]:
    """The same for a text. Refused characters are looked for in it, and in its strings, where an escape may have made them."""
    if problems := limited(refused_lines(text, name)):
        return None, problems
    text = text.replace("\r\n", "\n")
    try:
        lines = outline(text)
        document = Document(tomllib.loads(text), lines)
    except OutlineError as e:
        return None, [Problem(name, e.found, e.expected, "Restore the file, or correct this line.", e.line)]
    except (ValueError, RecursionError) as e:  # of them TOMLDecodeError; the others are numbers beyond all measure
        at = re.search(r"at line (\d+)", str(e))
        row = int(at[1]) if at else text.count("\n") + 1
        why = re.sub(r" \(at .*\)$", "", str(e))
        return None, [Problem(name, f"text that is not TOML ({why})", "TOML", "Correct this line, or the one above it.", row)]
    problems = limited(_problems(document, name, document.tables, ()))
    return (None, problems) if problems else (document, [])


def _problems(document: Document, name: str, value: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Keys and strings that hold what no text may, and numbers that no program can print."""
    wrong = None
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if in_key := text_problem(key, line=True):
                yield Problem(name, f"{in_key[0]} in a key", *in_key[1:], document.line((*path, key)), ".".join(map(str, path)) or None)
            else:
                yield from _problems(document, name, inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _problems(document, name, inner, (*path, i))
    elif isinstance(value, str):
        wrong = text_problem(value)
    elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        wrong = "a number of more than 18 digits", "a number of a usual size", "Correct it."
    if wrong:
        yield Problem(name, *wrong, document.line(path), ".".join(map(str, path)))
