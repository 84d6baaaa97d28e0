"""The TOML reader for data, priors, scenarios and the edit log: tables, with the line of every key.

One pass over the text finds the lines and bounds the nesting before the text is parsed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forecast.errors import Problem, limited
from forecast.storage.text import read_text, refused_lines, text_problem

type KeyPath = tuple[str | int, ...]
type KeyLines = Mapping[KeyPath, int]

MAX_DEPTH: Final = 20
"""Names and brackets inside one another; the deepest file here has five."""

MAX_KEYS: Final = 100_000
"""Keys and elements of lists; an edit in the history of the priors has about 25."""

_TOKEN: Final = re.compile(
    r'''
    (?P<blank>[ \t]+|\#[^\n]*)
    |(?P<break>\n+)
    |(?P<string>"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5}|\Z)|\'\'\'(?:[^']++|'(?!''))*+(?:'{3,5}|\Z)|"(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*+'?)
    |(?P<mark>[\[\]{}=,.])
    |(?P<bare>[^\s\[\]{}=,."'#]+)
    |(?P<other>.)
    ''',
    re.VERBOSE | re.DOTALL,
)

MAX_TOML: Final = 4_000_000
"""Bytes of a file. The largest, a year of the priors' history, has some hundred bytes an edit."""

_LARGEST: Final = 2**63
"""Whole numbers of TOML lie below it; Python reads larger ones, and fails to print them."""


@dataclass(frozen=True, slots=True)
class TomlDocument:
    """The tables of a file, and the line of each key by its path, `("leverage", "scale")`; an element of a list has its number."""

    tables: dict[str, Any]
    lines: KeyLines

    def line(self, path: tuple[str | int, ...]) -> int | None:
        """The line of a key, or of the nearest table or list around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_toml_file(path: Path, name: str) -> tuple[TomlDocument | None, list[Problem]]:
    """A TOML file, or None and what is wrong with it; `name` is what problems call it."""
    text, problems = read_text(path, name, MAX_TOML)
    return (None, problems) if problems else parse_toml(text, name)


def parse_toml(text: str, name: str) -> tuple[TomlDocument | None, list[Problem]]:
    """The same for a text. Refused characters are looked for in it, and in its strings, where an escape may have made them."""
    if problems := limited(refused_lines(text, name)):
        return None, problems
    text = text.replace("\r\n", "\n")
    try:
        lines = key_lines(text)
        document = TomlDocument(tomllib.loads(text), lines)
    except TomlLimitError as e:
        return None, [Problem(name, e.found, e.expected, "Restore the file, or correct this line.", e.line)]
    except (ValueError, RecursionError) as e:  # of them TOMLDecodeError; the others are numbers beyond all measure
        at = re.search(r"at line (\d+)", str(e))
        row = int(at[1]) if at else text.count("\n") + 1
        why = re.sub(r" \(at .*\)$", "", str(e))
        return None, [Problem(name, f"text that is not TOML ({why})", "TOML", "Correct this line, or the one above it.", row)]
    problems = limited(_problems(document, name, document.tables, ()))
    return (None, problems) if problems else (document, [])


def _problems(document: TomlDocument, name: str, value: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
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


class TomlLimitError(Exception):
    """A text nested deeper than MAX_DEPTH or with more keys than MAX_KEYS: what was found and expected, and the line."""

    def __init__(self, found: str, expected: str, line: int) -> None:
        super().__init__(f"line {line}: {found}")
        self.found, self.expected, self.line = found, expected, line


def key_lines(text: str) -> KeyLines:
    """The line, from 1, of every key, table and element of a list in a TOML text; in invalid TOML, of those before the error.

    Raises TomlLimitError before the text reaches anything that recurses.
    """
    reader = _KeyLineReader()
    for token in _TOKEN.finditer(text):
        reader.take(token.lastgroup or "", token[0])
    return reader.lines


def _quoted(token: str) -> str:
    """The name between quotes; as it is written, if it is none."""
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(tomllib.loads(f"name = {token}")["name"])
    except tomllib.TOMLDecodeError:
        return token[1:-1]


@dataclass(slots=True)
class _OpenBracket:
    """An open bracket of a value, the path of its content, and the number of the current element of a list."""

    bracket: str
    path: KeyPath
    at: int = 0


class _KeyLineReader:
    """What is known between two tokens of a TOML text."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.line = 1
        self.table: KeyPath = ()
        self.key: KeyPath = ()
        self.last: dict[KeyPath, int] = {}  # the number of the last element of each list of tables
        self.open: list[_OpenBracket] = []
        self.names: list[str] = []  # read since the key or the header began
        self.in_key = True
        self.header = 0  # brackets of a header that are open
        self.of_list = False  # it is [[name]]

    def take(self, kind: str, token: str) -> None:
        if kind == "break":
            self.line += len(token)
            if not self.open:
                self._begin_key()
        elif kind == "mark":
            self._mark(token)
        elif kind in ("string", "bare"):
            if self.in_key:
                self.names.append(token if kind == "bare" else _quoted(token))
            else:
                self._value()
        if len(self.names) + len(self.open) > MAX_DEPTH:
            raise TomlLimitError("names or brackets nested too deep", f"at most {MAX_DEPTH} inside one another", self.line)
        if len(self.lines) > MAX_KEYS:
            raise TomlLimitError("too many keys", f"at most {MAX_KEYS:,} keys and elements of lists", self.line)
        if kind == "string":
            self.line += token.count("\n")

    def _begin_key(self) -> None:
        self.names, self.in_key, self.header = [], True, 0

    def _mark(self, mark: str) -> None:
        if self.in_key and not self.open and mark in "[]":
            self._header(mark)
        elif self.in_key and mark == "=":
            around = self.open[-1].path if self.open else self.table
            for i in range(len(self.names)):  # the key a.b is a table a with a key b
                self.key = (*around, *self.names[: i + 1])
                self.lines.setdefault(self.key, self.line)
            self.names, self.in_key = [], False
        elif mark in "[{":
            self.open.append(_OpenBracket(mark, self._value()))
            self.names, self.in_key = [], mark == "{"
        elif mark in "]}" and self.open:
            self.open.pop()
            self.names, self.in_key = [], False
        elif mark == "," and self.open:
            self.open[-1].at += 1
            self.names, self.in_key = [], self.open[-1].bracket == "{"

    def _value(self) -> KeyPath:
        """The path of the value that begins here: an element of a list, or what a key has."""
        if not (self.open and self.open[-1].bracket == "["):
            return self.key
        path = (*self.open[-1].path, self.open[-1].at)
        self.lines.setdefault(path, self.line)
        return path

    def _header(self, mark: str) -> None:
        if mark == "[":
            self.header += 1
            self.of_list = self.header == 2
        elif self.names:
            self._enter_table(self.names)
            self.names = []

    def _enter_table(self, names: list[str]) -> None:
        path: KeyPath = ()
        for name in names:
            path = (*path, self.last[path], name) if path in self.last else (*path, name)
            self.lines.setdefault(path, self.line)
        if self.of_list:
            self.last[path] = self.last.get(path, -1) + 1
        if path in self.last:
            path = (*path, self.last[path])
            self.lines.setdefault(path, self.line)
        self.table = path
